import { Worker } from 'node:worker_threads';
import createCore from '#thread-glue';
import { createMemory, type ThreadHost } from './host.js';

export const host: ThreadHost = {
  createCore,
  createMemory,
  binary: (variant) =>
    variant === 'relaxed'
      ? new URL('./relaxed-threads.wasm', import.meta.url)
      : new URL('./simd-threads.wasm', import.meta.url),
  startWorker: (task) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./thread-worker-node.js', import.meta.url), {
        workerData: task,
        execArgv: [], // those of the process may be for its own script only
      });
      worker.once('message', () => {
        // A session that nobody disposes of does not keep the process.
        worker.unref();
        resolve(() => void worker.terminate());
      });
      worker.once('error', reject);
    }),
};
