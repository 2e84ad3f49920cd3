#!/usr/bin/env node
// The command `kinglet`.
import { KingletError } from '../index.js';
import { profileCommand, profileUsage } from './profile.js';
import { UsageError } from './usage-error.js';

const commands: Record<string, (args: string[]) => Promise<void>> = { profile: profileCommand };
const usage = `usage: kinglet COMMAND\n\n${profileUsage}`;

async function main([name, ...args]: string[]): Promise<void> {
  const command = commands[name ?? ''];
  if (command) return command(args);
  if (name === undefined || name === 'help' || name === '--help') return console.log(usage);
  throw new UsageError(`there is no command '${name}'\n${usage}`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  // What users can mend is a message; anything else is a bug, whose stack helps.
  console.error(error instanceof UsageError || error instanceof KingletError ? `kinglet: ${error.message}` : error);
  process.exitCode = 1;
}
