// A slice of the ONNX conformance cases in Chromium; all of them run in Node (tests/node/conformance.test.mjs), and in
// Chromium by `npm run conformance -- --browser`.
import { expect, test } from '@playwright/test';
import { openPage, runCaseOnPage, serveConformance } from '../conformance/pages.mjs';
import { conformanceSlice } from '../conformance/slice.mjs';

test('ONNX conformance cases of every family of operators', async ({ page }) => {
  const { cases, dataFolder } = await conformanceSlice();
  expect(cases.length).toBeGreaterThan(150);
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
