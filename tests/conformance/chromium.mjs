// Runs conformance cases in headless Chromium.
import { chromium } from 'playwright-core';
import { findChromium } from '../../scripts/setup.mjs';
import { openPage, runCaseOnPage, serveConformance } from './pages.mjs';

/** As `runSuite` in suite.mjs; resolves to { results, version } with the browser's. */
export async function runSuiteInChromium({ engineName, options, protoFolder, dataFolder, cases, onProgress = () => {} }) {
  const executablePath = findChromium();
  if (!executablePath) throw new Error('no Chromium was found: install it, or set KINGLET_CHROMIUM');
  const server = await serveConformance({ protoFolder, dataFolder });
  // Containers and root have no sandbox to offer; the page is our own.
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const results = new Map();
  let context;
  let page;
  try {
    for (const row of cases) {
      if (!page) {
        context = await browser.newContext();
        page = await context.newPage();
        await openPage(page, server.origin, { engineName, options });
      }
      try {
        const { failure, operators } = await runCaseOnPage(page, row);
        results.set(row.id, { passed: !failure, ...failure, operators });
      } catch (error) {
        results.set(row.id, { passed: false, stage: 'run', reason: error.message });
        await context.close();
        page = undefined;
      }
      onProgress(results, cases.length);
    }
    return { results, version: `Chromium ${browser.version()}` };
  } finally {
    await browser.close();
    await server.close();
  }
}
