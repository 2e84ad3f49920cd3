// Weights that lie in files beside the model.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LoadError, ModelError, Session, Tensor } from 'kinglet';
import { model } from './helpers/onnx.mjs';
import { serve } from './helpers/server.mjs';
import { loadError, streamOf } from './helpers/sources.mjs';

let folder;
let server;
let stalled;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kinglet-'));
  server = await serve({
    '/slow': (_, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': 1_000_000 });
      response.write(new Uint8Array(1000));
      response.on('close', () => stalled?.());
    },
  });
});

after(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

describe('external data', () => {
  const weights = Float32Array.of(10, 20, 30);
  const withExternal = model({
    nodes: [{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
    inputs: [{ name: 'x', type: 'float32', dims: [3] }],
    outputs: [{ name: 'y', type: 'float32', dims: [3] }],
    constants: [{ name: 'w', type: 'float32', dims: [3], external: 'weights.bin' }],
  });
  const x = new Tensor('float32', Float32Array.of(1, 2, 3));

  for (const [label, source] of [
    ['bytes', () => new Uint8Array(weights.buffer)],
    ['a Blob', () => new Blob([weights])],
    ['a stream', () => streamOf(new Uint8Array(weights.buffer), 5)],
  ]) {
    test(`from ${label}`, async () => {
      const seen = [];
      const session = await Session.load(withExternal, {
        externalData: { 'weights.bin': source() },
        onProgress: ({ phase, loaded }) => phase === 'download' && seen.push(loaded),
      });
      assert.deepEqual([...(await session.run({ x })).y.data], [11, 22, 33]);
      assert.equal(seen.at(-1), withExternal.length + weights.byteLength);
    });
  }

  /** y = w * 2 of a file of 24 MiB, which is read in several parts. */
  async function doubled(numbers, path) {
    await writeFile(path, numbers);
    const bytes = model({
      nodes: [{ op: 'Mul', inputs: ['w', 'x'], outputs: ['y'] }],
      inputs: [{ name: 'x', type: 'float32', dims: [1] }],
      outputs: [{ name: 'y', type: 'float32', dims: [numbers.length] }],
      constants: [{ name: 'w', type: 'float32', dims: [numbers.length], external: 'large.bin' }],
    });
    const session = await Session.load(bytes, { externalData: { 'large.bin': path } });
    const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(2)) });
    return y.data;
  }
  const numbers = Float32Array.from({ length: 6 * 2 ** 20 + 3 }, (_, i) => i);

  test('from a file that is read in many parts', async () => {
    const data = await doubled(numbers, join(folder, 'large.bin'));
    assert.equal(data.findIndex((value, i) => value !== 2 * i), -1);
  });

  test('from a file whose reads give less than is asked for', async () => {
    const path = join(folder, 'large.bin');
    await writeFile(path, numbers);
    const file = await open(path);
    const { prototype } = file.constructor;
    await file.close();
    const { read } = prototype;
    let reads = 0;
    prototype.read = function (part, offset, length, position) {
      return read.call(this, part, offset, ++reads % 3 === 0 ? Math.ceil(length / 3) : length, position);
    };
    try {
      const data = await doubled(numbers, path);
      assert.equal(data.findIndex((value, i) => value !== 2 * i), -1);
      assert.ok(reads > 12, `${reads}`);
    } finally {
      prototype.read = read;
    }
  });

  test('from a file without a size', { skip: process.platform === 'win32' }, async () => {
    const path = join(folder, 'pipe.bin');
    execFileSync('mkfifo', [path]);
    const writing = writeFile(path, weights);
    const session = await Session.load(withExternal, { externalData: { 'weights.bin': path } });
    await writing;
    assert.deepEqual([...(await session.run({ x })).y.data], [11, 22, 33]);
  });

  test('that is missing is named', async () => {
    await assert.rejects(Session.load(withExternal), (error) => error instanceof ModelError && /weights\.bin/.test(error.message));
  });

  test('that cannot be fetched', async () => {
    await assert.rejects(
      Session.load(withExternal, { externalData: { 'weights.bin': server.url('/nope') } }),
      loadError(server.url('/nope'), 404, /404/),
    );
  });

  test('that fails ends the download of the model', async () => {
    const closed = new Promise((resolve) => (stalled = resolve));
    await assert.rejects(Session.load(server.url('/slow'), { externalData: { 'weights.bin': server.url('/nope') } }), LoadError);
    await closed;
  });
});
