// The demo, the library and its speed in Firefox. SpiderMonkey compiles WebAssembly in its own way: what is quick in V8 may
// be slow in it, and was.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { cases } from '../../scripts/bench/cases.mjs';
import { hosts } from '../../scripts/bench/hosts.mjs';
import { openFirefox } from '../../scripts/lib/firefox.mjs';
import { buildDir, demoDir, root } from '../../scripts/lib/project.mjs';
import { serve } from '../../scripts/serve.mjs';
import { failuresOnPage } from '../conformance/pages.mjs';
import { conformanceSlice } from '../conformance/slice.mjs';
import { models } from '../models/catalog.mjs';

describe('in Firefox', () => {
  let browser;
  before(async () => {
    browser = await openFirefox();
  });
  after(() => browser?.close());

  test('the demo reads the sample, and refuses a file that is no picture', async () => {
    const server = await serve(demoDir, 0);
    const page = await browser.newPage();
    const problems = [];
    page.on('console', (message) => ['error', 'warn'].includes(message.type()) && problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(String(error)));
    const text = (selector) => page.$eval(selector, (element) => element.innerText);
    try {
      await page.goto(`http://localhost:${server.address().port}/`);
      await (await page.$('::-p-text(Try the sample)')).click();
      await page.waitForFunction(() => document.querySelectorAll('[data-testid=ocr-text] li').length === 15);
      assert.match(await text('[data-testid=ocr-text]'), /^The Kinglet\n.*buy oat milk!/s);
      await (await page.$('input[type=file]')).uploadFile(join(root, 'README.md'));
      await page.waitForFunction(() => document.querySelector('[role=alert] p').innerText.includes('README.md'));
      assert.match(await text('[data-testid=ocr-text]'), /^The Kinglet\n/);
      assert.deepEqual(problems, []);
    } finally {
      await page.close();
      server.closeAllConnections();
      server.close();
    }
  });

  test('ONNX conformance cases of every family of operators', async () => {
    const slice = await conformanceSlice();
    assert.ok(slice.cases.length > slice.least);
    const page = await browser.newPage();
    try {
      assert.deepEqual(await failuresOnPage(page, slice), []);
    } finally {
      await page.close();
    }
  });
});

describe('beside onnxruntime-web in Firefox', () => {
  const names = ['matmul512', 'mobilenetv2', 'minilm-int8-s16'];
  const rows = names.map((name) => cases.find((row) => row.name === name));
  let host;
  before(async () => {
    const files = { kernel: join(buildDir, 'wasm/tests/register_kernel.wasm') };
    for (const name of ['tiny', ...rows.map(({ model }) => model)]) files[name] = await models.find((model) => model.name === name).path();
    host = await hosts.firefox(files);
  });
  after(() => host?.close());

  for (const { name, model, label, operations } of rows) {
    test(label, async () => {
      const { measured, kernelGops } = await host.measure({
        kind: 'steady', case: name, model, baseline: 'onnxruntime-web', warmUpSeconds: 0.5, seconds: 0.5,
        rows: [
          { name: 'onnxruntime-web', factory: 'ort', options: { threads: 1 } },
          { name: 'kinglet', factory: 'kinglet', options: {} },
          { name: 'kinglet-2-threads', factory: 'kinglet', options: { threads: 2 } },
        ],
      });
      for (const { engine, faults } of measured) assert.deepEqual(faults, [], `${engine}'s results`);
      const [other, own] = measured;
      assert.ok(own.medianMs < other.medianMs, `${own.medianMs} ms is no less than onnxruntime-web's ${other.medianMs}`);
      if (model.startsWith('matmul')) {
        const share = operations / own.medianMs / 1e6 / kernelGops;
        assert.ok(share > 0.65, `${Math.round(share * 100)} % of a register kernel: are sums kept in memory?`);
      }
    });
  }
});
