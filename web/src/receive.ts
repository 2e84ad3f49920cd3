import { LoadError } from './errors/load-error.js';
import type { Instance } from './instance.js';
import type { ByteSource } from './sources.js';

/** Tells pages and pointers that servers and repositories give in the place of a model. */
function checkModelStart(start: Uint8Array, url: string | undefined): void {
  const text = new TextDecoder().decode(start.slice(0, 64));
  const what = url || 'the source';
  if (/^\s*</.test(text)) {
    throw new LoadError(`${what} is an HTML page, not a model: is the address right?`, { url });
  }
  if (text.startsWith('version https://git-lfs')) {
    throw new LoadError(`${what} is a Git LFS pointer, not the model itself`, { url });
  }
}

/**
 * Streams a file into the wasm heap, each piece as it comes.
 * @param location '' for the model, or what its tensors call this file
 */
export async function receive(instance: Instance, location: string, source: ByteSource): Promise<void> {
  const reserved = source.total ?? 0;
  let address = reserved > 0 ? instance.call('reserveFile', location, reserved) : 0;
  let written = 0;
  // What comes beyond the announced size (all, when none was) is kept aside until the size is known, so that
  // the heap is asked for one block that fits.
  const rest: Uint8Array[] = [];
  let size = 0;
  // Nothing else calls the instance meanwhile: its memory stays where it is.
  const next = () => source.read(size < reserved ? instance.view(address + size, reserved - size) : undefined);
  for (let chunk = await next(); chunk; chunk = await next()) {
    if (size === 0 && location === '') checkModelStart(chunk, source.url);
    size += chunk.length;
    if (size <= reserved) {
      const place = instance.view(address + written, chunk.length);
      if (chunk.buffer !== place.buffer) place.set(chunk);
      written = size;
    } else {
      rest.push(chunk);
    }
  }
  if (rest.length > 0 || reserved === 0) {
    address = instance.call('reserveFile', location, size);
    for (let chunk = rest.shift(); chunk; chunk = rest.shift()) {
      instance.view(address + written, chunk.length).set(chunk);
      written += chunk.length;
    }
  }
  instance.call('finishFile', location, size);
}
