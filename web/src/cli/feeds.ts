// Inputs for a model that is only to be timed.
import { Tensor, type TensorSource, type TensorType, type Value, type ValueInfo } from '../index.js';
import { describe, dimsByName } from './dims.js';
import { UsageError } from './usage-error.js';

/** Uniform numbers in [0, 1) by mulberry32: the same at every call. */
function randomNumbers(): () => number {
  let state = 1;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Noise in [-1, 1) for numbers with a fraction; zeros for all others, which are indices more often than not. */
function elements(type: TensorType, size: number): TensorSource[TensorType] {
  const next = randomNumbers();
  const noise = () => 2 * next() - 1;
  switch (type) {
    case 'float32':
      return Float32Array.from({ length: size }, noise);
    case 'float64':
      return Float64Array.from({ length: size }, noise);
    case 'complex64':
      return Float32Array.from({ length: 2 * size }, noise);
    case 'complex128':
      return Float64Array.from({ length: 2 * size }, noise);
    case 'float16': // ±[0.25, 0.5)
      return Uint16Array.from({ length: size }, () => 0x3400 | (1024 * next()) | (next() < 0.5 ? 0x8000 : 0));
    case 'bfloat16':
      return Uint16Array.from({ length: size }, () => 0x3e80 | (128 * next()) | (next() < 0.5 ? 0x8000 : 0));
    case 'string':
      return Array.from({ length: size }, () => '');
    case 'int64':
      return new BigInt64Array(size);
    case 'uint64':
      return new BigUint64Array(size);
    case 'int32':
      return new Int32Array(size);
    case 'uint32':
      return new Uint32Array(size);
    case 'int16':
      return new Int16Array(size);
    case 'uint16':
      return new Uint16Array(size);
    case 'int8':
      return new Int8Array(size);
    case 'int4':
    case 'uint4':
    case 'float4e2m1':
      return new Uint8Array(Math.ceil(size / 2));
    case 'int2':
    case 'uint2':
      return new Uint8Array(Math.ceil(size / 4));
    default:
      return new Uint8Array(size);
  }
}

function valueOf(input: ValueInfo, shape: number[] | undefined, named: ReadonlyMap<string, number>): Value {
  const { name, type, dims } = input;
  if (/^(optional|sequence|map)/.test(type) || type === 'undefined') {
    if (shape) throw new UsageError(`--shape ${name}: it is no tensor but ${type}`);
    if (type.startsWith('optional')) return null;
    if (type.startsWith('sequence')) return [];
    if (type.startsWith('map')) return new Map();
    throw new UsageError(`the model does not tell the type of its input '${name}'`);
  }
  if (!dims && !shape) throw new UsageError(`input ${describe(input)} may have any rank: tell it with --shape ${name}=...`);
  const concrete = shape ?? dims!.map((dim) => (typeof dim === 'number' ? dim : (named.get(dim ?? '') ?? 1)));
  const size = concrete.reduce((product, dim) => product * dim, 1);
  try {
    return new Tensor(type as TensorType, elements(type as TensorType, size), concrete);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new UsageError(`input '${name}' of shape ${concrete.join('x')} does not fit into memory`, { cause });
  }
}

export interface Feeds {
  readonly values: Record<string, Value>;
  /** What to tell when they do not suit the model; undefined unless dims were made up. */
  readonly madeUp: string | undefined;
}

/** Feeds of the given shapes; a dim that is not given is 1. Throws UsageError for names that the model lacks. */
export function makeFeeds(
  inputs: readonly ValueInfo[],
  shapes: ReadonlyMap<string, number[]>,
  named: ReadonlyMap<string, number>,
): Feeds {
  const list = `its inputs are ${inputs.map(describe).join('; ') || 'none'}`;
  const unknown = [...shapes.keys()].find((name) => !inputs.some((input) => input.name === name));
  if (unknown !== undefined) throw new UsageError(`the model has no input '${unknown}'; ${list}`);
  const names = new Set(inputs.flatMap(({ dims }) => dims ?? []).filter((dim) => typeof dim === 'string'));
  const noDim = [...named.keys()].find((name) => !names.has(name));
  if (noDim !== undefined) throw new UsageError(`the model's inputs have no dim '${noDim}'; ${list}`);
  const told = dimsByName(inputs, shapes, named);
  const values = Object.fromEntries(inputs.map((input) => [input.name, valueOf(input, shapes.get(input.name), told)]));
  const isTold = (dim: number | string | null) => typeof dim === 'number' || told.has(dim ?? '');
  if (inputs.every(({ name, dims }) => shapes.has(name) || (dims ?? []).every(isTold))) return { values, madeUp: undefined };
  const fed = inputs.map((input) => {
    const value = values[input.name];
    return describe(value instanceof Tensor ? { ...input, dims: value.dims } : input);
  });
  return { values, madeUp: `the inputs were ${fed.join('; ')}; dims that were not given are 1: set them with --shape or --dim` };
}
