// Sessions of several threads: results, errors, and that nothing is left of them.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { configure, features, InvalidArgumentError, LoadError, Session, ShapeError, Tensor } from 'kinglet';
import { findModel } from '../models/catalog.mjs';
import { engines } from '../models/engines.mjs';
import { faults } from '../models/results.mjs';
import { addOne } from './helpers/onnx.mjs';

const run = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));
const input = (...values) => ({ x: new Tensor('float32', Float32Array.from(values), [values.length / 3, 3]) });

/** Runs a module's text in a process of its own; gives what it prints. */
async function inProcess(code) {
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: here, timeout: 60_000 });
  return stdout;
}

async function results(bytes, rounds, options) {
  const model = await (await engines.kinglet(options)).load(bytes);
  const out = [];
  for (const { feeds } of rounds) out.push(await model.run(feeds));
  await model.dispose();
  return out;
}

describe('threads', () => {
  test('are there in Node', () => assert.equal(features().threads, true));

  for (const name of ['mobilenetv2', 'resnet50', 'efficientnet-b0', 'unet', 'yolo', 'minilm', 'minilm-decomposed', 'ppocr-rec']) {
    test(`${name} gives what one thread gives`, async (t) => {
      const { path, cases, classes } = findModel(name);
      const bytes = await readFile(await path());
      const rounds = cases().slice(0, 5);
      const expected = await results(bytes, rounds, {});
      for (const threads of [2, 3]) {
        await t.test(`${threads} threads`, async () => {
          const got = await results(bytes, rounds, { threads });
          for (const [i, { label, tolerance }] of rounds.entries()) {
            assert.deepEqual(faults(got[i], expected[i], { classes, tolerance }), [], label);
          }
        });
      }
    });
  }

  test('outputs are no shared memory', async () => {
    const session = await Session.load(addOne(), { threads: 2 });
    const { y } = await session.run(input(1, 2, 3));
    assert.deepEqual([...y.data], [2, 3, 4]);
    assert.ok(y.data.buffer instanceof ArrayBuffer);
    assert.equal(y.data.buffer.byteLength, 12);
    await session.dispose();
  });

  test('a number that makes no sense is refused, before anything is read', async () => {
    for (const threads of [0, -1, 1.5, 65, NaN, '2']) {
      await assert.rejects(Session.load('nowhere.onnx', { threads }), InvalidArgumentError, String(threads));
    }
  });

  test('can be set for all sessions', async () => {
    configure({ threads: 2 });
    try {
      const session = await Session.load(addOne());
      assert.ok(session.memory.heap >= 16 << 20, 'the memory of the threaded binary');
      await session.dispose();
    } finally {
      configure({ threads: undefined });
    }
  });

  test('errors and aborts leave the session usable', async () => {
    const session = await Session.load(addOne(), { threads: 2 });
    await assert.rejects(session.run({ x: new Tensor('float32', new Float32Array(4), [2, 2]) }), ShapeError);
    const reason = new Error('enough');
    await assert.rejects(session.run(input(1, 2, 3), { signal: AbortSignal.abort(reason) }), reason);
    assert.deepEqual([...(await session.run(input(1, 2, 3))).y.data], [2, 3, 4]);
    await session.dispose();
    await assert.rejects(session.run(input(1, 2, 3)), InvalidArgumentError);
    assert.deepEqual(session.memory, { weights: 0, activations: 0, heap: 0 });
  });

  test('an aborted load leaves nothing behind, nor does one that fails', async () => {
    const code = `
      import { Session } from 'kinglet';
      const endless = new ReadableStream();
      await Session.load(endless, { threads: 3, signal: AbortSignal.timeout(1) }).catch(() => {});
      await Session.load(new Uint8Array(9), { threads: 3 }).catch(() => {});
      console.log('done');`;
    assert.equal(await inProcess(code), 'done\n');
  });

  test('a session that is forgotten does not keep the process', async () => {
    const code = `
      import { Session } from 'kinglet';
      await Session.load(Uint8Array.from(${JSON.stringify([...addOne()])}), { threads: 4 });
      console.log('done');`;
    assert.equal(await inProcess(code), 'done\n');
  });

  test('threads sleep between runs, those too that slept before', async () => {
    const { path, cases } = findModel('mobilenetv2');
    const [{ feeds }] = cases();
    const { input } = feeds;
    const code = `
      import { setTimeout as pause } from 'node:timers/promises';
      import { Session, Tensor } from 'kinglet';
      const session = await Session.load(${JSON.stringify(await path())}, { threads: 2 });
      const input = new Tensor('float32', new Float32Array(${input.data.length}), ${JSON.stringify(input.dims)});
      for (let i = 0; i < 3; ++i) {
        await pause(50);
        await session.run({ input });
      }
      await pause(1000);
      const before = process.cpuUsage();
      await pause(500);
      const { user, system } = process.cpuUsage(before);
      console.log((user + system) / 1000);
      await session.dispose();`;
    const busyMs = Number(await inProcess(code));
    assert.ok(busyMs < 200, `${busyMs} ms of 500 were spent`);
  });

  test('sessions come and go', async () => {
    for (let i = 0; i < 20; ++i) {
      const sessions = await Promise.all([2, 3].map((threads) => Session.load(addOne(), { threads })));
      const outputs = await Promise.all(sessions.map((session) => session.run(input(i, 2, 3))));
      for (const { y } of outputs) assert.deepEqual([...y.data], [i + 1, 3, 4]);
      await Promise.all(sessions.map((session) => session.dispose()));
    }
  });

  test('a worker’s script that is not there is named', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kinglet-'));
    try {
      await cp(fileURLToPath(import.meta.resolve('kinglet/simd.wasm')).replace(/simd\.wasm$/, ''), folder, { recursive: true });
      await rm(join(folder, 'thread-worker-node.js'));
      const copy = await import(pathToFileURL(join(folder, 'node.js')).href);
      const message = /thread-worker-node\.js.*Is the file there\?.*worker-src 'self'.*Cross-Origin-Embedder-Policy: require-corp$/s;
      await assert.rejects(copy.Session.load(addOne(), { threads: 2 }), { name: 'UnsupportedEnvironmentError', message });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('a binary without threads is refused', async () => {
    const wasm = fileURLToPath(import.meta.resolve('kinglet/simd.wasm'));
    await assert.rejects(Session.load(addOne(), { threads: 2, wasm }), LoadError);
  });

  test('their binaries can be elsewhere', async () => {
    const at = (name) => fileURLToPath(import.meta.resolve(`kinglet/${name}.wasm`));
    const names = ['simd', 'relaxed', 'simd-threads', 'relaxed-threads'];
    for (const count of [2, 4]) {
      const wasm = Object.fromEntries(names.slice(0, count).map((name) => [name, at(name)]));
      const session = await Session.load(addOne(), { threads: 2, wasm });
      assert.deepEqual([...(await session.run(input(1, 2, 3))).y.data], [2, 3, 4]);
      await session.dispose();
    }
  });
});
