import type { Environment } from '../environment.js';

declare const withThreads: boolean; // the build's: a package of some operators alone has no threads

/** Browsers and workers. Bundlers find the binaries by these two `new URL` expressions. */
export const environment: Environment = {
  binary: (variant) =>
    variant === 'relaxed'
      ? new URL('./relaxed.wasm', import.meta.url)
      : new URL('./simd.wasm', import.meta.url),
  compiles: true,
  loadThreads: withThreads ? () => import('../threads/browser.js') : undefined,
};
