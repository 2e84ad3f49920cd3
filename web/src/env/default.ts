import type { Environment } from '../environment.js';

/** Browsers and workers. Bundlers find the binaries by these two `new URL` expressions. */
export const environment: Environment = {
  binary: (variant) =>
    variant === 'relaxed'
      ? new URL('./relaxed.wasm', import.meta.url)
      : new URL('./simd.wasm', import.meta.url),
  compiles: true,
};
