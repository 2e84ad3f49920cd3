import type { ThreadCore } from './core.js';
import type { GlueOptions as Options } from './glue.js';

export interface GlueOptions extends Options {
  /** The shared memory of the instance. */
  wasmMemory: WebAssembly.Memory;
}

/** As glue.d.ts, for the binaries over shared memory. */
declare const createCore: (options: GlueOptions) => Promise<ThreadCore>;
export default createCore;
