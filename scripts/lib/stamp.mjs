// Steps that are skipped while their inputs are unchanged: a stamp holds a hash of their names and contents.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { buildDir } from './project.mjs';

/** All files under the given files and folders, sorted. Missing ones are left out. */
export function filesUnder(paths) {
  const found = [];
  const visit = (path) => {
    if (!existsSync(path)) return;
    if (!statSync(path).isDirectory()) return void found.push(path);
    for (const name of readdirSync(path)) if (name !== 'node_modules') visit(join(path, name));
  };
  for (const path of paths) visit(path);
  return found.sort();
}

/** A hash over the names and contents of files and folders, and over extra text. */
export function contentHash(paths, extra = '') {
  const hash = createHash('sha256').update(extra);
  for (const file of filesUnder(paths)) hash.update(`\0${file}\0`).update(readFileSync(file));
  return hash.digest('hex');
}

/**
 * Calls `work` unless the stamp `name` says that it was done with these inputs and all `outputs` are there.
 * Resolves to whether it ran.
 */
export async function stamped(name, { inputs, outputs, extra }, work, file = join(buildDir, 'stamps', name)) {
  const hash = contentHash(inputs, extra);
  const known = existsSync(file) && readFileSync(file, 'utf8') === hash;
  if (known && outputs.every((path) => existsSync(path))) return false;
  rmSync(file, { force: true });
  await work();
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, hash);
  return true;
}
