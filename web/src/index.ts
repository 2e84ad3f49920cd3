export * from './errors/index.js';
export {
  configure,
  type Features,
  features,
  type WasmModule,
  type WasmOptions,
  type WasmSource,
  type WasmSources,
} from './load.js';
export type { NodeProfile, Profile, ProfileOptions } from './profile.js';
export {
  type LoadOptions,
  type LoadProgress,
  type MemoryUse,
  type OptimizeOptions,
  type RunOptions,
  Session,
  type ValueInfo,
} from './session.js';
export type { Source } from './sources.js';
export type { Variant } from './variant.js';
export type { MapKey, MapValue, Value } from './value.js';
export { Tensor, type TensorData, type TensorSource, type TensorType } from './tensor.js';
/** @internal */
export * as internal from './internal.js';
