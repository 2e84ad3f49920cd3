// The worker: loads the models once and reads one picture after another, so that the page stays responsive.

import { TextReader, type TextReaderProgress } from 'kinglet/ocr';
import type { Failure, LoadTimes, Models, Reading, Reply, Request } from './messages.js';

const say = (reply: Reply) => postMessage(reply);
const readings = new Map<number, AbortController>();
let reader: Promise<TextReader> | undefined;

function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { url, status, unreachable } = error as Error & Pick<Failure, 'url' | 'status' | 'unreachable'>;
  return { name: error.name, message: error.message, url, status, unreachable };
}

/** Adds up what the models report one by one. */
class LoadMeter {
  readonly #count: number;
  readonly #start = performance.now();
  readonly #models = new Map<string, { loaded: number; total: number | undefined; preparing?: number; ready?: boolean }>();
  #downloaded = this.#start;
  #prepare = 0;

  constructor(models: Models) {
    const { dictionary: _, ...counted } = models;
    this.#count = Object.keys(counted).length;
  }

  report({ model, phase, loaded, total }: TextReaderProgress): void {
    const now = performance.now();
    const entry = this.#models.get(model) ?? { loaded: 0, total: undefined };
    this.#models.set(model, entry);
    if (phase === 'download') {
      Object.assign(entry, { loaded, total });
      this.#downloaded = now;
    } else if (loaded === 0) {
      entry.preparing = now;
    } else {
      entry.ready = true;
      this.#prepare += now - (entry.preparing ?? now);
    }
    const entries = [...this.#models.values()];
    let sum: number | undefined = entries.length === this.#count ? 0 : undefined;
    for (const entry of entries) sum = sum === undefined || entry.total === undefined ? undefined : sum + entry.total;
    const prepared = entries.filter((entry) => entry.ready).length;
    say({ type: 'loading', state: { loaded: this.#bytes, total: sum, prepared, models: this.#count } });
  }

  get #bytes(): number {
    return [...this.#models.values()].reduce((sum, { loaded }) => sum + loaded, 0);
  }

  get times(): LoadTimes {
    return { download: this.#downloaded - this.#start, prepare: this.#prepare, bytes: this.#bytes };
  }
}

async function load(models: Models): Promise<void> {
  if (reader) return;
  const meter = new LoadMeter(models);
  reader = TextReader.load({ ...models }, { onProgress: (progress) => meter.report(progress) });
  try {
    await reader;
    say({ type: 'loaded', times: meter.times });
  } catch (error) {
    reader = undefined;
    say({ type: 'load-failed', failure: failureOf(error) });
  }
}

function pixelsOf(picture: ImageBitmap): ImageData {
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error(`the browser gave no canvas of ${picture.width} x ${picture.height}`);
  context.drawImage(picture, 0, 0);
  return context.getImageData(0, 0, picture.width, picture.height);
}

async function read(id: number, picture: ImageBitmap): Promise<void> {
  const { width, height } = picture;
  const abort = new AbortController();
  readings.set(id, abort);
  try {
    if (!reader) throw new Error('a picture came before the models were loaded');
    const pixels = pixelsOf(picture);
    const { lines, timings } = await (await reader).read(pixels, {
      signal: abort.signal,
      onProgress: (progress) => say({ type: 'reading', id, ...progress }),
    });
    const reading: Reading = { lines, timings, width, height };
    say({ type: 'read', id, reading });
  } catch (error) {
    say({ type: 'read-failed', id, failure: failureOf(error) });
  } finally {
    readings.delete(id);
    picture.close();
  }
}

addEventListener('message', ({ data }: MessageEvent<Request>) => {
  if (data.type === 'load') void load(data.models);
  else if (data.type === 'read') void read(data.id, data.picture);
  else readings.get(data.id)?.abort();
});
