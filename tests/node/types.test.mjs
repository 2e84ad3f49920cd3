// The published types, compiled as an application would: strict, with the declarations checked too.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const tsc = path('../../node_modules/typescript/bin/tsc');
const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--skipLibCheck', 'false', '--target', 'es2022'];
const bundler = ['--module', 'esnext', '--moduleResolution', 'bundler'];
const nodenext = ['--module', 'nodenext'];

async function compile(...args) {
  await run(process.execPath, [tsc, ...args], { cwd: path('.') }).catch((error) => {
    assert.fail(`${error.stdout}${error.stderr}`);
  });
}

describe('types', () => {
  for (const [label, file, args] of [
    ['no library but the language', 'any-host.ts', [...bundler, '--lib', 'es2022', '--types', '']],
    ['no library, as Node resolves', 'any-host.ts', [...nodenext, '--lib', 'es2022', '--types', '']],
    ['the newest language', 'any-host.ts', [...bundler, '--lib', 'esnext', '--types', '']],
    ['a browser', 'browser.ts', [...bundler, '--lib', 'es2022,dom', '--types', '']],
    ['a browser, the newest', 'browser.ts', [...bundler, '--lib', 'esnext,dom,dom.iterable', '--types', '']],
    ['Node', 'node.ts', [...nodenext, '--lib', 'es2022', '--types', 'node']],
  ]) {
    test(label, () => compile(...strict, ...args, path(`types/${file}`)));
  }

  test('the demo', () => compile('-p', path('../../demo')));
});
