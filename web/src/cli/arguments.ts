// `NAME=text` of the command line.
import { UsageError } from './usage-error.js';

function parts(argument: string, option: string, at: number): [name: string, text: string] {
  if (at <= 0) throw new UsageError(`--${option} wants NAME=..., got '${argument}'`);
  return [argument.slice(0, at), argument.slice(at + 1)];
}

/** For names that may hold '=', as an input's. */
export const splitAtLast = (argument: string, option: string) => parts(argument, option, argument.lastIndexOf('='));

/** `weights.bin=../data/weights.bin` to paths by name. */
export function readFiles(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(given.map((argument) => parts(argument, 'external-data', argument.indexOf('='))));
}
