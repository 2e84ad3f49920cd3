import { type ErrorDetails, KingletError } from './kinglet-error.js';

export interface ModelErrorDetails extends ErrorDetails {
  /** The file of weights that is missing, by its `location` in the model. */
  location?: string | undefined;
}

/** The model's bytes or graph are malformed or contradict themselves, or a file of its weights is missing. */
export class ModelError extends KingletError {
  /** @internal */
  static override readonly name = 'ModelError'; // minifiers rename classes
  override readonly name = 'ModelError';
  readonly location: string | undefined;

  constructor(message: string, details: ModelErrorDetails = {}) {
    super('model', message, details);
    this.location = details.location || undefined;
  }
}
