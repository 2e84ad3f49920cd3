/** What kind of error it is, for `switch`. */
export type ErrorCode =
  | 'model'
  | 'unsupported-operator'
  | 'shape'
  | 'out-of-memory'
  | 'load'
  | 'invalid-argument'
  | 'unsupported-environment'
  | 'aborted'
  | 'internal';

/** Where in the model an error arose, and what caused it. */
export interface ErrorDetails {
  /** Name of the model's node, when one is known. */
  node?: string | undefined;
  /** The node's operator, such as `Conv`. */
  op?: string | undefined;
  cause?: unknown;
}

const brand = Symbol.for('kinglet.error');

/** The base of all errors that Kinglet throws, but for the caller's own abort reasons. */
export class KingletError extends Error {
  /** @internal */
  static override readonly name: string = 'KingletError'; // minifiers rename classes
  override readonly name: string = 'KingletError';
  readonly code: ErrorCode;
  readonly node: string | undefined;
  readonly op: string | undefined;
  /** @internal */
  get [brand](): true {
    return true;
  }

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.node = details.node || undefined;
    this.op = details.op || undefined;
  }
}

/** Whether `error` is Kinglet's, also when it comes from another copy of the library. */
export function isKingletError(error: unknown): error is KingletError {
  return typeof error === 'object' && error !== null && brand in error;
}
