import { ModelError } from './model-error.js';
import { UnsupportedOperatorError } from './unsupported-operator-error.js';

/** `error`, which reading the model threw, with the file's name before the message: a page may load several. */
export function aboutFile(error: unknown, url: string | undefined): unknown {
  if (!url) return error;
  const place = url.startsWith('data:') ? 'the data: address' : url; // it holds the whole file
  const named = () => `${place}: ${(error as Error).message}`;
  if (error instanceof ModelError) return new ModelError(named(), error);
  if (error instanceof UnsupportedOperatorError) {
    return new UnsupportedOperatorError(named(), error.missing, error);
  }
  return error;
}
