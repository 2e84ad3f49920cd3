import { AbortError } from './abort-error.js';
import { InternalError } from './internal-error.js';
import { InvalidArgumentError } from './invalid-argument-error.js';
import type { KingletError } from './kinglet-error.js';
import { ModelError } from './model-error.js';
import { OutOfMemoryError } from './out-of-memory-error.js';
import { ShapeError } from './shape-error.js';
import { type MissingOperator, UnsupportedOperatorError } from './unsupported-operator-error.js';

/** An error as the C++ boundary hands it over: see bindings/embind/boundary.hpp. */
export interface CoreError {
  code: string;
  message: string;
  node?: string;
  op?: string;
  input?: string;
  expected?: string;
  actual?: string;
  location?: string;
  missing?: MissingOperator[];
  requestedBytes?: number;
  limitBytes?: number;
}

export function errorFromCore(error: CoreError): KingletError {
  const { code, message } = error;
  switch (code) {
    case 'model':
      return new ModelError(message, error);
    case 'unsupported-operator':
      return new UnsupportedOperatorError(message, error.missing ?? [], error);
    case 'shape':
      return new ShapeError(message, error);
    case 'out-of-memory':
      return new OutOfMemoryError(message, error);
    case 'invalid-argument':
      return new InvalidArgumentError(message, error);
    case 'aborted':
      return new AbortError(message, error);
    default:
      return new InternalError(message, error);
  }
}
