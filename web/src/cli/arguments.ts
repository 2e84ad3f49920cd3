// `NAME=text` of the command line.
import { UsageError } from './usage-error.js';

function parts(argument: string, option: string, at: number): [name: string, text: string] {
  if (at <= 0) throw new UsageError(`--${option} wants NAME=..., got '${argument}'`);
  return [argument.slice(0, at), argument.slice(at + 1)];
}

/** For names that may hold '=', as an input's. */
export const splitAtLast = (argument: string, option: string) => parts(argument, option, argument.lastIndexOf('='));

const splitAtFirst = (argument: string, option: string) => parts(argument, option, argument.indexOf('='));

/** What `read` makes of each argument of an option, by name; a name can be given once. */
export function byName<T>(option: string, given: readonly string[], read: (argument: string, option: string) => [name: string, value: T]): Map<string, T> {
  const values = new Map<string, T>();
  for (const argument of given) {
    const [name, value] = read(argument, option);
    if (values.has(name)) throw new UsageError(`--${option} ${name}=... is given twice`);
    values.set(name, value);
  }
  return values;
}

/** `weights.bin=../data/weights.bin` to paths by name. */
export const readFiles = (given: readonly string[]) => Object.fromEntries(byName('external-data', given, splitAtFirst));

/** What parseArgs() throws, in one line. */
export function argumentMistake(error: unknown): string {
  const { code, message } = error as Error & { code?: string };
  const option = /'(?:-\w, )?(-[^\s']+)/.exec(message)?.[1];
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && option) return `there is no option ${option}`;
  if (code !== 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE' || !option) return message;
  if (message.includes('does not take')) return `${option} takes no value`;
  return message.includes('ambiguous') ? `${option} wants a value; one that begins with '-' is written ${option}=-...` : `${option} wants a value`;
}
