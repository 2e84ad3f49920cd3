/// <reference lib="esnext.disposable" preserve="true" />
import { onAbort, pause, throwIfAborted } from './abort.js';
import { arriving } from './arriving.js';
import { lookingBeside } from './beside.js';
import { aboutFile } from './errors/about-file.js';
import { InvalidArgumentError } from './errors/invalid-argument-error.js';
import { Instance } from './instance.js';
import { checkWasmOptions, createInstance, type WasmOptions, wasmOptions } from './load.js';
import { checkOptions, checkRecord } from './options.js';
import type { AbortSignalLike } from './platform.js';
import { type Profile, type ProfileOptions, summed } from './profile.js';
import { Queue } from './queue.js';
import { receive } from './receive.js';
import { shown } from './shown.js';
import { type FileSource, openSource, type Source } from './sources.js';
import { Tensor } from './tensor.js';
import { checkPlace, checkPlaces, feedValue, readInto, readValue } from './transfer.js';
import type { Value } from './value.js';

/** How far loading is. */
export interface LoadProgress {
  /** `download`: bytes arrive. `prepare`: the model is read, optimised and packed, in one step (0, then 1). */
  readonly phase: 'download' | 'prepare';
  /** Bytes that have come, of all files of the model; or steps. */
  readonly loaded: number;
  /** Bytes that there will be, undefined when a server does not tell; or steps. */
  readonly total: number | undefined;
}

export interface LoadOptions extends WasmOptions {
  onProgress?: ((progress: LoadProgress) => void) | undefined;
  /** Ends loading; `load` then throws the signal's reason. */
  signal?: AbortSignalLike | undefined;
  /**
   * The files that the model's tensors refer to (`external_data`), by their `location`. Where none is named, they are looked
   * for beside the model, which then must come from an address or a path.
   */
  externalData?: Readonly<Record<string, Source>> | undefined;
  /** False leaves the graph as the file has it, to compare results. Default true. */
  optimize?: boolean | OptimizeOptions | undefined;
}

export interface OptimizeOptions {
  /** Names of optimising passes that are left out, to find what each gains. */
  without: readonly string[];
}

export interface RunOptions {
  /**
   * Names of the outputs to compute; all when absent or empty. Or by name the tensors that receive them, of the output's
   * type and dims (null: a new one): a loop that runs for every frame needs no new memory then, which costs 0.5 ms a MiB
   * and more. Such a tensor may be a feed of the same run; no two may have memory in common.
   */
  outputs?: readonly string[] | Readonly<Record<string, Tensor | null>> | undefined;
  /** Keeps a run from starting. A run that has begun is not interrupted: it occupies the thread. */
  signal?: AbortSignalLike | undefined;
}

/** An input or output of a model. */
export interface ValueInfo {
  readonly name: string;
  /**
   * A tensor's element type (`float32`); `sequence(float32)`, `optional(int64)`, `map(string, float32)` and what they
   * are made of; `undefined` when the model does not tell.
   */
  readonly type: string;
  /** Each a number, a name such as `batch` that stands for any number, or null for any; null: any rank, or no tensor. */
  readonly dims: readonly (number | string | null)[] | null;
}

/** Bytes in use. */
export interface MemoryUse {
  /** Constants and packed weights. */
  readonly weights: number;
  /** What runs compute in. */
  readonly activations: number;
  /** The whole wasm heap, which holds both; it never shrinks before `dispose()`. */
  readonly heap: number;
}

const loadOptions: Record<keyof LoadOptions, true> = {
  ...wasmOptions,
  onProgress: true,
  signal: true,
  externalData: true,
  optimize: true,
};
const runOptions: Record<keyof RunOptions, true> = { outputs: true, signal: true };
const profileOptions: Record<keyof ProfileOptions, true> = { runs: true, warmUp: true, signal: true };

/** Names of the passes that are left out, of the option `optimize`; undefined: all are. */
function passesWithout(optimize: boolean | OptimizeOptions): readonly string[] | undefined {
  if (typeof optimize === 'boolean') return optimize ? [] : undefined;
  checkRecord('optimize must be a boolean or { without: names of passes }', optimize);
  checkOptions<OptimizeOptions>('optimize', optimize, { without: true });
  const { without } = optimize;
  if (Array.isArray(without) && without.every((name) => typeof name === 'string')) return without;
  throw new InvalidArgumentError(`optimize.without must be an Array of names, got ${shown(without)}`);
}

// Older browsers lack the symbols; the methods are then found by these.
const disposeSymbol: typeof Symbol.dispose =
  Symbol.dispose ?? (Symbol.for('Symbol.dispose') as typeof Symbol.dispose);
const asyncDisposeSymbol: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for('Symbol.asyncDispose') as typeof Symbol.asyncDispose);

/**
 * A model that is ready to run, in a WebAssembly instance of its own.
 *
 * ```ts
 * const session = await Session.load('/models/det.onnx', { onProgress, signal });
 * const { probs } = await session.run({ input: new Tensor('float32', pixels, [1, 3, 224, 224]) });
 * await session.dispose();
 * ```
 */
export class Session {
  /** @internal */
  static readonly name = 'Session'; // minifiers rename classes
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly #queue = new Queue();
  #instance: Instance | undefined;
  #disposed: Promise<void> | undefined;

  private constructor(instance: Instance) {
    if (!(instance instanceof Instance)) throw new InvalidArgumentError('a Session is not made with new: use Session.load');
    this.#instance = instance;
    this.inputs = instance.call('inputs') as ValueInfo[];
    this.outputs = instance.call('outputs') as ValueInfo[];
  }

  /**
   * Fetches, checks, optimises and prepares a model.
   * @throws LoadError when the model or Kinglet's `.wasm` cannot be fetched or is something else
   * @throws ModelError when its bytes or graph are malformed
   * @throws UnsupportedOperatorError with all operators that are missing
   * @throws OutOfMemoryError, InvalidArgumentError
   * @throws UnsupportedEnvironmentError without WebAssembly's SIMD, or for `threads` where there are none
   */
  static async load(source: Source, options: LoadOptions = {}): Promise<Session> {
    checkOptions('Session.load', options, loadOptions);
    checkWasmOptions(options);
    const externalData = options.externalData ?? {};
    checkRecord('externalData must be an object of sources by their location', externalData);
    const without = passesWithout(options.optimize ?? true);
    const load = (files: readonly FileSource[]) => Session.#loadFiles(files, without, options);
    const named = Object.entries(externalData).map(([location, file]): FileSource => [location.replace(/^([.][/])+/, ''), file]);
    return named.length > 0 ? load([['', source], ...named]) : lookingBeside(source, load);
  }

  /** `files`: the model, whose location is '', and those of its weights. */
  static async #loadFiles(
    files: readonly FileSource[],
    without: readonly string[] | undefined,
    options: LoadOptions,
  ): Promise<Session> {
    const { signal, onProgress } = options;
    throwIfAborted(signal);
    // Ends the other downloads when one of them fails.
    const controller = new AbortController();
    const stopListening = onAbort(signal, () => controller.abort(signal!.reason));
    const opening = files.map(([location, file]) =>
      openSource(file, controller.signal, location === '' ? 'the model' : `the external data '${location}'`),
    );
    const creating = createInstance(options, controller.signal);
    try {
      const report = (loaded: number, total: number | undefined) => onProgress?.({ phase: 'download', loaded, total });
      const fail = (error: unknown) => controller.abort(error);
      const coming = Promise.all(opening).then((opened) => arriving(opened, creating, report, fail));
      const [instance, sources] = await Promise.all([creating, coming]);
      throwIfAborted(signal);
      for (const [i, [location]] of files.entries()) await receive(instance, location, sources[i]!);
      onProgress?.({ phase: 'prepare', loaded: 0, total: 1 });
      if (onProgress || signal) await pause();
      throwIfAborted(signal);
      try {
        instance.call('load', without !== undefined, without ?? []);
      } catch (error) {
        throw aboutFile(error, sources[0]!.url);
      }
      onProgress?.({ phase: 'prepare', loaded: 1, total: 1 });
      return new Session(instance);
    } catch (error) {
      controller.abort(error);
      creating.then((instance) => instance.close(), () => {});
      throw error;
    } finally {
      stopListening();
      for (const file of await Promise.allSettled(opening)) {
        if (file.status === 'fulfilled') file.value.close().catch(() => {});
      }
    }
  }

  /**
   * Runs the model. Runs that are asked for at the same time take place one after another, in the order of
   * the calls; the feeds' elements are read when the run's turn comes.
   * @param feeds a tensor for each input, by name; an array for a sequence, a `Map` for a map, null for an optional
   * without a value. A tensor of another copy of the package, or an object with its `type`, `data` and `dims`, will do
   * @returns the outputs by name; their elements are the caller's, or the tensors of `options.outputs`. A model whose
   * outputs are not all tensors: `session.run<{ items: Tensor[] }>(feeds)`
   * @throws InvalidArgumentError for unknown names, missing feeds, a disposed session
   * @throws ShapeError when the type or dims of a feed, or of a tensor that is to receive an output, do not fit
   * @throws OutOfMemoryError
   */
  run<Outputs extends Record<string, Value> = Record<string, Tensor>>(
    feeds: Readonly<Record<string, Value>>,
    options: RunOptions = {},
  ): Promise<Outputs> {
    return this.enqueue((instance) => {
      checkOptions('session.run', options, runOptions);
      throwIfAborted(options.signal);
      const wanted = this.#wantedOutputs(options.outputs);
      return this.#withFeeds(instance, feeds, () => {
        const outputs = instance.call('run', wanted.map(([name]) => name));
        // All before any is written: a state that is carried on is of one run.
        for (const [i, [name, place]] of wanted.entries()) if (place) checkPlace(name, outputs[i]!, place);
        const results = wanted.map(([name, place], i) => [
          name,
          place ? readInto(instance, outputs[i]!, place) : readValue(instance, outputs[i]!),
        ]);
        return Object.fromEntries(results) as Outputs;
      });
    });
  }

  /** The outputs of a run, each with the tensor that receives it or null. */
  #wantedOutputs(outputs: RunOptions['outputs']): [name: string, place: Tensor | null][] {
    const asked = outputs ?? [];
    const what = 'outputs must be an Array of names, or an object of tensors by name';
    if (!Array.isArray(asked)) checkRecord(what, asked);
    const given: [string, unknown][] = Array.isArray(asked)
      ? asked.map((name: string) => [name, null])
      : Object.entries(asked);
    for (const [name, place] of given) {
      if (typeof name !== 'string') throw new InvalidArgumentError(`${what}; got ${shown(name)} for a name`);
      if (place !== null && !(place instanceof Tensor)) {
        throw new InvalidArgumentError(`the output '${name}' is written to a Tensor made by this copy of Kinglet, or null for a new one; got ${shown(place)}`);
      }
    }
    if (given.length === 0) return this.outputs.map(({ name }) => [name, null]);
    checkPlaces(given as [string, Tensor | null][]);
    return given as [string, Tensor | null][];
  }

  /**
   * Runs the model some times over and says which of its nodes take how long. The nodes are those that the optimiser
   * leaves (`describe()`). A page that is not cross-origin isolated has clocks of 0.1 ms: ask for more runs there.
   *
   * ```ts
   * const { ms, nodes } = await session.profile(feeds, { runs: 20 });
   * const slowest = [...nodes].sort((a, b) => b.ms - a.ms)[0];
   * console.log(`${slowest.op} ${slowest.name}: ${slowest.ms} of ${ms} ms`);
   * ```
   * @param feeds as for `run()`
   * @throws what `run()` throws; InvalidArgumentError for counts that are no whole numbers
   */
  profile(feeds: Readonly<Record<string, Value>>, options: ProfileOptions = {}): Promise<Profile> {
    return this.enqueue(async (instance) => {
      checkOptions('session.profile', options, profileOptions);
      const { runs = 10, warmUp = 3, signal } = options;
      if (!Number.isSafeInteger(runs) || runs < 1) throw new InvalidArgumentError('runs must be a number >= 1');
      if (!Number.isSafeInteger(warmUp) || warmUp < 0) throw new InvalidArgumentError('warmUp must be a number >= 0');
      const measured = [];
      for (let i = 0; i < warmUp + runs; ++i) {
        if (i > 0) await pause();
        throwIfAborted(signal);
        const rows = this.#withFeeds(instance, feeds, () => instance.call('profile'));
        if (i >= warmUp) measured.push(rows);
      }
      return summed(measured);
    });
  }

  /** What `compute` gives after the feeds of a run were written. */
  #withFeeds<T>(instance: Instance, feeds: Readonly<Record<string, Value>>, compute: () => T): T {
    const what = 'feeds must be an object of tensors by the names of the inputs';
    checkRecord(what, feeds);
    if (feeds instanceof Tensor) throw new InvalidArgumentError(`${what}, such as { ${this.inputs[0]?.name ?? 'x'}: tensor }; got a Tensor`);
    try {
      for (const [name, value] of Object.entries(feeds)) {
        feedValue(instance, name, value, this.inputs.find((input) => input.name === name)?.type ?? '');
      }
      return compute();
    } catch (error) {
      instance.abandonRun();
      throw error;
    }
  }

  /** @internal Runs `task` when all runs before it have ended. */
  async enqueue<T>(task: (instance: Instance) => T | Promise<T>): Promise<T> {
    if (this.#disposed) throw new InvalidArgumentError('the session is disposed');
    return await this.#queue.add(() => task(this.#instance!));
  }

  /** Bytes in use now; all 0 after `dispose()`. */
  get memory(): MemoryUse {
    if (!this.#instance) return { weights: 0, activations: 0, heap: 0 };
    return { ...this.#instance.call('memory'), heap: this.#instance.heapBytes };
  }

  /** The optimised graph, one line a node, for people. */
  describe(): string {
    if (!this.#instance) throw new InvalidArgumentError('the session is disposed');
    return this.#instance.call('describe');
  }

  /** Gives all memory back when the runs that were asked for have ended. Further runs are refused. */
  dispose(): Promise<void> {
    this.#disposed ??= this.#queue.add(() => {
      this.#instance?.close();
      this.#instance = undefined;
    });
    return this.#disposed;
  }

  /** As `dispose()`, for `await using`. */
  [asyncDisposeSymbol](): Promise<void> {
    return this.dispose();
  }

  /** As `dispose()`, for `using`; memory comes back when the runs that were asked for have ended. */
  [disposeSymbol](): void {
    void this.dispose();
  }
}
