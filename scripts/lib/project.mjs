// Where things are, and the environment that the project's own commands run in.

import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const buildDir = join(root, 'build');
export const distDir = join(root, 'dist');
export const demoDir = join(buildDir, 'demo');

/** Emscripten and the C++ libraries, shared by all checkouts of one user. */
export const toolchain = resolve(
  process.env.KINGLET_TOOLCHAIN || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'kinglet'),
);

/** The user's own Node. npm puts node_modules/.bin, where a newer one lies, first on a script's PATH. */
export const hostNode = process.env.npm_node_execpath || process.execPath;

/** The current Node of the `node` development dependency: its V8 computes relaxed SIMD right. */
export const currentNode = join(root, 'node_modules', 'node', 'bin', 'node');

/** The environment for child processes: the user's PATH without npm's additions. */
export function baseEnv() {
  const env = { ...process.env, KINGLET_TOOLCHAIN: toolchain };
  const ofNpm = /[\\/]node_modules[\\/]|[\\/]node-gyp-bin$/;
  const path = (env.PATH ?? '').split(delimiter).filter((folder) => !ofNpm.test(folder));
  if (!path.includes(dirname(hostNode))) path.push(dirname(hostNode));
  env.PATH = path.join(delimiter);
  return env;
}

/** What a user sees of a path: relative to the repository where it lies inside. */
export function shown(path) {
  return path.startsWith(root) ? path.slice(root.length + 1) || '.' : path;
}
