// What pages and hosts forbid, and what an import may not do.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));
const dist = new URL('../../dist/', import.meta.url);

describe('the package’s JavaScript', async () => {
  const scripts = (await readdir(dist)).filter((name) => name.endsWith('.js'));

  test('is there', () => assert.ok(scripts.includes('index.js') && scripts.includes('ocr.js')));

  for (const name of scripts) {
    test(`${name}: makes no code of text`, async () => {
      const text = await readFile(new URL(name, dist), 'utf8');
      assert.doesNotMatch(text, /\beval\s*\(/);
      assert.doesNotMatch(text, /\bnew Function\b|[^.\w]Function\s*\(/);
      assert.doesNotMatch(text, /\bset(Timeout|Interval)\s*\(\s*["'`]/);
    });

    test(`${name}: names no other server`, async () => {
      const text = await readFile(new URL(name, dist), 'utf8');
      assert.deepEqual(text.match(/(https?:)?\/\/[a-z0-9-]+\.[a-z]{2,}[^"'`]*/gi)?.filter((url) => !url.startsWith('https://git-lfs')) ?? [], []);
    });
  }

  test('index.js finds its binaries as bundlers want it', async () => {
    const text = await readFile(new URL('index.js', dist), 'utf8');
    for (const variant of ['simd', 'relaxed']) assert.match(text, new RegExp(`new URL\\("\\./${variant}\\.wasm",import\\.meta\\.url\\)`));
    assert.doesNotMatch(text, /["'`]node:/);
  });
});

describe('a host', () => {
  test('that forbids code of text runs models', async () => {
    const code = `
      import { Session, Tensor } from 'kinglet';
      import { addOne } from './helpers/onnx.mjs';
      let forbidden = false;
      try { new Function('1'); } catch { forbidden = true; }
      const session = await Session.load(addOne());
      const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1, 2, 3), [1, 3]) });
      console.log(JSON.stringify({ forbidden, y: [...y.data] }));`;
    const { stdout } = await run(process.execPath, ['--disallow-code-generation-from-strings', '--input-type=module', '-e', code], { cwd: here });
    assert.deepEqual(JSON.parse(stdout), { forbidden: true, y: [2, 3, 4] });
  });

  for (const name of ['index.js', 'ocr.js', 'node.js']) {
    test(`imports ${name} without any of its globals being touched, or added`, async () => {
      const code = `
        const touched = [];
        for (const key of ['fetch', 'window', 'document', 'self', 'process', 'performance', 'WebAssembly', 'navigator', 'location', 'caches']) {
          const value = globalThis[key];
          Object.defineProperty(globalThis, key, { configurable: true, get: () => (touched.push(key), value) });
        }
        const before = Reflect.ownKeys(globalThis).length;
        const module = await import(${JSON.stringify(new URL(name, dist).href)});
        const seen = touched.splice(0);
        const added = Reflect.ownKeys(globalThis).length - before;
        console.log(JSON.stringify({ seen, added, exports: Object.keys(module).length > 0 }));`;
      const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: here });
      assert.deepEqual(JSON.parse(stdout), { seen: [], added: 0, exports: true });
    });
  }
});
