/**
 * The instruction sets that Kinglet is built for: WebAssembly's 128-bit SIMD, and the same with relaxed SIMD.
 */
export type Variant = 'simd' | 'relaxed';
