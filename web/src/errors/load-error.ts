import { KingletError } from './kinglet-error.js';

export interface LoadErrorDetails {
  url?: string | undefined;
  status?: number | undefined;
  unreachable?: boolean | undefined;
  cause?: unknown;
}

/** A model, its data or Kinglet's own `.wasm` could not be fetched or is something else. */
export class LoadError extends KingletError {
  /** @internal */
  static override readonly name = 'LoadError'; // minifiers rename classes
  override readonly name = 'LoadError';
  /** The address or path, when there is one. */
  readonly url: string | undefined;
  /** The HTTP status, when the server answered. */
  readonly status: number | undefined;
  /**
   * No answer could be had: no connection, no such server, an address that cannot be fetched, or a request that the
   * browser forbids. A download that breaks off had one.
   */
  readonly unreachable: boolean;

  constructor(message: string, details: LoadErrorDetails = {}) {
    super('load', message, 'cause' in details ? { cause: details.cause } : {});
    this.url = details.url || undefined;
    this.status = details.status;
    this.unreachable = details.unreachable ?? false;
  }
}
