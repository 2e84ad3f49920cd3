import type { Tensor } from './tensor.js';

/** A key of a map: a string, or an int64. */
export type MapKey = string | bigint;
/** A value of a map, of the JavaScript type that its element type has in a typed array. */
export type MapValue = number | bigint | string;

/**
 * What a model takes and gives: a tensor; an array is a sequence, a `Map` a map (ONNX-ML), null an optional without a
 * value.
 */
export type Value = Tensor | null | readonly Value[] | ReadonlyMap<MapKey, MapValue>;
