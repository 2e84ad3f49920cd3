import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../environment.js';
import { LoadError } from '../errors/load-error.js';
import type { UrlLike } from '../platform.js';
import type { ByteSource } from '../sources.js';

const chunkBytes = 1 << 20;

/** The path that a string or URL names, when it is no address to fetch. One letter before the colon is a drive. */
function pathOf(location: string | UrlLike): string | undefined {
  const text = typeof location === 'string' ? location : location.href;
  if (/^file:/i.test(text)) return fileURLToPath(text);
  return /^[a-z][a-z0-9+.-]+:/i.test(text) ? undefined : text;
}

async function openFile(path: string): Promise<ByteSource> {
  try {
    const file = await open(path);
    const { size } = await file.stat();
    return {
      url: path,
      total: size,
      read: async () => {
        const chunk = new Uint8Array(chunkBytes);
        const { bytesRead } = await file.read(chunk);
        if (bytesRead > 0) return chunk.subarray(0, bytesRead);
        return undefined;
      },
      close: () => file.close(),
    };
  } catch (cause) {
    throw new LoadError(`${path} could not be read: ${(cause as Error).message}`, { url: path, cause });
  }
}

/** Node, and what offers its modules: Deno, Bun. */
export const environment: Environment = {
  binary: (variant) =>
    variant === 'relaxed' ? new URL('./relaxed.wasm', import.meta.url) : new URL('./simd.wasm', import.meta.url),
  compiles: true,
  openFile(location) {
    const path = pathOf(location);
    return path === undefined ? undefined : openFile(path);
  },
};
