// Files of weights that lie in the model's folder.
import { environment } from '#environment';
import { LoadError } from './errors/load-error.js';
import type { ModelError } from './errors/model-error.js';
import type { RequestLike, UrlLike } from './platform.js';
import type { Source } from './sources.js';

/** A model with more files is read too often: with each that it is found to lack, once more. */
export const mostBeside = 16;

/** Whether a model that names this file can only mean one in its own folder or below. */
function isBelow(location: string): boolean {
  return !/^[/]|[\\:]/.test(location) && !location.split('/').includes('..');
}

/** What relative addresses are relative to. */
function pageAddress(): string | undefined {
  const { document, location } = globalThis as { document?: { baseURI: string }; location?: { href: string } };
  return document?.baseURI ?? location?.href;
}

/**
 * The address or path of the file `location` in the folder of `source`. Undefined where the source has no folder, or the file
 * would be in another: a model may come from anybody.
 */
export function fileBeside(source: Source, location: string): string | undefined {
  const { href, url, method } = source as Partial<UrlLike & RequestLike>;
  const text = typeof source === 'string' ? source : method === 'GET' ? url : href;
  if (text === undefined || /^(data|blob):/i.test(text) || !isBelow(location)) return undefined;
  if (environment.openFile && !/^[a-z][a-z0-9+.-]+:/i.test(text)) return text.replace(/[^/\\]*$/, '') + location;
  const path = location.split('/').map(encodeURIComponent).join('/');
  return new URL(path, new URL(text, pageAddress())).href;
}

/** `error`, which a file beside the model gave, with the reason that it was looked for. */
export function notBeside(missing: ModelError, error: LoadError): LoadError {
  return new LoadError(`${missing.message}, and beside the model it is not: ${error.message}`, error);
}
