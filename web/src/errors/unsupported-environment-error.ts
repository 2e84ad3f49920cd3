import { KingletError } from './kinglet-error.js';

/** The browser or runtime lacks what Kinglet needs: WebAssembly with SIMD; for several threads, shared memory. */
export class UnsupportedEnvironmentError extends KingletError {
  /** @internal */
  static override readonly name = 'UnsupportedEnvironmentError'; // minifiers rename classes
  override readonly name = 'UnsupportedEnvironmentError';

  constructor(message: string) {
    super('unsupported-environment', message);
  }
}
