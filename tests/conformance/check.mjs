// Compares a value with the expected one as ONNX's own test runner does: |actual - expected| <= atol + rtol * |expected|.
import { typesByName, unpack } from './element-types.mjs';

export const rtol = 1e-3;
export const atol = 1e-5;
// Two units in the last place of bfloat16, as in ONNX's runner.
const rtolOfBfloat16 = 2 ** -6;

function numbers({ type, dims, data }) {
  const { number, perByte } = typesByName.get(type);
  const bits = perByte ? unpack(data, perByte, dims.reduce((all, dim) => all * dim, 1)) : data;
  // A host with Float16Array may hand out numbers instead of bits.
  const isBits = number && !(typeof Float16Array !== 'undefined' && data instanceof Float16Array);
  return isBits ? Array.from(bits, number) : bits;
}

function sameNumber(actual, expected, relative) {
  if (typeof expected !== 'number' || Number.isNaN(expected)) return Object.is(actual, expected);
  if (actual === expected) return true;
  return Math.abs(actual - expected) <= atol + relative * Math.abs(expected) && Number.isFinite(expected);
}

function tensorFault(actual, expected) {
  if (!actual || actual.data === undefined) return `expected a ${expected.type} tensor, got ${actual === null ? 'nothing' : typeof actual}`;
  if (actual.type !== expected.type) return `type ${actual.type}, expected ${expected.type}`;
  if (String(actual.dims) !== String(expected.dims)) return `dims [${actual.dims}], expected [${expected.dims}]`;
  if (actual.data.length !== expected.data.length) return `${actual.data.length} elements, expected ${expected.data.length}`;
  if (expected.type === 'string') {
    const at = expected.data.findIndex((text, i) => text !== actual.data[i]);
    return at < 0 ? null : `element ${at} is "${actual.data[at]}", expected "${expected.data[at]}"`;
  }
  const got = numbers(actual);
  const wanted = numbers(expected);
  const exact = !/float|complex/.test(expected.type);
  const relative = expected.type === 'bfloat16' ? rtolOfBfloat16 : rtol;
  for (let i = 0; i < wanted.length; ++i) {
    const fine = exact ? got[i] === wanted[i] : sameNumber(got[i], wanted[i], relative);
    if (!fine) return `element ${i} is ${got[i]}, expected ${wanted[i]}`;
  }
  return null;
}

/** Says how a value differs from the expected one, or null if it does not. */
export function fault(actual, expected) {
  if (expected === null) return actual === null ? null : 'expected no value';
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return 'expected a sequence';
    if (actual.length !== expected.length) return `${actual.length} items in the sequence, expected ${expected.length}`;
    for (const [i, item] of expected.entries()) {
      const found = fault(actual[i], item);
      if (found) return `item ${i}: ${found}`;
    }
    return null;
  }
  if (expected instanceof Map) {
    if (!(actual instanceof Map)) return 'expected a map';
    for (const [key, item] of expected) {
      const found = fault(actual.get(key), item);
      if (found) return `key ${key}: ${found}`;
    }
    return actual.size === expected.size ? null : `${actual.size} keys, expected ${expected.size}`;
  }
  return tensorFault(actual, expected);
}
