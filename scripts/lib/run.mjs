// Child processes: no standard input, output passed through; a failure is an exception naming the command.

import { spawn, spawnSync } from 'node:child_process';

import { baseEnv, root } from './project.mjs';

/** A failure whose message says all the user needs: the commands print it without a stack. */
export class Failure extends Error {}

const started = performance.now();

/** One line of progress, with the seconds since the command began. */
export function say(text) {
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`[kinglet ${String(seconds).padStart(4)}s] ${text}`);
}

const children = new Set();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    for (const child of children) kill(child, signal);
    process.exit(1);
  });
}

function kill(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/**
 * Runs a command to its end and resolves to its exit code (a signal counts as 128).
 * options: env (added to the base environment), cwd, timeoutMinutes (then it is killed: code 124).
 */
export function exitCode(command, args, { env = {}, cwd = root, timeoutMinutes = 40 } = {}) {
  return new Promise((resolve, reject) => {
    // A process group of its own, so that ending it ends what it started too.
    const child = spawn(command, args, {
      cwd, env: { ...baseEnv(), ...env }, stdio: ['ignore', 'inherit', 'inherit'], detached: true,
    });
    children.add(child);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      say(`${command} did not end within ${timeoutMinutes} minutes: stopping it`);
      kill(child, 'SIGKILL');
    }, timeoutMinutes * 60_000);
    const done = () => {
      clearTimeout(timer);
      children.delete(child);
    };
    child.on('error', (error) => { done(); reject(new Failure(`cannot run ${command}: ${error.message}`)); });
    child.on('close', (code, signal) => { done(); resolve(timedOut ? 124 : signal ? 128 : code); });
  });
}

/** Runs a command and throws a Failure unless it exits with 0. */
export async function run(command, args, options) {
  const code = await exitCode(command, args, options);
  if (code !== 0) throw new Failure(`failed (exit code ${code}): ${[command, ...args].join(' ')}`);
}

/** The standard output of a short command, trimmed; undefined when it fails or does not exist. */
export function output(command, args = [], env = {}) {
  const result = spawnSync(command, args, {
    cwd: root, env: { ...baseEnv(), ...env }, encoding: 'utf8', timeout: 60_000,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/** Runs `main`, prints a Failure as one message, and sets the exit code. */
export async function command(main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Failure ? `\nkinglet: ${error.message}` : error);
    process.exitCode = 1;
  }
}
