// The installed package in hosts without a page: Node, and workerd, which runs Cloudflare's workers.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import workerd from 'workerd';
import { makeApp } from '../package/install.mjs';
import { addOne } from './helpers/onnx.mjs';

const run = promisify(execFile);

const nodeProgram = `
import { Session, Tensor } from 'kinglet';
import { TextReader } from 'kinglet/ocr';
const session = await Session.load('model.onnx');
const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1, 2, 3), [1, 3]) });
console.log(JSON.stringify([[...y.data], typeof TextReader.load]));
`;

/** Answers a model that is posted to it with the model's result. */
const worker = `
import { features, Session, Tensor } from 'kinglet';
import { TextReader } from 'kinglet/ocr';
export default {
  async fetch(request) {
    const session = await Session.load(request.body);
    const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1, 2, 3), [1, 3]) });
    await session.dispose();
    const refused = await Session.load(new Uint8Array(), { threads: 2 }).catch(({ code }) => code);
    return Response.json([[...y.data], typeof TextReader.load, features().threads, refused]);
  },
};
`;

const expected = [[2, 3, 4], 'function'];

let app;
before(() => {
  app = makeApp({ 'program.js': nodeProgram, 'worker.js': worker, 'model.onnx': addOne() });
});
after(() => app.remove());

/** workerd's configuration for a bundle in `folder`; it listens on a free port. */
function workerdConfig(folder) {
  const modules = readdirSync(folder).map((name) =>
    `(name = "${name}", ${name.endsWith('.wasm') ? 'wasm' : 'esModule'} = embed "${name}")`);
  // The entry is the module that is listed first.
  modules.sort((a, b) => b.includes('worker.js') - a.includes('worker.js'));
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (modules = [${modules.join(', ')}], compatibilityDate = "2025-01-01");
`;
}

/** Starts workerd; resolves to its address and a function that ends it. */
async function serveWorker(config) {
  const stdio = ['ignore', 'inherit', 'inherit', 'pipe'];
  const server = spawn(workerd.default, ['serve', '--control-fd=3', config], { stdio });
  const ended = once(server, 'exit');
  const listening = (async () => {
    let text = '';
    for await (const chunk of server.stdio[3]) {
      text += chunk;
      const port = /"event":\s*"listen".*?"port":\s*(\d+)/.exec(text)?.[1];
      if (port) return port;
    }
    throw new Error(`workerd ended before it listened: ${text}`);
  })();
  return {
    url: `http://127.0.0.1:${await listening}/`,
    async close() {
      server.kill();
      await ended;
    },
  };
}

describe('the installed package', () => {
  test('runs in Node', async () => {
    const { stdout } = await run(process.execPath, ['program.js'], { cwd: app.folder });
    assert.deepEqual(JSON.parse(stdout), expected);
  });

  test('brings the command kinglet', async () => {
    const { stdout } = await run(join(app.folder, 'node_modules/.bin/kinglet'), ['profile', 'model.onnx'], { cwd: app.folder });
    assert.match(stdout, /^add +Add /m);
  });

  test('runs in workerd', async () => {
    const outdir = join(app.folder, 'worker');
    await build({
      absWorkingDir: app.folder, entryPoints: ['worker.js'], outdir, bundle: true, format: 'esm',
      conditions: ['workerd'], loader: { '.wasm': 'copy' }, logLevel: 'warning',
    });
    writeFileSync(join(outdir, 'config.capnp'), workerdConfig(outdir));
    const server = await serveWorker(join(outdir, 'config.capnp'));
    try {
      // The second request meets an instance that is warm.
      for (let i = 0; i < 2; ++i) {
        const response = await fetch(server.url, { method: 'POST', body: addOne() });
        assert.equal(response.status, 200, await response.clone().text());
        assert.deepEqual(await response.json(), [...expected, false, 'unsupported-environment']);
      }
    } finally {
      await server.close();
    }
  });
});
