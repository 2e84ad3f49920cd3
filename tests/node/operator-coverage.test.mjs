// Every operator that the core registers is run by some test: an ONNX case that passes, a model compared with
// onnxruntime-web, or a C++ test.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operatorsOfCases, operatorsOfNativeTests, operatorsOfSmallModels, uncovered } from '../conformance/coverage.mjs';
import { conformanceData, listCases } from '../conformance/data.mjs';
import { readExpected } from '../conformance/run.mjs';

test('every operator is run by a test', async () => {
  const expected = new Set(await readExpected());
  const cases = (await listCases(await conformanceData())).filter(({ id }) => expected.has(id));
  const covered = [await operatorsOfCases(cases), await operatorsOfSmallModels(), await operatorsOfNativeTests()];
  for (const operators of covered) assert.ok(operators.size > 20, 'each kind of test names operators');
  assert.deepEqual(uncovered(...covered), []);
});
