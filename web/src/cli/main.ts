#!/usr/bin/env node
// The command `kinglet`.
import { createRequire } from 'node:module';
import { KingletError } from '../index.js';
import { profileCommand, profileUsage } from './profile.js';
import { UsageError } from './usage-error.js';

const commands: Record<string, (args: string[]) => Promise<void>> = { profile: profileCommand };
const usage = `usage: kinglet COMMAND\n\n${profileUsage}\n\nkinglet --version                 the version of the package`;

/** By the package's own name: its package.json lies beside dist/, or in a package of some operators beside this file. */
function version(): string {
  return (createRequire(import.meta.url)('kinglet/package.json') as { version: string }).version;
}

async function main([name, ...args]: string[]): Promise<void> {
  if (name !== undefined && Object.hasOwn(commands, name)) return commands[name]!(args);
  if (name === undefined || ['help', '--help', '-h'].includes(name)) return console.log(usage);
  if (name === 'version' || name === '--version') return console.log(version());
  throw new UsageError(`there is no command '${name}'\n${usage}`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  // What users can mend is a message; anything else is a bug, whose stack helps.
  console.error(error instanceof UsageError || error instanceof KingletError ? `kinglet: ${error.message}` : error);
  process.exitCode = 1;
}
