// Element types of ONNX: their names here, how JavaScript holds them, and their numbers.

const sign = (bits, bit) => (bits & bit ? -1 : 1);

/** A number of a small float format from its bits: exponent and fraction widths, exponent bias. */
function smallFloat(bits, exponentBits, fractionBits, bias) {
  const fraction = bits & ((1 << fractionBits) - 1);
  const exponent = (bits >> fractionBits) & ((1 << exponentBits) - 1);
  const magnitude = exponent === 0
    ? fraction * 2 ** (1 - bias - fractionBits)
    : (1 + fraction / 2 ** fractionBits) * 2 ** (exponent - bias);
  return sign(bits, 1 << (exponentBits + fractionBits)) * magnitude;
}

function float16(bits) {
  if ((bits & 0x7c00) === 0x7c00) return bits & 0x3ff ? NaN : sign(bits, 0x8000) * Infinity;
  return smallFloat(bits, 5, 10, 15);
}

function bfloat16(bits) {
  if ((bits & 0x7f80) === 0x7f80) return bits & 0x7f ? NaN : sign(bits, 0x8000) * Infinity;
  return smallFloat(bits, 8, 7, 127);
}

function float8e5m2(bits) {
  if ((bits & 0x7c) === 0x7c) return bits & 3 ? NaN : sign(bits, 0x80) * Infinity;
  return smallFloat(bits, 5, 2, 15);
}

const float8e4m3fn = (bits) => ((bits & 0x7f) === 0x7f ? NaN : smallFloat(bits, 4, 3, 7));
const float8e4m3fnuz = (bits) => (bits === 0x80 ? NaN : smallFloat(bits, 4, 3, 8));
const float8e5m2fnuz = (bits) => (bits === 0x80 ? NaN : smallFloat(bits, 5, 2, 16));
const float8e8m0 = (bits) => (bits === 0xff ? NaN : 2 ** (bits - 127));
const float4e2m1 = (bits) => smallFloat(bits, 2, 1, 1);
const signed = (width) => (bits) => (bits << (32 - width)) >> (32 - width);
const same = (bits) => bits;

/**
 * By TensorProto.DataType: name; array: the typed array that holds it; field: TensorProto's field of unpacked values;
 * number: from stored bits to a number, where the array does not hold numbers; perByte: elements in a byte, if packed.
 */
export const elementTypes = {
  1: { name: 'float32', array: Float32Array, field: 'float_data' },
  2: { name: 'uint8', array: Uint8Array, field: 'int32_data' },
  3: { name: 'int8', array: Int8Array, field: 'int32_data' },
  4: { name: 'uint16', array: Uint16Array, field: 'int32_data' },
  5: { name: 'int16', array: Int16Array, field: 'int32_data' },
  6: { name: 'int32', array: Int32Array, field: 'int32_data' },
  7: { name: 'int64', array: BigInt64Array, field: 'int64_data' },
  8: { name: 'string', field: 'string_data' },
  9: { name: 'bool', array: Uint8Array, field: 'int32_data' },
  10: { name: 'float16', array: Uint16Array, field: 'int32_data', number: float16 },
  11: { name: 'float64', array: Float64Array, field: 'double_data' },
  12: { name: 'uint32', array: Uint32Array, field: 'uint64_data' },
  13: { name: 'uint64', array: BigUint64Array, field: 'uint64_data' },
  14: { name: 'complex64', array: Float32Array, field: 'float_data', parts: 2 },
  15: { name: 'complex128', array: Float64Array, field: 'double_data', parts: 2 },
  16: { name: 'bfloat16', array: Uint16Array, field: 'int32_data', number: bfloat16 },
  17: { name: 'float8e4m3fn', array: Uint8Array, field: 'int32_data', number: float8e4m3fn },
  18: { name: 'float8e4m3fnuz', array: Uint8Array, field: 'int32_data', number: float8e4m3fnuz },
  19: { name: 'float8e5m2', array: Uint8Array, field: 'int32_data', number: float8e5m2 },
  20: { name: 'float8e5m2fnuz', array: Uint8Array, field: 'int32_data', number: float8e5m2fnuz },
  21: { name: 'uint4', array: Uint8Array, field: 'int32_data', number: same, perByte: 2 },
  22: { name: 'int4', array: Uint8Array, field: 'int32_data', number: signed(4), perByte: 2 },
  23: { name: 'float4e2m1', array: Uint8Array, field: 'int32_data', number: float4e2m1, perByte: 2 },
  24: { name: 'float8e8m0', array: Uint8Array, field: 'int32_data', number: float8e8m0 },
  25: { name: 'uint2', array: Uint8Array, field: 'int32_data', number: same, perByte: 4 },
  26: { name: 'int2', array: Uint8Array, field: 'int32_data', number: signed(2), perByte: 4 },
};

export const typesByName = new Map(Object.values(elementTypes).map((type) => [type.name, type]));

/** The stored bits of a packed tensor, one array element each (low bits of a byte first). */
export function unpack(bytes, perByte, count) {
  const width = 8 / perByte;
  const mask = (1 << width) - 1;
  return Array.from({ length: count }, (_, i) => (bytes[Math.floor(i / perByte)] >> ((i % perByte) * width)) & mask);
}
