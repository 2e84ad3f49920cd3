import type { Answer, Core, CoreCall, Failure } from './core.js';
import { errorFromCore } from './errors/from-core.js';
import { InternalError } from './errors/internal-error.js';
import { ModelError } from './errors/model-error.js';
import { OutOfMemoryError } from './errors/out-of-memory-error.js';
import type { Tensor } from './tensor.js';

function isFailure(result: unknown): result is Failure {
  return typeof result === 'object' && result !== null && 'error' in result;
}

/** One wasm instance: its functions with errors thrown, and its memory. */
export class Instance {
  readonly #core: Core;
  readonly #memory: WebAssembly.Memory;
  readonly #endThreads: (() => void) | undefined;
  #broken: InternalError | undefined;

  constructor(core: Core, memory: WebAssembly.Memory, endThreads?: () => void) {
    this.#core = core;
    this.#memory = memory;
    this.#endThreads = endThreads;
  }

  /** Ends the threads; the instance is not used any more. */
  close(): void {
    this.#endThreads?.();
  }

  /** Bytes of the wasm heap. */
  get heapBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  get core(): Pick<Core, 'lineHeight' | 'orientationWidth'> {
    return this.#core;
  }

  /** Calls the core. A trap (a bug of Kinglet's) leaves it in an unknown state: later calls throw as well. */
  call<K extends CoreCall>(name: K, ...args: Parameters<Core[K]>): Answer<K> {
    if (this.#broken) {
      throw new InternalError('the session cannot be used after an internal error', { cause: this.#broken });
    }
    let result: ReturnType<Core[K]>;
    try {
      result = (this.#core[name] as (...args: unknown[]) => ReturnType<Core[K]>)(...args);
    } catch (cause) {
      this.#broken = new InternalError(
        `${name} failed: ${cause instanceof Error ? cause.message : 'a C++ exception'}`,
        { cause },
      );
      throw this.#broken;
    }
    if (isFailure(result)) throw errorFromCore(result.error);
    return result as Answer<K>;
  }

  /** The `length` bytes at `address`, until the next call: memory that grows leaves its views behind. */
  view(address: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, address, length);
  }

  /** A copy of the `length` bytes at `address`; never a shared buffer. */
  copy(address: number, length: number): ArrayBuffer {
    try {
      const { buffer } = this.#memory;
      if (buffer instanceof ArrayBuffer) return buffer.slice(address, address + length);
      return new Uint8Array(new Uint8Array(buffer, address, length)).buffer;
    } catch (cause) {
      throw new OutOfMemoryError(`out of memory: no buffer of ${length} bytes for an output`, {
        requestedBytes: length,
        cause,
      });
    }
  }

  /** Writes an input of the next run. */
  feed(name: string, tensor: Tensor): void {
    if (tensor.type === 'string') {
      this.call('feedStrings', name, tensor.data as string[], tensor.dims);
      return;
    }
    const { buffer, byteOffset, byteLength } = tensor.data as Uint8Array;
    const address = this.call('feed', name, tensor.type, tensor.dims);
    this.view(address, byteLength).set(new Uint8Array(buffer, byteOffset, byteLength));
  }

  /** Output `name`, which is to be a float32 tensor, for what was fed since the last run. */
  runFloat32(name: string): { address: number; dims: number[] } {
    const [output] = this.call('run', [name]);
    if (!output || !('address' in output) || output.type !== 'float32') {
      const type = output && 'type' in output ? output.type : 'no tensor';
      throw new ModelError(`the output '${name}' is ${type}, not float32`);
    }
    return { address: output.address!, dims: output.dims };
  }

  /** Forgets what was fed, and gives its memory back. Throws nothing: an error is on its way already. */
  abandonRun(): void {
    if (!this.#broken) this.#core.releaseFeeds();
  }

}
