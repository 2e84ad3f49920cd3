// What the host's WebAssembly can do. Small modules, written by hand; the comments are their text form.

const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** A module whose only export, `f`, has no parameters, gives an i32 and has this body. */
function moduleOf(body: number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array([
    ...header,
    1, 5, 1, 0x60, 0, 1, 0x7f, // (type (func (result i32)))
    3, 2, 1, 0,
    7, 5, 1, 1, 0x66, 0, 0, // (export "f" (func 0))
    10, body.length + 4, 1, body.length + 2, 0, ...body, 0x0b,
  ]);
}

const simdBody = [
  0x41, 0, 0xfd, 0x11, // i32x4.splat (i32.const 0)
  0xfd, 0x1b, 0, // i32x4.extract_lane 0
];

const relaxedBody = [
  0x41, 3, 0xfd, 0x0f, // i8x16.splat 3
  0x41, 5, 0xfd, 0x0f, // i8x16.splat 5
  0x41, 0xe8, 0x07, 0xfd, 0x11, // i32x4.splat 1000
  0xfd, 0x93, 0x02, // i32x4.relaxed_dot_i8x16_i7x16_add_s: 4 * 3 * 5 + 1000
  0xfd, 0x1b, 0, // i32x4.extract_lane 0
  0x43, 0, 0, 0, 0x40, 0xfd, 0x13, // f32x4.splat 2
  0x43, 0, 0, 0x40, 0x40, 0xfd, 0x13, // f32x4.splat 3
  0x43, 0, 0, 0x80, 0x40, 0xfd, 0x13, // f32x4.splat 4
  0xfd, 0x85, 0x02, // f32x4.relaxed_madd: 2 * 3 + 4
  0xfd, 0x1f, 0, // f32x4.extract_lane 0
  0xfc, 0, // i32.trunc_sat_f32_s
  0x6a, // i32.add
];
const relaxedResult = 4 * 3 * 5 + 1000 + 2 * 3 + 4;

export function hasSimd(): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(moduleOf(simdBody));
}

/**
 * Whether relaxed SIMD is there and right. It is tried, not only validated: the V8 of Node 20 loses the
 * accumulator of the dot product.
 * @param runs false where the host compiles no bytes (workerd): validation has to do
 */
export function hasRelaxedSimd(runs: boolean): boolean {
  if (typeof WebAssembly !== 'object') return false;
  const bytes = moduleOf(relaxedBody);
  if (!WebAssembly.validate(bytes)) return false;
  if (!runs) return true;
  try {
    const { f } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
    return (f as () => number)() === relaxedResult;
  } catch {
    return false; // a Content-Security-Policy that forbids WebAssembly; loading says so
  }
}
