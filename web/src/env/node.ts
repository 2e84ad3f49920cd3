import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../environment.js';
import { LoadError } from '../errors/load-error.js';
import type { UrlLike } from '../platform.js';
import type { ByteSource } from '../sources.js';

const chunkBytes = 1 << 20;

/** The path that a string or URL names, when it is no address to fetch. A scheme of one letter is a drive. */
function pathOf(location: string | UrlLike): string | undefined {
  const text = typeof location === 'string' ? location : location.href;
  if (/^file:/i.test(text)) return fileURLToPath(text);
  return /^[a-z][a-z0-9+.-]+:/i.test(text) ? undefined : text;
}

async function openFile(path: string): Promise<ByteSource> {
  const fail = (cause: Error): never => {
    throw new LoadError(`${path} could not be read: ${cause.message}`, { url: path, cause });
  };
  const file = await open(path).catch(fail);
  const { size } = await file.stat();
  return {
    url: path,
    total: size,
    async read(room) {
      const chunk = room?.subarray(0, chunkBytes) ?? new Uint8Array(chunkBytes);
      const { bytesRead } = await file.read(chunk).catch(fail);
      return bytesRead > 0 ? chunk.subarray(0, bytesRead) : undefined;
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
