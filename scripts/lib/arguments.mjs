// Options of the command line.

import { parseArgs } from 'node:util';

import { Failure } from './run.mjs';

/** What is wrong, in one line, of an error by parseArgs(). */
function mistake({ code, message }) {
  const option = /'(?:-\w, )?(-[^\s']+)/.exec(message)?.[1];
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && option) return `there is no option ${option}`;
  if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') return message.split('. ')[0];
  if (code !== 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE' || !option) return undefined;
  return message.includes('does not take') ? `${option} takes no value` : `${option} wants a value`;
}

/** As parseArgs(), with --help (-h) beside the other options; a mistake is a Failure that ends with `usage`. */
export function readArguments({ usage, options, ...settings }) {
  try {
    return parseArgs({ ...settings, options: { ...options, help: { type: 'boolean', short: 'h', default: false } } });
  } catch (error) {
    const text = mistake(error);
    throw text ? new Failure(`${text}\n${usage}`) : error;
  }
}
