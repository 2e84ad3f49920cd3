import createCore, { type GlueOptions } from '#glue';
import { environment } from '#environment';
import { rejection } from './abort.js';
import type { Core } from './core.js';
import { InvalidArgumentError } from './errors/invalid-argument-error.js';
import { KingletError } from './errors/kinglet-error.js';
import { LoadError } from './errors/load-error.js';
import { OutOfMemoryError } from './errors/out-of-memory-error.js';
import { UnsupportedEnvironmentError } from './errors/unsupported-environment-error.js';
import { Instance } from './instance.js';
import { checkOptions } from './options.js';
import type { AbortSignalLike, BytesLike, ResponseLike, UrlLike } from './platform.js';
import { hasRelaxedSimd, hasSimd } from './probe.js';
import { shown } from './shown.js';
import { checkSource, fetchResponse, openResponse, openSource, readAll } from './sources.js';
import { checkThreads, loadThreads, startThreads, whyNoThreads } from './threads/load.js';
import type { Variant } from './variant.js';

/**
 * A `.wasm` of Kinglet's: its address (in Node also a path), a `Response`, its bytes, or a
 * `WebAssembly.Module`.
 */
export type WasmSource = string | UrlLike | ResponseLike | ArrayBufferLike | BytesLike | WasmModule;

/** A compiled `WebAssembly.Module`. */
export interface WasmModule {
  readonly [Symbol.toStringTag]?: string;
}

/** A source for each variant; those for several threads are the package's own where they are not named. */
export type WasmSources = Readonly<
  Record<Variant, WasmSource> & Partial<Record<`${Variant}-threads`, WasmSource>>
>;

export interface WasmOptions {
  /**
   * Where Kinglet's own binaries are, when not beside its JavaScript: one source, which must fit the host, or
   * one for each variant. A `Response` or bytes are read once and the compiled module is kept.
   */
  wasm?: WasmSource | WasmSources | undefined;
  /** Which binary to take; by default the best that the host runs. */
  variant?: Variant | undefined;
  /**
   * Threads that compute a run, this one among them: 1 (the default) to 64. More than one needs a page that is
   * cross-origin isolated; `features().threads` tells. The other threads wait in workers until `dispose()`.
   */
  threads?: number | undefined;
}

export const wasmOptions: Record<keyof WasmOptions, true> = { wasm: true, variant: true, threads: true };

export interface Features {
  /** WebAssembly has 128-bit SIMD, which Kinglet needs. */
  readonly simd: boolean;
  /** WebAssembly has relaxed SIMD, and computes with it what it should. */
  readonly relaxedSimd: boolean;
  /** Sessions can have several threads here. */
  readonly threads: boolean;
  /** The binary that sessions use unless they are told otherwise. */
  readonly variant: Variant;
}

let configured: WasmOptions = {};
let probed: Features | undefined;

const sourceOptions: Record<keyof WasmSources, true> = { simd: true, relaxed: true, 'simd-threads': true, 'relaxed-threads': true };

/** Whether it is no source itself: a plain object that has nothing of a URL, Response, Request, Blob or stream. */
function isRecord(wasm: WasmSource | WasmSources): wasm is WasmSources {
  return shown(wasm) === 'object' && !['href', 'status', 'method', 'stream', 'getReader'].some((key) => key in (wasm as object));
}

/** @internal Throws InvalidArgumentError for values that an option cannot have. */
export function checkWasmOptions({ wasm, variant, threads }: WasmOptions): void {
  checkThreads(threads);
  if (!['simd', 'relaxed'].includes(variant ?? 'simd')) {
    throw new InvalidArgumentError(`variant must be 'simd' or 'relaxed', got ${shown(variant)}`);
  }
  if (wasm == null) return;
  checkSource(wasm, 'wasm');
  if (!isRecord(wasm)) return;
  for (const key of ['simd', 'relaxed'] as const) {
    if (wasm[key] == null) throw new InvalidArgumentError(`wasm has no '${key}': it needs simd and relaxed, or is one source`);
  }
  checkOptions('wasm', wasm, sourceOptions);
  for (const [key, source] of Object.entries(wasm)) if (source != null) checkSource(source, `wasm.${key}`);
}

/** Sets what sessions use that are loaded from now on. Nothing is fetched. */
export function configure(options: WasmOptions): void {
  checkOptions('configure', options, wasmOptions);
  checkWasmOptions(options);
  configured = { ...configured, ...options };
}

/** What this host offers. */
export function features(): Features {
  if (!probed) {
    const simd = hasSimd();
    const relaxedSimd = simd && hasRelaxedSimd(environment.compiles);
    probed = { simd, relaxedSimd, threads: simd && whyNoThreads() === undefined, variant: relaxedSimd ? 'relaxed' : 'simd' };
  }
  return { ...probed, variant: configured.variant ?? probed.variant };
}

const advice =
  ". Is the file served beside Kinglet's JavaScript? If not, say where it is: " +
  "configure({ wasm: { simd: url, relaxed: url } }); in Vite's settings, optimizeDeps.exclude: ['kinglet']";

function checkWasm(bytes: Uint8Array, url: string | undefined): Uint8Array<ArrayBuffer> {
  const what = url || 'the given .wasm';
  if (bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d) {
    return bytes as Uint8Array<ArrayBuffer>;
  }
  const html = /^\s*</.test(new TextDecoder().decode(bytes.slice(0, 64)));
  const found = html ? 'an HTML page' : bytes.length === 0 ? 'empty' : 'something else';
  throw new LoadError(`${what} is not WebAssembly but ${found}${advice}`, { url });
}

async function compileResponse(response: ResponseLike): Promise<WebAssembly.Module> {
  const isWasm = /^application\/wasm\s*(;|$)/.test(response.headers.get('content-type') ?? '');
  if (response.ok && !response.bodyUsed && isWasm) return WebAssembly.compileStreaming(response as Response);
  return WebAssembly.compile(checkWasm(await readAll(openResponse(response, 'the .wasm', advice)), response.url));
}

async function compile(source: WasmSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  try {
    if (typeof source === 'object' && 'status' in source) return await compileResponse(source);
    const isUrl = typeof source === 'string' || 'href' in source;
    const file = isUrl ? environment.openFile?.(source) : undefined;
    if (isUrl && !file) return await compileResponse(await fetchResponse(source));
    const opened = await (file ?? openSource(source as BytesLike, undefined, 'wasm'));
    return await WebAssembly.compile(
      checkWasm(await readAll(opened).finally(() => opened.close()), opened.url),
    );
  } catch (cause) {
    if (cause instanceof KingletError) throw cause;
    const { message } = cause as Error;
    const hint = /unsafe-eval|Content.Security.Policy|\bCSP\b/i.test(message)
      ? " (allow 'wasm-unsafe-eval' in the page's script-src)"
      : '';
    throw new LoadError(`Kinglet's .wasm could not be compiled${hint}: ${message}`, { cause });
  }
}

const modulesByAddress = new Map<string, Promise<WebAssembly.Module>>();
const modulesByObject = new WeakMap<object, Promise<WebAssembly.Module>>();

/** The compiled module of a source, shared by all sessions; a failure is not kept. */
function moduleOf(source: WasmSource): Promise<WebAssembly.Module> {
  const address = typeof source === 'string' ? source : 'href' in source ? source.href : undefined;
  const cache = (address === undefined ? modulesByObject : modulesByAddress) as Map<
    unknown,
    Promise<WebAssembly.Module>
  >;
  const key = address ?? source;
  let module = cache.get(key);
  if (!module) {
    module = compile(source);
    cache.set(key, module);
    module.catch(() => cache.delete(key));
  }
  return module;
}

/** `own` tells where the package's own binary is; `threads` takes the binaries that have them. */
function binaryOf(
  options: WasmOptions,
  own: (variant: Variant) => WasmSource,
  threads: boolean,
): WasmSource {
  const { simd, relaxedSimd } = features();
  if (!simd) {
    throw new UnsupportedEnvironmentError(
      'Kinglet needs WebAssembly with SIMD, which this browser or runtime does not have',
    );
  }
  const variant = options.variant ?? configured.variant ?? (relaxedSimd ? 'relaxed' : 'simd');
  if (variant === 'relaxed' && !relaxedSimd) {
    throw new UnsupportedEnvironmentError(
      "the variant 'relaxed' was asked for, but this browser or runtime has no relaxed SIMD, computes wrong numbers with it, or " +
        "forbids WebAssembly (Content-Security-Policy: 'wasm-unsafe-eval')",
    );
  }
  const wasm = options.wasm ?? configured.wasm;
  if (wasm == null) return own(variant);
  if (typeof wasm !== 'object' || !('simd' in wasm) || !('relaxed' in wasm)) return wasm as WasmSource;
  return threads ? (wasm[`${variant}-threads`] ?? own(variant)) : wasm[variant];
}

function instantiationError(cause: unknown): KingletError {
  const message = (cause as Error).message;
  if (cause instanceof RangeError) {
    return new OutOfMemoryError(`no memory for another session: ${message}`, { cause });
  }
  return new LoadError(`Kinglet's .wasm does not fit its JavaScript; are they of one version? ${message}`, {
    cause,
  });
}

/** Instantiates the module and resolves to the core, and what the instance exports. */
function instantiate<T extends Core, Options extends GlueOptions>(
  create: (options: Options) => Promise<T>,
  module: WebAssembly.Module,
  options: Omit<Options, keyof GlueOptions>,
): Promise<{ core: T; exports: WebAssembly.Exports }> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => reject(instantiationError(cause));
    let exports: WebAssembly.Exports;
    create({
      ...options,
      // Emscripten waits for `done` and never hears of a failure: both are told here.
      instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) {
        WebAssembly.instantiate(module, imports)
          .then((instance) => {
            exports = instance.exports;
            done(instance);
          })
          .catch(fail);
        return {};
      },
    } as unknown as Options).then((core) => resolve({ core, exports }), fail);
  });
}

async function createThreaded(options: WasmOptions, threads: number): Promise<Instance> {
  const host = await loadThreads();
  const module = await moduleOf(binaryOf(options, host.binary, true));
  let memory: WebAssembly.Memory;
  try {
    memory = host.createMemory();
  } catch (cause) {
    throw instantiationError(cause);
  }
  const { core } = await instantiate(host.createCore, module, { wasmMemory: memory });
  return new Instance(core, memory, await startThreads(host, core, module, memory, threads));
}

async function create(options: WasmOptions): Promise<Instance> {
  const threads = checkThreads(options.threads ?? configured.threads);
  if (threads > 1) return createThreaded(options, threads);
  const module = await moduleOf(binaryOf(options, environment.binary, false));
  const { core, exports } = await instantiate(createCore, module, {});
  const memory = Object.values(exports).find((value) => value instanceof WebAssembly.Memory);
  return new Instance(core, memory!);
}

/** @internal A new wasm instance with a heap of its own. An abort of `signal` is not kept waiting by a slow .wasm. */
export function createInstance(options: WasmOptions, signal: AbortSignalLike): Promise<Instance> {
  const creating = create(options);
  const instance = Promise.race([creating, rejection(signal)]);
  instance.catch(() => creating.then((late) => late.close(), () => {}));
  return environment.stayAwake?.(instance) ?? instance;
}
