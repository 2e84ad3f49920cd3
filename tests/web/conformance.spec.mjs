// A slice of the ONNX conformance cases in Chromium; all of them run in Node (tests/node/conformance.test.mjs), and in
// Chromium by `npm run conformance -- --browser`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { operatorId, readOperators } from '../../scripts/lib/model-operators.mjs';
import { readRegistry } from '../../scripts/lib/registry.mjs';
import { openPage, runCaseOnPage, serveConformance } from '../conformance/chromium.mjs';
import { conformanceData, listCases } from '../conformance/data.mjs';
import { readExpected } from '../conformance/run.mjs';

const every = 10;

/** Every tenth of the cases, and the first of each family of operators that those leave out. */
function sliceOf(cases) {
  const familyOf = new Map(readRegistry().map((operator) => [operatorId(operator), operator.family]));
  const familiesOf = ({ folder }) => readOperators(readFileSync(join(folder, 'model.onnx'))).map((id) => familyOf.get(id));
  const slice = cases.filter((_, i) => i % every === 0);
  const seen = new Set(slice.flatMap(familiesOf));
  for (const row of cases) {
    const families = familiesOf(row);
    if (families.every((family) => seen.has(family))) continue;
    slice.push(row);
    for (const family of families) seen.add(family);
  }
  return slice;
}

test('ONNX conformance cases of every family of operators', async ({ page }) => {
  const dataFolder = await conformanceData();
  const expected = new Set(await readExpected());
  const cases = sliceOf((await listCases(dataFolder)).filter(({ id }) => expected.has(id)));
  expect(cases.length).toBeGreaterThan(expected.size / every);
  const server = await serveConformance({ protoFolder: dataFolder, dataFolder });
  try {
    await openPage(page, server.origin);
    const lost = [];
    for (const row of cases) {
      const { failure } = await runCaseOnPage(page, row);
      if (failure) lost.push(`${row.id}: ${failure.reason}`);
    }
    expect(lost).toEqual([]);
  } finally {
    await server.close();
  }
});
