import { type ErrorDetails, KingletError } from './kinglet-error.js';

/** A call's arguments are wrong: an unknown name, a missing feed, a value of the wrong kind. */
export class InvalidArgumentError extends KingletError {
  /** @internal */
  static override readonly name = 'InvalidArgumentError'; // minifiers rename classes
  override readonly name = 'InvalidArgumentError';

  constructor(message: string, details?: ErrorDetails) {
    super('invalid-argument', message, details);
  }
}
