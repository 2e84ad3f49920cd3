import { environment } from '#environment';
import { onAbort, throwIfAborted } from './abort.js';
import { InvalidArgumentError } from './errors/invalid-argument-error.js';
import { LoadError } from './errors/load-error.js';
import type {
  AbortSignalLike,
  BlobLike,
  BytesLike,
  ReadableStreamLike,
  RequestLike,
  ResponseLike,
  StreamReaderLike,
  UrlLike,
} from './platform.js';
import { shown } from './shown.js';

/**
 * Where bytes come from: an address or (in Node) a path, a `URL`, `Request`, `Response`, `Blob`, a
 * `ReadableStream` of bytes, an `ArrayBuffer` or a view of one.
 */
export type Source =
  string | UrlLike | RequestLike | ResponseLike | BlobLike | ReadableStreamLike | ArrayBufferLike | BytesLike;

/** One of a model's files: its `location` in the model, '' for the model itself. */
export type FileSource = readonly [location: string, source: Source];

/** Bytes that arrive in pieces. */
export interface ByteSource {
  /** The address or path, for messages. */
  readonly url?: string | undefined;
  /** How many bytes there will be; a hint, since a server may compress what it sends. */
  readonly total?: number | undefined;
  /** Whether pieces come by themselves, at their own pace. */
  readonly streams?: boolean | undefined;
  /**
   * The next piece; undefined at the end, and ever after. A source that can puts it at the start of `room`, and gives that
   * part of it.
   * Throws LoadError.
   */
  read(room?: Uint8Array): Promise<Uint8Array | undefined>;
  /** Frees what the source holds. */
  close(): Promise<unknown>;
}

function wholeBytes(bytes: Uint8Array): ByteSource {
  let rest: Uint8Array | undefined = bytes;
  return {
    total: bytes.length,
    read: async () => {
      const chunk = rest;
      rest = undefined;
      return chunk;
    },
    close: async () => {},
  };
}

function chunkFromStream(value: unknown): Uint8Array {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (isBuffer(value)) return new Uint8Array(value);
  throw new InvalidArgumentError(`the stream gave a ${typeof value}, not bytes`);
}

function streamedBytes(
  stream: ReadableStreamLike,
  details: { url?: string | undefined; total?: number | undefined },
): ByteSource {
  if (stream.locked) throw new InvalidArgumentError('the stream is locked: somebody else reads it');
  const reader = stream.getReader() as StreamReaderLike;
  return {
    ...details,
    streams: true,
    async read() {
      const { done, value } = await reader.read();
      return done ? undefined : chunkFromStream(value);
    },
    close: () => reader.cancel(),
  };
}

/**
 * The number of bytes that a response's body will have. The header counts compressed bytes when there is an
 * encoding.
 */
function contentLength({ headers }: ResponseLike): number | undefined {
  const encoding = headers.get('content-encoding');
  const length = headers.get('content-length');
  return length !== null && /^\d+$/.test(length) && (encoding === null || encoding === 'identity')
    ? Number(length)
    : undefined;
}

/**
 * @param advice what follows the message about a status
 * @throws LoadError for a status that is no success; InvalidArgumentError when the body was read before
 */
export function openResponse(response: ResponseLike, what: string, advice = ''): ByteSource {
  const { url, status } = response;
  if (!response.ok) {
    throw new LoadError(`${url || what} could not be loaded: the server answered ${status}${advice}`, { url, status });
  }
  if (response.bodyUsed) throw new InvalidArgumentError('the body of the Response was read before');
  const body = response.body as ReadableStreamLike | null;
  if (!body) return { ...wholeBytes(new Uint8Array()), url };
  const source = streamedBytes(body, { url, total: contentLength(response) });
  return {
    ...source,
    read: () => source.read().catch((cause: unknown) => Promise.reject(interrupted(cause, url || what))),
  };
}

function interrupted(cause: unknown, url: string): unknown {
  if (cause instanceof InvalidArgumentError) return cause;
  return new LoadError(`${url} broke off: ${(cause as Error)?.message}`, { url, cause });
}

/** Whether a page or worker asks a server that is not its own: browsers do not tell which refusal of such a request it was. */
function isOfOtherServer(url: string): boolean {
  const here = (globalThis as { location?: { href: string; origin: string } }).location;
  if (!here) return false;
  try {
    const { protocol, origin } = new URL(url, here.href);
    return /^https?:$/.test(protocol) && origin !== here.origin;
  } catch {
    return false; // no address at all, which is what fetch says already
  }
}

/** @throws LoadError when the server cannot be reached */
export async function fetchResponse(
  request: string | UrlLike | RequestLike,
  signal?: AbortSignalLike,
): Promise<ResponseLike> {
  const url = typeof request === 'string' ? request : 'url' in request ? request.url : request.href;
  try {
    const target = typeof request === 'object' && 'href' in request ? request.href : (request as Request);
    return await fetch(target, { signal: (signal as AbortSignal | undefined) ?? null });
  } catch (cause) {
    throwIfAborted(signal);
    const { message, cause: why } = cause as { message: string; cause?: { message?: string; code?: string } };
    const deeper = why?.message || why?.code; // Node's own message is 'fetch failed'
    const hint = () => (isOfOtherServer(url) ? ' (it is of another origin: does its server send Access-Control-Allow-Origin, and does the policy of this page allow it in connect-src?)' : '');
    const reason = message + (deeper ? ` (${deeper})` : hint());
    throw new LoadError(`${url} could not be fetched: ${reason}`, { url, unreachable: true, cause });
  }
}

function isBuffer(source: unknown): source is ArrayBufferLike {
  return /^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(source));
}

function has<K extends string>(source: object, ...keys: K[]): source is Record<K, unknown> {
  return keys.every((key) => key in source);
}

function notSource(source: unknown, what: string): InvalidArgumentError {
  const kinds = 'URL, path, Request, Response, Blob, ReadableStream, ArrayBuffer or a view of one';
  const got = shown(source);
  const hint = got === 'Promise' ? 'a Promise: did you forget await?' : got;
  return new InvalidArgumentError(`${what} must be a ${kinds}; got ${hint}`);
}

/** Throws InvalidArgumentError for what is neither text nor an object, or a promise. */
export function checkSource(source: unknown, what: string): asserts source is string | object {
  if (typeof source === 'string') return;
  if (typeof source !== 'object' || source === null || shown(source) === 'Promise') throw notSource(source, what);
}

async function open(source: Source, signal: AbortSignalLike | undefined, what: string): Promise<ByteSource> {
  checkSource(source, what);
  if (typeof source === 'string' || has(source, 'href')) {
    const location = source as string | UrlLike;
    return (
      (await environment.openFile?.(location)) ?? openResponse(await fetchResponse(location, signal), what)
    );
  }
  if (isBuffer(source)) return wholeBytes(new Uint8Array(source));
  if (ArrayBuffer.isView(source)) {
    return wholeBytes(new Uint8Array(source.buffer, source.byteOffset, source.byteLength));
  }
  if (has(source, 'getReader')) return streamedBytes(source as ReadableStreamLike, {});
  if (has(source, 'stream', 'size')) {
    const blob = source as BlobLike;
    return streamedBytes(blob.stream() as ReadableStreamLike, { total: blob.size });
  }
  if (has(source, 'status', 'headers')) return openResponse(source as ResponseLike, what);
  if (has(source, 'url', 'method')) {
    return openResponse(await fetchResponse(source as RequestLike, signal), what);
  }
  throw notSource(source, what);
}

/**
 * Opens a source. While it is read, an abort of `signal` ends it with the signal's reason.
 * @param what name of the source in messages, such as 'the model'
 */
export async function openSource(
  source: Source,
  signal: AbortSignalLike | undefined,
  what: string,
): Promise<ByteSource> {
  throwIfAborted(signal);
  const opened = await open(source, signal, what);
  const stopListening = onAbort(signal, () => void opened.close().catch(() => {}));
  return {
    ...opened,
    async read(room) {
      let chunk: Uint8Array | undefined;
      try {
        chunk = await opened.read(room);
      } finally {
        throwIfAborted(signal);
      }
      if (!chunk) stopListening();
      return chunk;
    },
    close() {
      stopListening();
      return opened.close();
    },
  };
}

/** All bytes of a source. */
export async function readAll(source: ByteSource): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let chunk = await source.read(); chunk; chunk = await source.read()) {
    chunks.push(chunk);
    size += chunk.length;
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
