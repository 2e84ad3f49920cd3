// What tests of loading share.
import assert from 'node:assert/strict';
import { LoadError } from 'kinglet';

/** A stream of `data` in pieces of `size` bytes. */
export function streamOf(data, size) {
  let offset = 0;
  return new ReadableStream({
    pull(controller) {
      if (offset >= data.length) return controller.close();
      controller.enqueue(data.slice(offset, (offset += size)));
    },
  });
}

/** Checks a LoadError, for assert.rejects(). */
export const loadError = (url, status, message) => (error) => {
  assert.ok(error instanceof LoadError, error.stack);
  assert.deepEqual([error.url, error.status], [url, status]);
  assert.match(error.message, message);
  return true;
};
