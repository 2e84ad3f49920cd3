import { type ErrorDetails, KingletError } from './kinglet-error.js';

/** A broken promise inside Kinglet itself: please report it. The session cannot be used any more. */
export class InternalError extends KingletError {
  /** @internal */
  static override readonly name = 'InternalError'; // minifiers rename classes
  override readonly name = 'InternalError';

  constructor(message: string, details?: ErrorDetails) {
    super('internal', message, details);
  }
}
