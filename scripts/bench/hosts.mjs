// Where cases run: a current Node, and headless Chromium. Every case gets a fresh process or browser context.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { currentNode } from '../lib/project.mjs';
import { findChromium } from '../setup.mjs';
import { serveBench } from './server.mjs';

const run = promisify(execFile);
const nodeHostScript = fileURLToPath(new URL('./node-host.mjs', import.meta.url));

async function openNode(models) {
  const folder = await mkdtemp(join(tmpdir(), 'kinglet-bench-'));
  const { stdout } = await run(currentNode, ['-p', 'process.version + " (V8 " + process.versions.v8 + ")"']);
  return {
    label: `Node ${stdout.trim()}`,
    async measure(job) {
      const file = join(folder, 'job.json');
      await writeFile(file, JSON.stringify({ ...job, modelPath: models[job.model], tinyPath: models.tiny }));
      const result = await run(currentNode, [nodeHostScript, file], { maxBuffer: 1 << 26 }).catch((error) => {
        throw new Error(`case ${job.case} in Node: ${error.stderr || error.message}`);
      });
      return JSON.parse(result.stdout.trim().split('\n').at(-1));
    },
    close: () => rm(folder, { recursive: true }),
  };
}

async function openChromium(models) {
  const { chromium } = await import('playwright-core');
  const executablePath = findChromium();
  if (!executablePath) throw new Error('no Chromium was found: install it, or set KINGLET_CHROMIUM');
  const server = await serveBench(models);
  // Containers and root have no sandbox to offer; the pages are our own.
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  return {
    label: `Chromium ${browser.version()}`,
    async measure(job) {
      const context = await browser.newContext();
      try {
        const page = await context.newPage();
        const problems = [];
        page.on('pageerror', (error) => problems.push(String(error)));
        await page.goto(server.origin);
        await page.waitForFunction(() => 'runJob' in globalThis, null, { timeout: 30000 }).catch(() => {
          throw new Error(`the benchmark page did not start: ${problems.join('; ')}`);
        });
        const rows = job.rows.map((row) => ({
          ...row,
          options: row.factory === 'ort' ? { ...row.options, wasmPaths: '/node_modules/onnxruntime-web/dist/' } : row.options,
        }));
        return await page.evaluate((given) => globalThis.runJob(given), { ...job, rows, modelUrl: `/model/${job.model}`, tinyUrl: '/model/tiny' });
      } finally {
        await context.close();
      }
    },
    async close() {
      await browser.close();
      await server.close();
    },
  };
}

/** By name: open(models) -> { label, measure(job), close() }; models maps model names to files. */
export const hosts = { node: openNode, chromium: openChromium };
