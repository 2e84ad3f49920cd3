import { type ErrorDetails, KingletError } from './kinglet-error.js';

/** An operator that a model needs and this build does not have. */
export interface MissingOperator {
  readonly op: string;
  /** Empty for the operators of ONNX itself. */
  readonly domain: string;
  /** Version of the operator set that the model asks for. */
  readonly opset: number;
  /** Names of the nodes that use it. */
  readonly nodes: readonly string[];
}

/** The model uses operators that this build does not have; `missing` lists all of them. */
export class UnsupportedOperatorError extends KingletError {
  /** @internal */
  static override readonly name = 'UnsupportedOperatorError'; // minifiers rename classes
  override readonly name = 'UnsupportedOperatorError';
  readonly missing: readonly MissingOperator[];

  constructor(message: string, missing: readonly MissingOperator[], details?: ErrorDetails) {
    super('unsupported-operator', message, details);
    this.missing = missing;
  }
}
