// Values across the boundary to the core, tensor by tensor.
import type { CoreOutput, CoreTensor } from './core.js';
import { InvalidArgumentError } from './errors/invalid-argument-error.js';
import { ShapeError } from './errors/shape-error.js';
import type { Instance } from './instance.js';
import { shown } from './shown.js';
import { Tensor, tensorOver, type TensorType } from './tensor.js';
import type { MapKey, MapValue, Value } from './value.js';

/** The types of a map's keys and values in a type text such as `sequence(map(int64, float32))`. */
function mapTypes(type: string): { key: TensorType; value: TensorType } {
  const [, key, value] = /map\((\w+), (\w+)\)/.exec(type) ?? [];
  return { key: (key ?? 'string') as TensorType, value: (value ?? 'float32') as TensorType };
}

/** A vector of `type` that holds `elements`. */
function vectorOf(type: TensorType, elements: readonly MapValue[], name: string): Tensor {
  try {
    switch (type) {
      case 'string':
        return new Tensor(type, elements.map(String));
      case 'int64':
        return new Tensor(type, BigInt64Array.from(elements, BigInt));
      case 'float64':
        return new Tensor(type, Float64Array.from(elements, Number));
      case 'float32':
        return new Tensor(type, Float32Array.from(elements, Number));
      default:
        throw new InvalidArgumentError(`a map of ${type} cannot be fed`);
    }
  } catch (cause) {
    throw new InvalidArgumentError(`the map fed to '${name}' holds what is no ${type}`, { cause });
  }
}

/** Whether it has the parts of a Tensor, as one of another copy of the package does. */
function isLikeTensor(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && 'type' in value && 'data' in value && 'dims' in value;
}

/**
 * A Tensor of the parts of what is fed or to be written, which JavaScript may have replaced since it was made.
 * @param what its name in messages, such as "the feed 'x'"
 */
function tensorOf(parts: Tensor, what: string): Tensor {
  const { type, data, dims, size } = parts;
  if (ArrayBuffer.isView(data) && data.byteLength === 0 && size > 0) {
    throw new InvalidArgumentError(`the elements of ${what} are gone: was their buffer transferred?`);
  }
  try {
    return new Tensor(type, data, dims);
  } catch (cause) {
    throw new InvalidArgumentError(`${what}: ${(cause as Error).message}`, { cause });
  }
}

/** Writes an input of the next run; `type` is the input's declared type. */
export function feedValue(instance: Instance, name: string, value: unknown, type: string): void {
  if (isLikeTensor(value)) {
    instance.feed(name, tensorOf(value, `the feed '${name}'`));
  } else if (value === null) {
    instance.call('feedNone', name);
  } else if (Array.isArray(value)) {
    instance.call('openFeed', name, false);
    for (const item of value) feedValue(instance, name, item, type);
    instance.call('closeFeed');
  } else if (value instanceof Map) {
    const types = mapTypes(type);
    instance.call('openFeed', name, true);
    instance.feed(name, vectorOf(types.key, [...value.keys()] as MapKey[], name));
    instance.feed(name, vectorOf(types.value, [...value.values()] as MapValue[], name));
    instance.call('closeFeed');
  } else {
    throw new InvalidArgumentError(`the feed '${name}' must be a Tensor (a sequence: an array of them; a map: a Map; no value: null); got ${shown(value)}`);
  }
}

function readTensor(instance: Instance, { type, dims, strings, address, bytes }: CoreTensor): Tensor {
  if (strings) return new Tensor('string', strings, dims);
  return tensorOver(type as Exclude<TensorType, 'string'>, instance.copy(address!, bytes!), dims);
}

/** An output of the last run. */
export function readValue(instance: Instance, output: CoreOutput): Value {
  if (output === null) return null;
  if ('items' in output) return output.items.map((item) => readValue(instance, item));
  if ('map' in output) {
    const [keys, values] = output.map.map((part) => readValue(instance, part)) as [Tensor, Tensor];
    const elements = Array.from(values.data as ArrayLike<MapValue>);
    return new Map(Array.from(keys.data as ArrayLike<MapKey>, (key, i) => [key, elements[i]!]));
  }
  return readTensor(instance, output);
}

/** Throws when two outputs are to be written to the same memory: the later would destroy the earlier. */
export function checkPlaces(places: readonly [name: string, place: Tensor | null][]): void {
  const used: [name: string, data: Uint8Array][] = [];
  for (const [name, place] of places) {
    const data = place?.data as Uint8Array | undefined;
    if (!data?.byteLength) continue; // strings have no place of their own: checkPlace() tells
    for (const [other, { buffer, byteOffset, byteLength }] of used) {
      const apart = byteOffset >= data.byteOffset + data.byteLength || data.byteOffset >= byteOffset + byteLength;
      if (buffer !== data.buffer || apart) continue;
      throw new InvalidArgumentError(`the outputs '${other}' and '${name}' are to go to the same memory: each needs a tensor of its own`);
    }
    used.push([name, data]);
  }
}

/** Throws when `place` cannot receive `output`, called `name`, of the last run. */
export function checkPlace(name: string, output: CoreOutput, place: Tensor): void {
  if (output === null || !('type' in output) || output.strings) {
    throw new InvalidArgumentError(`the output '${name}' is no tensor of numbers: ask for a new one (null)`);
  }
  tensorOf(place, `the tensor for output '${name}'`);
  const described = (type: string, dims: readonly number[]) => `${type}[${dims.join(',')}]`;
  const [actual, expected] = [described(place.type, place.dims), described(output.type, output.dims)];
  if (actual !== expected) {
    throw new ShapeError(`the output '${name}' is ${expected}, the tensor that is to receive it ${actual}`, {
      output: name,
      expected,
      actual,
    });
  }
}

/** An output of the last run in the memory of `place`, which checkPlace() let pass and is returned. */
export function readInto(instance: Instance, output: CoreOutput, place: Tensor): Tensor {
  const { buffer, byteOffset, byteLength } = place.data as Uint8Array;
  const { address } = output as CoreTensor;
  new Uint8Array(buffer, byteOffset, byteLength).set(instance.view(address!, byteLength));
  return place;
}
