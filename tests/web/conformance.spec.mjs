// A slice of the ONNX conformance cases in Chromium; all of them run in Node (tests/node/conformance.test.mjs), and in
// Chromium by `npm run conformance -- --browser`.
import { expect, test } from '@playwright/test';
import { failuresOnPage } from '../conformance/pages.mjs';
import { conformanceSlice } from '../conformance/slice.mjs';

test('ONNX conformance cases of every family of operators', async ({ page }) => {
  const slice = await conformanceSlice();
  expect(slice.cases.length).toBeGreaterThan(slice.least);
  expect(await failuresOnPage(page, slice)).toEqual([]);
});
