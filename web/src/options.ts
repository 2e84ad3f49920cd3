import { InvalidArgumentError } from './errors/invalid-argument-error.js';

/** Throws InvalidArgumentError for an option that `call` does not have: a misspelt one would be lost in silence. */
export function checkOptions<T extends object>(call: string, options: T, known: Record<keyof T, true>): void {
  if (typeof options !== 'object' || options === null) throw new InvalidArgumentError(`the options of ${call} must be an object`);
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name));
  if (unknown === undefined) return;
  throw new InvalidArgumentError(`${call} has no option '${unknown}'; it has ${Object.keys(known).join(', ')}`);
}
