// What kinglet/ocr takes from kinglet besides its public API.
import { readAll as readOpened, openSource, type Source } from './sources.js';
import type { AbortSignalLike } from './platform.js';

export { pause, throwIfAborted } from './abort.js';
export { wasmOptions } from './load.js';
export { checkOptions } from './options.js';
export { Queue } from './queue.js';
export { shown } from './shown.js';
export { checkSource } from './sources.js';

/** The text of a source. */
export async function readText(
  source: Source,
  signal: AbortSignalLike | undefined,
  what: string,
): Promise<string> {
  const opened = await openSource(source, signal, what);
  try {
    return new TextDecoder().decode(await readOpened(opened));
  } finally {
    await opened.close();
  }
}
