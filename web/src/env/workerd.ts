import relaxed from './relaxed.wasm';
import simd from './simd.wasm';
import type { Environment } from '../environment.js';

/** Cloudflare Workers and the like: modules are compiled before the worker starts, and bytes never. */
export const environment: Environment = {
  binary: (variant) => (variant === 'relaxed' ? relaxed : simd),
  compiles: false,
};
