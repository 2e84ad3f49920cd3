// What the scripts behind `npm run build`, `npm test`, `npm run size` and `npm run bench` say to their command lines.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../../scripts/lib/project.mjs';

/** Resolves to { code, stdout, stderr }. */
const script = (name, ...args) => new Promise((resolve) => {
  execFile(process.execPath, [join(root, 'scripts', name), ...args], (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }));
});

for (const [name, usage] of [
  ['build.mjs', /^usage: npm run build /], ['test.mjs', /^usage: npm test /], ['size.mjs', /^usage: npm run size /],
  ['bench.mjs', /^usage: npm run bench /],
]) {
  test(`${name} explains itself`, async () => {
    for (const option of ['--help', '-h']) {
      const { code, stdout, stderr } = await script(name, option);
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, usage);
    }
  });
}

for (const [args, message] of [
  [['build.mjs', 'package', '--op', 'Gelu'], /^\nkinglet: there is no option --op\nusage: npm run build /],
  [['build.mjs', 'package', '--ops'], /^\nkinglet: --ops wants a value\nusage: npm run build /],
  [['build.mjs', 'package', '--ops', '--out', 'x'], /^\nkinglet: --ops wants a value\nusage: /],
  [['build.mjs', 'package', '--help=1'], /^\nkinglet: --help takes no value\nusage: /],
  [['build.mjs', 'everything'], /^\nkinglet: unknown step everything; there are: wasm, package, /],
  [['build.mjs', '--ops', 'Gelu'], /^\nkinglet: --ops goes with the step package\n$/],
  [['test.mjs', '--quick'], /^\nkinglet: there is no option --quick\nusage: npm test /],
  [['test.mjs', 'everything'], /^\nkinglet: unknown part everything; there are: native, /],
  [['bench.mjs', '--case', 'conv'], /^\nkinglet: there is no option --case\nusage: npm run bench /],
  [['size.mjs', 'package'], /^\nkinglet: Unexpected argument 'package'\nusage: npm run size /],
]) {
  test(`${args.join(' ')} is told without a stack`, async () => {
    const { code, stdout, stderr } = await script(...args);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n\s+at /);
  });
}
