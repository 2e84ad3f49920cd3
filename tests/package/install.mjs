// The package as its users get it: packed, and installed by npm in a folder outside the tree.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostNode, root } from '../../scripts/lib/project.mjs';

/** Runs npm, the one that runs the tests where there is one, and returns what it prints. */
function npm(args, folder) {
  const [program, ...before] = process.env.npm_execpath ? [hostNode, process.env.npm_execpath] : ['npm'];
  const options = { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] };
  return execFileSync(program, [...before, ...args], options);
}

/** What `npm pack` with these arguments says of the package. */
export function pack(...args) {
  const packed = JSON.parse(npm(['pack', '--json', '--ignore-scripts', ...args], root));
  const [entry] = Array.isArray(packed) ? packed : Object.values(packed);  // npm 12 answers by name
  return entry;
}

/**
 * Makes an application of `files` (path: content) that has the package installed.
 * @returns {{folder: string, remove: () => void}}
 */
export function makeApp(files) {
  const folder = mkdtempSync(join(tmpdir(), 'kinglet-app-'));
  const { filename } = pack('--pack-destination', folder);
  const all = { 'package.json': '{ "private": true, "type": "module" }', ...files };
  for (const [path, content] of Object.entries(all)) writeFileSync(join(folder, path), content);
  npm(['install', '--offline', '--no-audit', '--no-fund', `./${filename}`], folder);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
