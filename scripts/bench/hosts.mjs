// Where cases run: a current Node, headless Chromium, and headless Firefox. Every job gets a fresh process or browser context.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { openFirefox } from '../lib/firefox.mjs';
import { currentNode } from '../lib/project.mjs';
import { output } from '../lib/run.mjs';
import { findChromium } from '../setup.mjs';
import { litertFiles, rivalsDir, tfjsFiles } from './rival-packages.mjs';
import { serveBench } from './server.mjs';

const nodeHostScript = fileURLToPath(new URL('./node-host.mjs', import.meta.url));

const mostMinutes = 5;

/**
 * The line that a Node process prints. It is killed then: threads of an engine would keep it, and so may V8's compiler, which
 * can be at work still.
 */
function lineOf(args, what) {
  return new Promise((resolve, reject) => {
    const child = spawn(currentNode, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, errors] = ['', ''];
    const fail = (why) => reject(new Error(`${what}: ${why}\n${errors}`));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`did not end within ${mostMinutes} minutes`);
    }, mostMinutes * 60_000);
    child.stdout.on('data', (chunk) => {
      out += chunk;
      if (out.endsWith('\n')) child.kill('SIGKILL');
    });
    child.stderr.on('data', (chunk) => { errors += chunk; });
    child.on('error', (error) => fail(error.message));
    child.on('close', () => {
      clearTimeout(timer);
      if (out.endsWith('\n')) resolve(out.trim().split('\n').at(-1));
      else fail('ended without a result');
    });
  });
}

/** The job with what engines need to know of a host: options by factory. */
function adapted(job, extra) {
  const adapt = (row) => row && { ...row, options: { ...row.options, ...extra[row.factory] } };
  return { ...job, row: adapt(job.row), rows: job.rows?.map(adapt) };
}

async function openNode(files) {
  const folder = await mkdtemp(join(tmpdir(), 'kinglet-bench-'));
  const version = output(currentNode, ['-p', 'process.version + " (V8 " + process.versions.v8 + ")"']);
  const tfjs = { module: pathToFileURL(join(rivalsDir, tfjsFiles.node)).href, wasmFolder: join(rivalsDir, tfjsFiles.wasm) };
  return {
    label: `Node ${version}`,
    async measure(job) {
      const file = join(folder, 'job.json');
      const paths = { model: files[job.model], tiny: files.tiny, kernel: files.kernel };
      await writeFile(file, JSON.stringify({ ...adapted(job, { tfjs }), files: paths }));
      return JSON.parse(await lineOf([nodeHostScript, file], `case ${job.case} in Node`));
    },
    close: () => rm(folder, { recursive: true }),
  };
}

/** The most memory that a process has held, in bytes; undefined where the system does not tell in /proc. */
function peakBytesOf(pid) {
  const status = `/proc/${pid}/status`;
  const found = existsSync(status) && /VmHWM:\s*(\d+) kB/.exec(readFileSync(status, 'utf8'));
  return found ? Number(found[1]) * 1024 : undefined;
}

/** Options of engines, by factory, in the page of server.mjs. */
const inPage = {
  ort: { wasmPaths: '/node_modules/onnxruntime-web/dist/' },
  tfjs: { module: `/bench-packages/${tfjsFiles.page}`, wasmFolder: `/bench-packages/${tfjsFiles.wasm}` },
  litert: { module: `/bench-packages/${litertFiles.page}`, wasmFolder: `/bench-packages/${litertFiles.wasm}` },
};

/**
 * For half a second after a page has opened, its browser works for itself: it starts the process of the next page, for one. On
 * two cores an engine that has loaded by then would be measured beside that work, and one that loads longer would not.
 */
const quietAfterMs = 1000;

/** Runs a job in `page`, Playwright's or Puppeteer's, that has done nothing before. */
async function runInPage(page, origin, job) {
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(origin);
  // Its script has run by now.
  if (!(await page.evaluate(() => 'runJob' in globalThis))) throw new Error(`the benchmark page did not start: ${problems.join('; ')}`);
  if (job.kind === 'start') await wait(quietAfterMs);
  const files = { model: `/model/${job.model}`, tiny: '/model/tiny', kernel: '/model/kernel' };
  return page.evaluate((given) => globalThis.runJob(given), { ...adapted(job, inPage), files });
}

async function openChromium(files) {
  const { chromium } = await import('playwright-core');
  const executablePath = findChromium();
  if (!executablePath) throw new Error('no Chromium was found: install it, or set KINGLET_CHROMIUM');
  const server = await serveBench(files);
  // Containers and root have no sandbox to offer; the pages are our own.
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const devtools = await browser.newBrowserCDPSession();
  const renderers = async () => (await devtools.send('SystemInfo.getProcessInfo')).processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
  return {
    label: `Chromium ${browser.version()}`,
    async measure(job) {
      const others = await renderers();
      const context = await browser.newContext();
      try {
        const result = await runInPage(await context.newPage(), server.origin, job);
        if (job.kind !== 'start') return result;
        const own = (await renderers()).filter((id) => !others.includes(id));
        return { ...result, peakBytes: own.length > 0 ? Math.max(...own.map((id) => peakBytesOf(id) ?? 0)) || undefined : undefined };
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

async function openFirefoxHost(files) {
  const browser = await openFirefox();
  const server = await serveBench(files);
  return {
    label: `Firefox ${(await browser.version()).replace('firefox/', '')}`,
    async measure(job) {
      const context = await browser.createBrowserContext();
      try {
        return await runInPage(await context.newPage(), server.origin, job);
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

/** By name: open(files) -> { label, measure(job), close() }; files maps the names of models, and `kernel`, to files. */
export const hosts = { node: openNode, chromium: openChromium, firefox: openFirefoxHost };

/** Those of the published figures. */
export const usualHosts = ['node', 'chromium'];
