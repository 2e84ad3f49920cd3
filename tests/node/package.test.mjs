// What the npm package holds, and that its exports lead to files of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pack } from '../package/install.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Every path in a package.json exports tree. */
function targets(exports) {
  return typeof exports === 'string' ? [exports] : Object.values(exports).flatMap(targets);
}

describe('npm package', () => {
  let files;
  before(() => {
    files = pack('--dry-run').files.map((file) => file.path);
  });

  test('holds dist/, README, LICENSE and package.json only', () => {
    const rest = files.filter((path) => !path.startsWith('dist/')).sort();
    assert.deepEqual(rest, ['LICENSE', 'README.md', 'package.json']);
    const kinds = /^dist\/[\w.-]+\.(js|wasm)$|^dist\/([\w-]+\/)*[\w.-]+\.d\.ts$/;
    assert.deepEqual(files.filter((path) => path.startsWith('dist/') && !kinds.test(path)), []);
  });

  test('every export is a file of the package', () => {
    const missing = targets(manifest.exports).filter((path) => !files.includes(path.replace('./', '')));
    assert.deepEqual(missing, []);
  });

  test('its command is an executable script of the package', () => {
    assert.ok(files.includes(manifest.bin.kinglet));
    assert.match(readFileSync(join(root, manifest.bin.kinglet), 'utf8'), /^#!\/usr\/bin\/env node\n/);
  });

  test('has no dependencies and the Apache licence', () => {
    for (const field of ['dependencies', 'optionalDependencies', 'peerDependencies', 'bundleDependencies']) {
      assert.equal(manifest[field], undefined, field);
    }
    assert.equal(manifest.license, 'Apache-2.0');
    assert.match(readFileSync(join(root, 'LICENSE'), 'utf8'), /Apache License\s+Version 2\.0, January 2004/);
  });

  test('names no file that is not packed, and uses no eval', () => {
    for (const path of files.filter((name) => name.endsWith('.js'))) {
      const text = readFileSync(join(root, path), 'utf8');
      assert.doesNotMatch(text, /\beval\(|new Function\(/, path);
      for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*["'](\.[^"']+)["']/g)) {
        assert.ok(files.includes(join(dirname(path), specifier)), `${path} imports ${specifier}`);
      }
      for (const [, url] of text.matchAll(/new URL\(\s*["'`](\.[^"'`]+)["'`]\s*,\s*import\.meta\.url/g)) {
        assert.ok(files.includes(join(dirname(path), url)), `${path} refers to ${url}`);
      }
    }
  });

  test('a page downloads at most 400 KiB of brotli to run a model', () => {
    const largest = Math.max(...files.filter((name) => name.endsWith('.wasm'))
      .map((name) => brotliCompressSync(readFileSync(join(root, name))).length));
    const entries = ['.', './ocr'].map((name) => manifest.exports[name].default);
    const scripts = entries.reduce((sum, name) => sum + brotliCompressSync(readFileSync(join(root, name))).length, 0);
    assert.ok(largest + scripts <= 400 * 1024, `wasm ${largest} + JavaScript ${scripts} bytes`);
  });

  test('publint finds nothing to mend', async () => {
    const { publint } = await import('publint');
    const { messages } = await publint({ pkgDir: root, strict: true });
    assert.deepEqual(messages, []);
  });

  test('package-lock.json names no download address', () => {
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
    const withAddress = Object.entries(lock.packages).filter(([, entry]) => entry.resolved).map(([name]) => name);
    assert.deepEqual(withAddress, []);
  });
});
