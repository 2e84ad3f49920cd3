// Weights that lie in files beside the model.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
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

  for (const [inModel, given] of [['./weights.bin', 'weights.bin'], ['weights.bin', './weights.bin'], ['././weights.bin', './weights.bin']]) {
    test(`'${inModel}' of the model given as '${given}'`, async () => {
      const bytes = model({
        nodes: [{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
        inputs: [{ name: 'x', type: 'float32', dims: [3] }],
        outputs: [{ name: 'y', type: 'float32', dims: [3] }],
        constants: [{ name: 'w', type: 'float32', dims: [3], external: inModel }],
      });
      const session = await Session.load(bytes, { externalData: { [given]: weights } });
      assert.deepEqual([...(await session.run({ x })).y.data], [11, 22, 33]);
    });
  }

  test('that is missing is named', async () => {
    await assert.rejects(
      Session.load(withExternal),
      (error) => error instanceof ModelError && /weights\.bin/.test(error.message) && error.location === 'weights.bin',
    );
  });

  describe('beside the model', () => {
    const modelWith = (...locations) => model({
      nodes: [{ op: 'Sum', inputs: ['x', ...locations], outputs: ['y'] }],
      inputs: [{ name: 'x', type: 'float32', dims: [3] }],
      outputs: [{ name: 'y', type: 'float32', dims: [3] }],
      constants: locations.map((external) => ({ name: external, type: 'float32', dims: [3], external })),
    });
    const bytes = new Uint8Array(weights.buffer);
    const send = (body) => (_, response) => response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(body);
    let served;

    before(async () => {
      served = await serve({
        '/m/model.onnx': send(modelWith('a b#.bin', 'sub/w.bin')),
        '/m/a%20b%23.bin': send(bytes),
        '/m/sub/w.bin': send(bytes),
        '/m/lacking.onnx': send(modelWith('lacking.bin')),
        '/m/outside.onnx': send(modelWith('../w.bin')),
        '/w.bin': send(bytes),
      });
    });
    after(() => served.close());

    for (const address of ['/m/model.onnx', '/m/model.onnx?download=true#here']) {
      test(`of an address, ${address}`, async () => {
        const session = await Session.load(served.url(address));
        assert.deepEqual([...(await session.run({ x })).y.data], [21, 42, 63]);
      });
    }

    test('of an address whose query gives access', async () => {
      const guarded = (body) => ({ url }, response) => (url.endsWith('?key=1') ? send(body)(null, response) : response.writeHead(403).end());
      const server = await serve({ '/m.onnx': guarded(modelWith('w.bin')), '/w.bin': guarded(bytes) });
      try {
        const session = await Session.load(server.url('/m.onnx?key=1'));
        assert.deepEqual([...(await session.run({ x })).y.data], [11, 22, 33]);
      } finally {
        await server.close();
      }
    });

    test('of a path and of a file: address', async () => {
      const path = join(folder, 'with spaces.onnx');
      await writeFile(path, modelWith('beside 1.bin'));
      await writeFile(join(folder, 'beside 1.bin'), bytes);
      for (const source of [path, pathToFileURL(path), pathToFileURL(path).href]) {
        const session = await Session.load(source);
        assert.deepEqual([...(await session.run({ x })).y.data], [11, 22, 33]);
      }
    });

    test('of a Request', async () => {
      const session = await Session.load(new Request(served.url('/m/model.onnx')));
      assert.deepEqual([...(await session.run({ x })).y.data], [21, 42, 63]);
      const post = new Request(served.url('/m/model.onnx'), { method: 'POST', body: 'x' });
      await assert.rejects(Session.load(post), (error) => error instanceof ModelError && /externalData must name it/.test(error.message));
    });

    test('that are not there', async () => {
      await assert.rejects(
        Session.load(served.url('/m/lacking.onnx')),
        loadError(served.url('/m/lacking.bin'), 404, /lacking\.onnx: .*'lacking\.bin', which was not given.*beside the model.*404/),
      );
    });

    test('are not looked for where some are named', async () => {
      const asked = () => served.requests['/m/sub/w.bin'] ?? 0;
      const before = asked();
      await assert.rejects(
        Session.load(served.url('/m/model.onnx'), { externalData: { 'a b#.bin': bytes } }),
        (error) => error instanceof ModelError && error.location === 'sub/w.bin',
      );
      assert.equal(asked(), before);
    });

    test('are not looked for in other folders', async () => {
      await assert.rejects(Session.load(served.url('/m/outside.onnx')), (error) => error instanceof ModelError && error.location === '../w.bin');
      for (const location of ['/w.bin', 'sub/../../w.bin', 'C:\\w.bin', '\\\\host\\w.bin', 'http://host/w.bin', '//host/w.bin']) {
        const path = join(folder, 'hostile.onnx');
        await writeFile(path, modelWith(location));
        await assert.rejects(Session.load(path), (error) => error instanceof ModelError && error.location === location);
      }
      assert.equal(served.requests['/w.bin'], undefined);
    });

    test('of a model that has more of them than are looked for', async () => {
      const path = join(folder, 'many.onnx');
      const locations = Array.from({ length: 18 }, (_, i) => `many${i}.bin`);
      await writeFile(path, modelWith(...locations));
      for (const location of locations) await writeFile(join(folder, location), bytes);
      await assert.rejects(Session.load(path), (error) => error instanceof ModelError && error.location === 'many16.bin');
    });
  });

  for (const [label, text, message] of [
    ['a page', `<!doctype html><title>Not found</title>${' '.repeat(100)}`, /'weights\.bin' of its data looks like an HTML page: check the URL/],
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n', /looks like a git-lfs pointer/],
  ]) {
    test(`that is ${label}, not numbers`, async () => {
      const given = Session.load(withExternal, { externalData: { 'weights.bin': Buffer.from(text) } });
      await assert.rejects(given, (error) => error instanceof ModelError && message.test(error.message));
    });
  }

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
