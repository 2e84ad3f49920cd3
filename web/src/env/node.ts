import { type FileHandle, open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { hasScheme } from '../address.js';
import type { Environment } from '../environment.js';
import { LoadError } from '../errors/load-error.js';
import type { UrlLike } from '../platform.js';
import type { ByteSource } from '../sources.js';

const chunkBytes = 2 << 20;

/** The path that a string or URL names, when it is no address to fetch. */
function pathOf(location: string | UrlLike): string | undefined {
  const text = typeof location === 'string' ? location : location.href;
  if (/^file:/i.test(text)) return fileURLToPath(text);
  return hasScheme(text) ? undefined : text;
}

/** Reads at the same time: memory that is new to the process is given page by page, which threads share. */
const readsAtOnce = 4;

/** The next bytes of `file`, from `position`, in `room`: how many there are, 0 at the end. */
async function readParts(file: FileHandle, room: Uint8Array, position: number): Promise<number> {
  const parts: Promise<{ bytesRead: number }>[] = [];
  for (let at = 0; at < room.length; at += chunkBytes) {
    const part = room.subarray(at, at + chunkBytes);
    parts.push(file.read(part, 0, part.length, position + at)); // Deno has no options here
  }
  let size = 0;
  for (const { bytesRead } of await Promise.all(parts)) {
    size += bytesRead;
    if (bytesRead < chunkBytes) break; // what came of the later parts is read again
  }
  return size;
}

async function openFile(path: string): Promise<ByteSource> {
  const fail = (cause: Error): never => {
    throw new LoadError(`${path || 'a path of no characters'} could not be read: ${cause.message}`, { url: path, cause });
  };
  const file = await open(path).catch(fail);
  const { size } = await file.stat();
  let position = 0;
  return {
    url: path,
    total: size,
    async read(room) {
      const piece = room?.subarray(0, readsAtOnce * chunkBytes) ?? new Uint8Array(chunkBytes);
      // Without a size it may be a pipe, which has no positions.
      const read = size > 0 ? readParts(file, piece, position) : file.read(piece).then(({ bytesRead }) => bytesRead);
      const count = await read.catch(fail);
      position += count;
      return count > 0 ? piece.subarray(0, count) : undefined;
    },
    close: () => file.close(),
  };
}

/**
 * Node's loop ends when nothing but WebAssembly's promises is pending. Node then waits for V8's compiler threads before
 * it looks again, and one of these may wait for this thread to collect garbage: for ever (nodejs/node#54918).
 */
async function stayAwake<T>(work: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, 60_000);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}

declare const withThreads: boolean; // the build's: a package of some operators alone has no threads

/** Node, and what offers its modules: Deno, Bun. */
export const environment: Environment = {
  binary: (variant) =>
    variant === 'relaxed'
      ? new URL('./relaxed.wasm', import.meta.url)
      : new URL('./simd.wasm', import.meta.url),
  compiles: true,
  loadThreads: withThreads ? () => import('../threads/node.js') : undefined,
  stayAwake,
  openFile(location) {
    const path = pathOf(location);
    return path === undefined ? undefined : openFile(path);
  },
};
