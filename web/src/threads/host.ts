import type { ThreadCore } from '../core.js';
import type { GlueOptions } from '#thread-glue';
import type { Variant } from '../variant.js';

/** What a worker starts from; it goes there as a message. */
export interface ThreadTask {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  /** Place of the function to call in the module's table, and its argument. */
  entry: number;
  block: number;
}

/** The part of the package that a session of several threads fetches: see Environment. */
export interface ThreadHost {
  createCore(options: GlueOptions): Promise<ThreadCore>;
  /** Where the package's own binary over shared memory is. */
  binary(variant: Variant): URL;
  /** A memory for an instance. Throws a RangeError when there is none to be had. */
  createMemory(): WebAssembly.Memory;
  /** Starts a worker. Resolves, to what ends it, when it has its instance. */
  startWorker(task: ThreadTask): Promise<() => void>;
}

/** As CMake says (cmake/Wasm.cmake): pages of 64 KiB. */
const initialPages = 256;

/** Shared memory has its address space set aside at once, and not every host gives out all 4 GiB. */
export function createMemory(): WebAssembly.Memory {
  for (let maximum = 65536; ; maximum /= 2) {
    try {
      return new WebAssembly.Memory({ initial: initialPages, maximum, shared: true });
    } catch (error) {
      if (maximum / 2 < initialPages) throw error;
    }
  }
}
