import { type ErrorDetails, KingletError } from './kinglet-error.js';

export interface OutOfMemoryDetails extends ErrorDetails {
  requestedBytes?: number | undefined;
  limitBytes?: number | undefined;
}

/** An allocation failed. The session that it belongs to stays usable, and so does every other one. */
export class OutOfMemoryError extends KingletError {
  /** @internal */
  static override readonly name = 'OutOfMemoryError'; // minifiers rename classes
  override readonly name = 'OutOfMemoryError';
  /** Bytes of the allocation that failed; 0 when it is not known. */
  readonly requestedBytes: number;
  /** Bytes that a session can have at most (4 GiB); 0 when it is not known. */
  readonly limitBytes: number;

  constructor(message: string, details: OutOfMemoryDetails = {}) {
    super('out-of-memory', message, details);
    this.requestedBytes = details.requestedBytes ?? 0;
    this.limitBytes = details.limitBytes ?? 0;
  }
}
