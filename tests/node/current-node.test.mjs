// The library's own tests once more in a current Node, which takes the relaxed SIMD binary.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const node = path('../../node_modules/node/bin/node');

describe('a current Node', () => {
  test('takes the relaxed SIMD binary', async () => {
    const code = "import { features } from 'kinglet'; console.log(features().variant)";
    const { stdout } = await run(node, ['--input-type=module', '-e', code], { cwd: path('.') });
    assert.equal(stdout, 'relaxed\n');
  });

  for (const name of ['tensor', 'session', 'sources', 'errors', 'memory', 'ocr', 'threads']) {
    test(`${name}: all pass`, async () => {
      // Inside of a test run, Node would have its child report to the parent.
      const { NODE_TEST_CONTEXT: _, ...env } = process.env;
      const { stdout } = await run(node, ['--test-reporter=tap', path(`${name}.test.mjs`)], { env }).catch((error) => {
        assert.fail(`${error.stdout}${error.stderr}`);
      });
      assert.match(stdout, /^# fail 0$/m);
      assert.match(stdout, /^# pass [1-9]/m);
    });
  }
});
