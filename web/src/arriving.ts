import { pause } from './abort.js';
import type { ByteSource } from './sources.js';

/** `source`, of which `onBytes` is told the size of each piece as it comes. */
function counted(source: ByteSource, onBytes: (count: number) => void): ByteSource {
  return {
    ...source,
    async read(room) {
      const chunk = await source.read(room);
      if (chunk) onBytes(chunk.length);
      return chunk;
    },
  };
}

/** Bytes that may wait beside the heap, where they would be twice. */
const mostAhead = 32 * 2 ** 20;
/** Pieces after which others have their turn: a stream that always has some would let nothing else happen. */
const piecesPerTurn = 16;

/**
 * `source`, which is read until `ready` settles though nobody asks: a browser stops a download whose bytes nobody takes.
 * `onFailure` is told at once what read() throws later.
 */
function readAhead(source: ByteSource, ready: Promise<unknown>, onFailure: (error: unknown) => void): ByteSource {
  const early: Uint8Array[] = [];
  let waits = true;
  const stop = () => {
    waits = false;
  };
  ready.then(stop, stop);
  const reading = (async () => {
    let size = 0;
    for (let pieces = 1; waits && size < mostAhead; ++pieces) {
      const chunk = await source.read();
      if (!chunk) return;
      early.push(chunk);
      size += chunk.length;
      if (pieces % piecesPerTurn === 0) await pause();
    }
  })();
  reading.catch(onFailure);
  return {
    ...source,
    async read(room) {
      if (early.length === 0) await reading;
      return early.shift() ?? source.read(room);
    },
  };
}

/**
 * The model's files on their way: as they come, `onBytes` is told how many bytes are here and how many there will be
 * (undefined when a server does not tell), at once and before the `ready` that they are read into; and `onFailure` what ends
 * them before it.
 */
export function arriving(
  files: readonly ByteSource[],
  ready: Promise<unknown>,
  onBytes: (loaded: number, total: number | undefined) => void,
  onFailure: (error: unknown) => void,
): ByteSource[] {
  let total: number | undefined = 0;
  for (const file of files) {
    total = total === undefined || file.total === undefined ? undefined : total + file.total;
  }
  let loaded = 0;
  const report = (count: number) => {
    loaded += count;
    onBytes(loaded, total === undefined ? undefined : Math.max(total, loaded));
  };
  report(0);
  const sources = files.map((file) => counted(file, report));
  // They are read one after another: only the first would come before the heap is there.
  const [first, ...others] = sources;
  return first?.streams ? [readAhead(first, ready, onFailure), ...others] : sources;
}
