import { type ErrorDetails, KingletError } from './kinglet-error.js';

/** The model's bytes or graph are malformed or contradict themselves. */
export class ModelError extends KingletError {
  /** @internal */
  static override readonly name = 'ModelError'; // minifiers rename classes
  override readonly name = 'ModelError';

  constructor(message: string, details?: ErrorDetails) {
    super('model', message, details);
  }
}
