import { type ErrorDetails, KingletError } from './kinglet-error.js';

export interface ShapeErrorDetails extends ErrorDetails {
  /** Name of the model's input, when one does not fit. */
  input?: string | undefined;
  /** Name of the model's output, when the tensor that is to receive it does not fit. */
  output?: string | undefined;
  /** What was wanted, such as `float32[N,3,224,224]`. */
  expected?: string | undefined;
  /** What came. */
  actual?: string | undefined;
}

/** A tensor's type or dims do not fit the model's input, or shapes inside the model do not fit each other. */
export class ShapeError extends KingletError {
  /** @internal */
  static override readonly name = 'ShapeError'; // minifiers rename classes
  override readonly name = 'ShapeError';
  readonly input: string | undefined;
  readonly output: string | undefined;
  readonly expected: string | undefined;
  readonly actual: string | undefined;

  constructor(message: string, details: ShapeErrorDetails = {}) {
    super('shape', message, details);
    this.input = details.input || undefined;
    this.output = details.output || undefined;
    this.expected = details.expected || undefined;
    this.actual = details.actual || undefined;
  }
}
