import { InvalidArgumentError } from './errors/invalid-argument-error.js';
import { shown } from './shown.js';

/**
 * Throws InvalidArgumentError when `value` is no plain object or module (`import *`); `what` says what it must be. A Map
 * would seem empty.
 */
export function checkRecord(what: string, value: unknown): asserts value is Record<string, unknown> {
  const got = shown(value);
  if (got === 'object' || got === 'Module') return;
  const hint = got === 'Map' ? ' (Object.fromEntries(map) makes an object of it)' : '';
  throw new InvalidArgumentError(`${what}; got ${got}${hint}`);
}

/**
 * Throws InvalidArgumentError for an option that `call` does not have: a misspelt one would be lost in silence. And for a
 * `signal` or `onProgress` of the wrong kind.
 */
export function checkOptions<T extends object>(call: string, options: T, known: Record<keyof T, true>): void {
  const names = Object.keys(known).join(', ');
  checkRecord(`${call} takes an object of ${names}`, options);
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name));
  if (unknown !== undefined) throw new InvalidArgumentError(`${call} has no option '${unknown}'; it has ${names}`);
  const { signal, onProgress } = options as { signal?: Partial<AbortSignal> | null; onProgress?: unknown };
  if (signal != null && (typeof signal.addEventListener !== 'function' || typeof signal.aborted !== 'boolean')) {
    throw new InvalidArgumentError(`signal must be an AbortSignal, got ${shown(signal)}`);
  }
  if (onProgress != null && typeof onProgress !== 'function') {
    throw new InvalidArgumentError(`onProgress must be a function, got ${shown(onProgress)}`);
  }
}
