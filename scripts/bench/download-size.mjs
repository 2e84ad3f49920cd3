// What a page downloads to run a model: the largest single-thread .wasm and all entry JavaScript, brotli -q 11.
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { distDir, root } from '../lib/project.mjs';

export const limitBytes = 400 * 1024;

/** Bytes of brotli -q 11. */
export const brotliBytes = (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length;

/** The script and every script it imports, at once or later; those of the threaded builds are opt-in and left out. */
async function scriptClosure(entry) {
  const found = new Set();
  const queue = [entry];
  while (queue.length > 0) {
    const file = queue.pop();
    if (found.has(file) || /thread/.test(file)) continue;
    found.add(file);
    const text = await readFile(file, 'utf8');
    for (const [, path] of text.matchAll(/(?:from|import|import\()\s*["'](\.{1,2}\/[^"']+\.m?js)["']/g)) queue.push(join(dirname(file), path));
  }
  return [...found];
}

/** Of a package in `folder`: { files: [{ name, rawBytes, brotliBytes }], totalBytes, limitBytes } */
export async function downloadSize(folder = distDir) {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const measured = async (file) => {
    const bytes = await readFile(file);
    return { name: relative(root, file), rawBytes: bytes.length, brotliBytes: brotliBytes(bytes) };
  };
  const binaries = (await readdir(folder)).filter((name) => name.endsWith('.wasm') && !/thread/.test(name));
  if (binaries.length === 0) throw new Error('dist holds no .wasm file: run npm run build first');
  const sized = await Promise.all(binaries.map((name) => measured(join(folder, name))));
  const largest = sized.reduce((a, b) => (b.brotliBytes > a.brotliBytes ? b : a));
  const scripts = await scriptClosure(join(folder, basename(manifest.exports['.'].default)));
  const files = [largest, ...(await Promise.all(scripts.map(measured)))];
  return { files, totalBytes: files.reduce((sum, file) => sum + file.brotliBytes, 0), limitBytes };
}
