import { WorkerError } from './reader-client.js';

const isBinary = (url = '') => /\.wasm$/.test(new URL(url, 'http://localhost').pathname);
const fileName = (url: string) => url.slice(url.lastIndexOf('/') + 1);

/** Why the models, or what runs them, did not load: for the visitor. */
export function loadProblem(error: unknown): string {
  if (!(error instanceof WorkerError)) return `The models could not be loaded: ${String(error)}`;
  const { name, message, url, status, unreachable } = error.failure;
  const what = isBinary(url) ? "Kinglet's WebAssembly" : 'The models';
  if (unreachable) return `${what} could not be downloaded: the server cannot be reached.`;
  if (status !== undefined && url) {
    return `${what} could not be downloaded: the server answered ${status} for ${fileName(url)}.`;
  }
  // The library names the file itself.
  if (name === 'LoadError') return `Reading cannot start: ${message}`;
  return `The models could not be loaded: ${message}`;
}
