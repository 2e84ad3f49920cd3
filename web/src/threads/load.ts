import { environment } from '#environment';
import type { ThreadCore } from '../core.js';
import { errorFromCore } from '../errors/from-core.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { LoadError } from '../errors/load-error.js';
import { UnsupportedEnvironmentError } from '../errors/unsupported-environment-error.js';
import { shown } from '../shown.js';
import type { ThreadHost } from './host.js';

/** As in core/runtime/session.cpp. */
const mostThreads = 64;

/** Checks the option `threads`; 1 where there is none. */
export function checkThreads(threads: number | undefined): number {
  threads ??= 1;
  if (!Number.isInteger(threads) || threads < 1 || threads > mostThreads) {
    throw new InvalidArgumentError(`threads must be a whole number from 1 to ${mostThreads}, got ${shown(threads)}`);
  }
  return threads;
}

/** Why this host has no threads, or undefined when it has. Nothing is fetched. */
export function whyNoThreads(): string | undefined {
  if (!environment.loadThreads) return 'this runtime, or this build of Kinglet, has none';
  const { crossOriginIsolated, SharedArrayBuffer } = globalThis as {
    crossOriginIsolated?: boolean;
    SharedArrayBuffer?: unknown;
  };
  // Node does not know the word and shares all the same.
  if (SharedArrayBuffer === undefined || crossOriginIsolated === false) {
    return (
      'the page is not cross-origin isolated. Serve it, and all its scripts, with the headers ' +
      'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp'
    );
  }
  return undefined;
}

/** The part of the package that has threads; throws where they are impossible, before anything is fetched. */
export async function loadThreads(): Promise<ThreadHost> {
  const reason = whyNoThreads();
  if (reason) throw new UnsupportedEnvironmentError(`threads are not available: ${reason}`);
  try {
    return (await environment.loadThreads!()).host;
  } catch (cause) {
    throw new LoadError(`Kinglet's script for threads could not be loaded: ${(cause as Error).message}`, { cause });
  }
}

/** May this thread sleep? The main thread of a page may not. */
function mayBlock(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1);
    return true;
  } catch {
    return false;
  }
}

/** Starts the other threads of an instance; resolves to what ends them. */
export async function startThreads(
  host: ThreadHost,
  core: ThreadCore,
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  threads: number,
): Promise<() => void> {
  const started = core.startThreads(threads, mayBlock());
  if ('error' in started) throw errorFromCore(started.error);
  const { entry, blocks } = started;
  const workers = await Promise.allSettled(
    blocks.map((block) => host.startWorker({ module, memory, entry, block })),
  );
  const end = () => {
    core.stopThreads();
    for (const worker of workers) if (worker.status === 'fulfilled') worker.value();
  };
  const failed = workers.find((worker) => worker.status === 'rejected');
  if (failed) {
    end();
    const { message } = failed.reason as Error;
    throw new UnsupportedEnvironmentError(
      `a thread could not be started: ${message}. Is the file there? In a page, a Content-Security-Policy has to ` +
        "allow it (worker-src 'self'), and the script needs the header Cross-Origin-Embedder-Policy: require-corp",
    );
  }
  return end;
}
