import type { Core } from './core.js';

export interface GlueOptions {
  /**
   * Called once; `done` takes the instance. Emscripten waits for it forever, so failures are the caller's to
   * tell.
   */
  instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void): object;
}

/** The factory that Emscripten generates (-sMODULARIZE -sEXPORT_ES6). */
declare const createCore: (options: GlueOptions) => Promise<Core>;
export default createCore;
