import { InvalidArgumentError } from './errors/invalid-argument-error.js';

/** The class of `data` for every element type. */
export interface TensorData {
  float32: Float32Array;
  float64: Float64Array;
  int8: Int8Array;
  uint8: Uint8Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int32: Int32Array;
  uint32: Uint32Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
  /** 0 or 1; any other value is taken for 1. */
  bool: Uint8Array;
  /** IEEE half precision, as bits. */
  float16: Uint16Array;
  /** The upper half of a float32, as bits. */
  bfloat16: Uint16Array;
  string: string[];
  /** Two values an element: real, imaginary. */
  complex64: Float32Array;
  /** Two values an element: real, imaginary. */
  complex128: Float64Array;
  /** One byte an element, as bits. */
  float8e4m3fn: Uint8Array;
  float8e4m3fnuz: Uint8Array;
  float8e5m2: Uint8Array;
  float8e5m2fnuz: Uint8Array;
  float8e8m0: Uint8Array;
  /** Two elements a byte, the first in the low bits; an odd last one has a byte of its own. */
  int4: Uint8Array;
  uint4: Uint8Array;
  float4e2m1: Uint8Array;
  /** Four elements a byte, the first in the lowest bits. */
  int2: Uint8Array;
  uint2: Uint8Array;
}

/** Name of an element type, as in ONNX. */
export type TensorType = keyof TensorData;

/** What the constructor takes beyond the class of `data`: other views of the same elements. */
export interface TensorSource extends Omit<TensorData, 'uint8' | 'float16'> {
  uint8: Uint8Array | Uint8ClampedArray;
  float16: Uint16Array | Float16View;
}

/** A `Float16Array`, where the host has it. */
export interface Float16View {
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly length: number;
  readonly [Symbol.toStringTag]: 'Float16Array';
}

type NumberArray = Exclude<TensorData[TensorType], string[]>;
interface NumberArrayClass {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): NumberArray;
}

const withArticle = (word: string) => `${/^int/i.test(word) ? 'an' : 'a'} ${word}`;

/** What is wrong with a type that is none. Other engines take the elements first: they do not belong into a message. */
function unknownType(type: unknown): string {
  return typeof type === 'string'
    ? `unknown tensor type '${type.slice(0, 40)}': they are named as in ONNX, float32, uint8, int64, bool, string and so on`
    : `the first argument of a Tensor is its type, such as 'float32'; got ${className(type)}`;
}

/** The typed array of each type and how many of its values make an element: less than 1 where they are packed. */
function layout(type: TensorType): { array: NumberArrayClass; values: number } | undefined {
  switch (type) {
    case 'float32':
      return { array: Float32Array, values: 1 };
    case 'float64':
      return { array: Float64Array, values: 1 };
    case 'int8':
      return { array: Int8Array, values: 1 };
    case 'int4':
    case 'uint4':
    case 'float4e2m1':
      return { array: Uint8Array, values: 1 / 2 };
    case 'int2':
    case 'uint2':
      return { array: Uint8Array, values: 1 / 4 };
    case 'uint8':
    case 'bool':
    case 'float8e4m3fn':
    case 'float8e4m3fnuz':
    case 'float8e5m2':
    case 'float8e5m2fnuz':
    case 'float8e8m0':
      return { array: Uint8Array, values: 1 };
    case 'int16':
      return { array: Int16Array, values: 1 };
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return { array: Uint16Array, values: 1 };
    case 'int32':
      return { array: Int32Array, values: 1 };
    case 'uint32':
      return { array: Uint32Array, values: 1 };
    case 'int64':
      return { array: BigInt64Array, values: 1 };
    case 'uint64':
      return { array: BigUint64Array, values: 1 };
    case 'complex64':
      return { array: Float32Array, values: 2 };
    case 'complex128':
      return { array: Float64Array, values: 2 };
    case 'string':
      return undefined;
    default:
      throw new InvalidArgumentError(unknownType(type));
  }
}

// Typed arrays of another realm (an iframe, a test runner's context) are not `instanceof` this one's classes.
function className(data: unknown): string {
  if (Array.isArray(data)) return 'Array';
  if (typeof data !== 'object' || data === null) return data === null ? 'null' : typeof data;
  return ArrayBuffer.isView(data) ? String((data as unknown as Float16View)[Symbol.toStringTag]) : 'object';
}

function checkStrings(data: unknown): asserts data is string[] {
  if (!Array.isArray(data)) {
    throw new InvalidArgumentError(`a string tensor needs an Array of strings, got ${className(data)}`);
  }
  const wrong = data.findIndex((element) => typeof element !== 'string');
  if (wrong >= 0) {
    throw new InvalidArgumentError(
      `element ${wrong} of a string tensor is no string but ${typeof data[wrong]}`,
    );
  }
}

function checkNumbers(type: TensorType, array: NumberArrayClass, data: unknown): NumberArray {
  const actual = className(data);
  if (actual === array.name) return data as NumberArray;
  if (
    (type === 'uint8' && actual === 'Uint8ClampedArray') ||
    (type === 'float16' && actual === 'Float16Array')
  ) {
    const view = data as Float16View;
    return new array(view.buffer, view.byteOffset, view.length);
  }
  throw new InvalidArgumentError(`${withArticle(type)} tensor needs ${withArticle(array.name)}, got ${actual}`);
}

function checkDims(dims: unknown): readonly number[] {
  if (!Array.isArray(dims)) throw new InvalidArgumentError('dims must be an Array of whole numbers');
  for (const dim of dims) {
    if (!Number.isSafeInteger(dim) || dim < 0) {
      throw new InvalidArgumentError(`dims must be whole numbers >= 0, got [${dims.map(String).join(',')}]`);
    }
  }
  return Object.freeze(dims.slice()) as readonly number[];
}

/**
 * A dense array of elements in row-major order.
 *
 * ```ts
 * new Tensor('float32', pixels, [1, 3, 224, 224]);
 * new Tensor('int64', BigInt64Array.of(3n), []);   // a scalar
 * new Tensor('string', ['a', 'b']);                // dims are [2]
 * ```
 */
export class Tensor<T extends TensorType = TensorType> {
  /** @internal */
  static readonly name = 'Tensor'; // minifiers rename classes
  readonly type: T;
  /** The elements; not a copy of what the constructor was given. */
  readonly data: TensorData[T];
  readonly dims: readonly number[];
  /** Number of elements: the product of `dims`, 1 for a scalar. */
  readonly size: number;

  /**
   * @param data elements of the class that belongs to `type` (see `TensorData`), used in place
   * @param dims whole numbers >= 0 whose product is the number of elements; `[]` is a scalar. Default: one
   * dimension
   * @throws InvalidArgumentError for an unknown type, data of another class, or dims that do not fit
   */
  constructor(type: T, data: TensorSource[T], dims?: readonly number[]) {
    const numbers = layout(type);
    let elements: string[] | NumberArray;
    if (numbers) {
      elements = checkNumbers(type, numbers.array, data);
    } else {
      checkStrings(data);
      elements = data;
    }
    const count = elements.length / (numbers?.values ?? 1);
    this.type = type;
    this.data = elements as TensorData[T];
    this.dims = checkDims(dims ?? [count]);
    this.size = this.dims.reduce((product, dim) => product * dim, 1);
    // A packed byte may hold spare bits behind the last element.
    const fits = Math.ceil(this.size * (numbers?.values ?? 1)) === elements.length && Number.isInteger(this.size);
    if (!fits) {
      throw new InvalidArgumentError(
        `dims [${this.dims.join(',')}] have ${this.size} elements, the data has ${count}`,
      );
    }
  }
}

/** @internal A tensor over `buffer`, which holds exactly its elements. */
export function tensorOver(type: Exclude<TensorType, 'string'>, buffer: ArrayBuffer, dims: number[]): Tensor {
  const { array } = layout(type)!;
  return new Tensor(type, new array(buffer) as never, dims);
}
