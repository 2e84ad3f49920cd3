import { type ErrorDetails, KingletError } from './kinglet-error.js';

/**
 * A run was stopped from inside the core. A call that is stopped by an `AbortSignal` throws the signal's own
 * reason, as `fetch` does: unless the caller gave another, a `DOMException` with the same name.
 */
export class AbortError extends KingletError {
  /** @internal */
  static override readonly name = 'AbortError'; // minifiers rename classes
  override readonly name = 'AbortError';

  constructor(message: string, details?: ErrorDetails) {
    super('aborted', message, details);
  }
}
