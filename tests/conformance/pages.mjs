// Conformance cases in a browser's page, through dist/ as a page loads it. Pages are Playwright's or Puppeteer's.
import { tmpdir } from 'node:os';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';
import { engineFolders, engineImports, pageText, servePage } from '../../scripts/lib/page-server.mjs';
import { folderFiles } from './data.mjs';
import { caseLimitMs } from './suite.mjs';

const pageScript = fileURLToPath(new URL('./page.mjs', import.meta.url));

/** Serves the page and the cases of a data folder: { origin, close() }. */
export async function serveConformance({ protoFolder, dataFolder }) {
  const folder = await mkdtemp(join(tmpdir(), 'kinglet-conformance-'));
  const imports = await engineImports();
  const script = join(folder, 'page.js');
  const external = Object.keys(imports);
  await esbuild.build({ entryPoints: [pageScript], bundle: true, format: 'esm', outfile: script, external: [...external, 'node:*'], logLevel: 'warning' });
  const server = await servePage({
    page: pageText({ title: 'Kinglet conformance', script: '/page.js', imports }),
    folders: { ...engineFolders, '/proto/': protoFolder, '/cases/': dataFolder },
    files: { '/page.js': script },
  });
  return {
    origin: server.origin,
    async close() {
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Opens the page and the engine in it. */
export async function openPage(page, origin, { engineName = 'kinglet', options = {} } = {}) {
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(origin);
  // Its script has run by now.
  if (!(await page.evaluate(() => 'openConformance' in globalThis))) {
    throw new Error(`the conformance page did not start: ${problems.join('; ')}`);
  }
  const wasmPaths = engineName === 'ort' ? { wasmPaths: '/node_modules/onnxruntime-web/dist/' } : {};
  await page.evaluate((given) => globalThis.openConformance(given), { engineName, options: { ...options, ...wasmPaths } });
}

function within(milliseconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${milliseconds / 1000} s`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** { failure, operators } of a case ({ id, folder }); a page that hangs or dies throws. */
export async function runCaseOnPage(page, { id, folder }) {
  const { names } = await folderFiles(folder);
  return within(caseLimitMs, page.evaluate((given) => globalThis.runConformanceCase(given), { id, names }));
}

/** What is wrong with the cases of a data folder on `page`, a line for each that fails. */
export async function failuresOnPage(page, { cases, dataFolder }) {
  const server = await serveConformance({ protoFolder: dataFolder, dataFolder });
  try {
    await openPage(page, server.origin);
    const failures = [];
    for (const row of cases) {
      const { failure } = await runCaseOnPage(page, row);
      if (failure) failures.push(`${row.id}: ${failure.reason}`);
    }
    return failures;
  } finally {
    await server.close();
  }
}
