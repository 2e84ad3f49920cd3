import type { Failure, LoadState, LoadTimes, Models, Reading, Reply, Request } from './messages.js';

export interface ReadState {
  phase: 'detect' | 'recognize';
  /** Lines that are read. */
  done: number;
  /** Lines that were found. */
  total: number;
}

/** What went wrong in the worker. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** After these the worker's sessions cannot be counted on. */
const fatal = new Set(['InternalError', 'OutOfMemoryError', 'RangeError', 'RuntimeError']);

interface Reader {
  resolve(reading: Reading): void;
  reject(error: unknown): void;
  onProgress(state: ReadState): void;
}

/** The page's end of the worker. A worker that fails to start or dies is replaced at the next call. */
export class ReaderClient {
  readonly #models: Models;
  #worker: Worker | undefined;
  #loading: Promise<LoadTimes> | undefined;
  #settleLoading: { resolve(times: LoadTimes): void; reject(error: unknown): void } | undefined;
  #onLoading: ((state: LoadState) => void) | undefined;
  readonly #readers = new Map<number, Reader>();
  #nextId = 1;

  constructor(models: Models) {
    this.#models = models;
  }

  /** The models are loaded, or on their way. */
  get loading(): boolean {
    return this.#loading !== undefined;
  }

  /** Downloads and prepares the models; once, unless it fails. `onProgress` replaces that of an earlier call. */
  load(onProgress: (state: LoadState) => void): Promise<LoadTimes> {
    this.#onLoading = onProgress;
    this.#loading ??= new Promise<LoadTimes>((resolve, reject) => {
      this.#settleLoading = { resolve, reject };
      this.#send({ type: 'load', models: this.#models });
    }).catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  /** Reads a picture, which is the worker's from then on. Rejects with the signal's reason when that comes first. */
  read(picture: ImageBitmap, onProgress: (state: ReadState) => void, signal: AbortSignal): Promise<Reading> {
    const id = this.#nextId++;
    return new Promise<Reading>((resolve, reject) => {
      this.#readers.set(id, { resolve, reject, onProgress });
      signal.addEventListener('abort', () => {
        this.#send({ type: 'cancel', id });
        this.#readers.delete(id);
        reject(signal.reason);
      }, { once: true });
      this.#send({ type: 'read', id, picture }, [picture]);
    });
  }

  #send(request: Request, transfer: Transferable[] = []): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(request, transfer);
  }

  #start(): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => this.#receive(data));
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      // A script that cannot be fetched gives no message.
      this.#abandon({ name: 'WorkerError', message: event.message || "the page's worker did not start" });
    });
    return worker;
  }

  #receive(reply: Reply): void {
    if (reply.type === 'loading') this.#onLoading?.(reply.state);
    else if (reply.type === 'loaded') this.#settleLoading?.resolve(reply.times);
    else if (reply.type === 'load-failed') this.#settleLoading?.reject(new WorkerError(reply.failure));
    else {
      const reader = this.#readers.get(reply.id);
      if (reply.type === 'reading') reader?.onProgress(reply);
      else this.#readers.delete(reply.id);
      if (reply.type === 'read') reader?.resolve(reply.reading);
      if (reply.type === 'read-failed') {
        reader?.reject(new WorkerError(reply.failure));
        if (fatal.has(reply.failure.name)) this.#abandon(reply.failure);
      }
    }
  }

  #abandon(failure: Failure): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    const error = new WorkerError(failure);
    this.#settleLoading?.reject(error);
    this.#loading = undefined;
    for (const reader of this.#readers.values()) reader.reject(error);
    this.#readers.clear();
  }
}
