import createCore from '#thread-glue';
import { createMemory, type ThreadHost } from './host.js';

/** Bundlers find the worker and the binaries by these `new URL` expressions. */
export const host: ThreadHost = {
  createCore,
  createMemory,
  binary: (variant) =>
    variant === 'relaxed'
      ? new URL('./relaxed-threads.wasm', import.meta.url)
      : new URL('./simd-threads.wasm', import.meta.url),
  startWorker: (task) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./thread-worker.js', import.meta.url), { type: 'module' });
      const end = () => worker.terminate();
      worker.onmessage = () => resolve(end);
      worker.onerror = ({ message, filename }) => {
        end();
        reject(new Error(message ? `${message} (${filename})` : 'the script of the worker could not be loaded'));
      };
      worker.postMessage(task);
    }),
};
