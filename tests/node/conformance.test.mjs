// The ONNX conformance cases that are known to pass still do, through the shipped wasm and the public API.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { suites } from '../conformance/data.mjs';
import { progressLine, readExpected, runConformance } from '../conformance/run.mjs';

let expected;
let results;
before(async () => {
  expected = await readExpected();
  ({ results } = await runConformance({ onProgress: progressLine() }));
});

describe('ONNX conformance', () => {
  for (const suite of suites) {
    test(suite, () => {
      const ids = expected.filter((id) => id.startsWith(`${suite}/`));
      assert.ok(ids.length > 0, 'the list of expected cases has this suite');
      const lost = ids.filter((id) => !results.get(id)?.passed).map((id) => `${id}: ${results.get(id)?.reason ?? 'no such case'}`);
      assert.deepEqual(lost, []);
    });
  }
});
