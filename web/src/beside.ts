// Files of weights that lie in the model's folder.
import { environment } from '#environment';
import { hasScheme, pageAddress } from './address.js';
import { LoadError } from './errors/load-error.js';
import { ModelError } from './errors/model-error.js';
import type { RequestLike, UrlLike } from './platform.js';
import type { FileSource, Source } from './sources.js';

/** A model with more files is read too often: with each that it is found to lack, once more. */
const mostBeside = 16;

/** Whether a model that names this file can only mean one in its own folder or below. */
function isBelow(location: string): boolean {
  return !/^[/]|[\\:]/.test(location) && !location.split('/').includes('..');
}

/**
 * The address or path of the file `location` in the folder of `source`. Undefined where the source has no folder, or the file
 * would be in another: a model may come from anybody.
 */
function fileBeside(source: Source, location: string): string | undefined {
  const { href, url, method } = source as Partial<UrlLike & RequestLike>;
  const text = typeof source === 'string' ? source : method === 'GET' ? url : href;
  if (text === undefined || /^(data|blob):/i.test(text) || !isBelow(location)) return undefined;
  if (environment.openFile && !hasScheme(text)) return text.replace(/[^/\\]*$/, '') + location;
  const path = location.split('/').map(encodeURIComponent).join('/');
  const model = new URL(text, pageAddress());
  const address = new URL(path, model);
  address.search = model.search; // it may hold what gives access
  return address.href;
}

/** What `load` gives for the files of a model: `source`, and those beside it that it is found to lack. */
export async function lookingBeside<T>(source: Source, load: (files: readonly FileSource[]) => Promise<T>): Promise<T> {
  const files: FileSource[] = [['', source]];
  let missing: ModelError | undefined;
  for (;;) {
    try {
      return await load(files);
    } catch (error) {
      if (missing && error instanceof LoadError) {
        throw new LoadError(`${missing.message}, and beside the model it is not: ${error.message}`, error);
      }
      if (!(error instanceof ModelError) || error.location === undefined || files.length > mostBeside) throw error;
      const beside = fileBeside(source, error.location);
      if (beside === undefined) throw error;
      missing = error;
      files.push([error.location, beside]);
    }
  }
}
