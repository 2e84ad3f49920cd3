import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { InvalidArgumentError, ModelError, Session, Tensor } from 'kinglet';
import { addOne, model } from './helpers/onnx.mjs';
import { serve } from './helpers/server.mjs';
import { loadError, streamOf } from './helpers/sources.mjs';

const bytes = addOne();

/** y = x + w with w of 100,000 values in the file, so that it comes in several pieces. */
const values = Float32Array.from({ length: 100_000 }, (_, i) => i);
const large = model({
  nodes: [{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
  inputs: [{ name: 'x', type: 'float32', dims: [1] }],
  outputs: [{ name: 'y', type: 'float32', dims: [100_000] }],
  constants: [{ name: 'w', type: 'float32', dims: [100_000], data: values }],
});

async function checkLarge(session) {
  const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1)) });
  assert.deepEqual(y.data, values.map((v) => v + 1));
  await session.dispose();
}

async function check(session) {
  const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1, 2, 3), [1, 3]) });
  assert.deepEqual([...y.data], [2, 3, 4]);
  await session.dispose();
}

let folder;
let server;
let stalled;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kinglet-'));
  await writeFile(join(folder, 'model.onnx'), bytes);
  await writeFile(join(folder, 'large model ü.onnx'), large);
  await writeFile(join(folder, 'pointer.onnx'), 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n');
  await writeFile(join(folder, 'empty.onnx'), '');
  const octets = { 'content-type': 'application/octet-stream' };
  server = await serve({
    '/model.onnx': (_, response) => response.writeHead(200, { ...octets, 'content-length': large.length }).end(large),
    '/chunked': (_, response) => {
      response.writeHead(200, octets);
      for (let i = 0; i < large.length; i += 70_001) response.write(large.subarray(i, i + 70_001));
      response.end();
    },
    '/gzip': (_, response) => {
      const packed = gzipSync(large);
      response.writeHead(200, { ...octets, 'content-encoding': 'gzip', 'content-length': packed.length }).end(packed);
    },
    '/html': (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('\n<!doctype html><title>App</title>'),
    '/500': (_, response) => response.writeHead(500).end('sorry'),
    '/redirect': (_, response) => response.writeHead(302, { location: '/model.onnx' }).end(),
    '/truncated': (_, response) => {
      response.writeHead(200, { ...octets, 'content-length': large.length });
      response.write(large.subarray(0, 1000), () => response.destroy());
    },
    '/slow': (_, response) => {
      response.writeHead(200, { ...octets, 'content-length': large.length });
      response.write(large.subarray(0, 1000));
      response.on('close', () => stalled?.());
    },
  });
});

after(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

describe('sources', () => {
  for (const [label, source] of [
    ['a path', () => join(folder, 'model.onnx')],
    ['a file: URL', () => pathToFileURL(join(folder, 'model.onnx'))],
    ['a file: URL as text', () => pathToFileURL(join(folder, 'model.onnx')).href],
    ['a Uint8Array', () => bytes],
    ['a part of a buffer', () => new Uint8Array([9, ...bytes, 9]).subarray(1, bytes.length + 1)],
    ['a DataView', () => new DataView(bytes.slice().buffer)],
    ['an ArrayBuffer', () => bytes.slice().buffer],
    ['a SharedArrayBuffer', () => {
      const shared = new SharedArrayBuffer(bytes.length);
      new Uint8Array(shared).set(bytes);
      return shared;
    }],
    ['a Buffer', () => Buffer.from(bytes)],
    ['a Blob', () => new Blob([bytes])],
    ['a File', () => new File([bytes], 'model.onnx')],
    ['a Response', () => new Response(bytes)],
    ['a Response without a known length', () => new Response(streamOf(bytes, 1000))],
    ['a Response whose length is a lie', () => new Response(streamOf(bytes, 40), { headers: { 'content-length': '100' } })],
    ['a Response whose length is too large', () => new Response(bytes, { headers: { 'content-length': '100000' } })],
    ['a data: URL', () => `data:application/octet-stream;base64,${Buffer.from(bytes).toString('base64')}`],
    ['a stream', () => streamOf(bytes, 1000)],
    ['a stream of single bytes', () => streamOf(bytes, 1)],
    ['a stream of odd pieces', () => streamOf(bytes, 7)],
    ['a stream of ArrayBuffers', () => new ReadableStream({ start: (c) => (c.enqueue(bytes.slice().buffer), c.close()) })],
  ]) {
    test(`${label}`, async () => check(await Session.load(source())));
  }

  for (const [label, source] of [
    ['a path with spaces', () => join(folder, 'large model ü.onnx')],
    ['a file: URL with spaces', () => pathToFileURL(join(folder, 'large model ü.onnx'))],
    ['an http: URL', () => server.url('/model.onnx')],
    ['a URL object', () => new URL(server.url('/model.onnx'))],
    ['a Request', () => new Request(server.url('/model.onnx'))],
    ['a Response of fetch', () => fetch(server.url('/model.onnx'))],
    ['an answer of unknown length', () => server.url('/chunked')],
    ['a compressed answer', () => server.url('/gzip')],
    ['a redirect', () => server.url('/redirect')],
    ['a stream of large pieces', () => streamOf(large, 70_001)],
    ['a Blob', () => new Blob([large])],
    ['a Response whose length is a lie', () => new Response(streamOf(large, 70_001), { headers: { 'content-length': '100000' } })],
  ]) {
    test(`400 KB: ${label}`, async () => checkLarge(await Session.load(await source())));
  }

  test('the bytes that are given stay the caller’s, unchanged', async () => {
    const given = bytes.slice();
    await check(await Session.load(given));
    assert.deepEqual(given, bytes);
    await check(await Session.load(given));
  });

  for (const [label, source, message] of [
    ['nothing', undefined, /the model must be a URL, path, .*; got undefined/],
    ['null', null, /got null/],
    ['a number', 7, /got 7$/],
    ['an object', {}, /the model must be a URL.*; got object$/],
    ['an array', [1, 2, 3], /the model must be a URL.*; got Array$/],
    ['a promise', Promise.resolve(bytes), /; got a Promise: did you forget await\?$/],
  ]) {
    test(`refuses ${label}`, async () => {
      await assert.rejects(Session.load(source), (error) => error instanceof InvalidArgumentError && message.test(error.message));
    });
  }

  test('refuses what was read before', async () => {
    const response = new Response(bytes);
    await response.arrayBuffer();
    await assert.rejects(Session.load(response), { name: 'InvalidArgumentError', message: /read before/ });
    const stream = streamOf(bytes, 10);
    stream.getReader();
    await assert.rejects(Session.load(stream), { name: 'InvalidArgumentError', message: /locked/ });
  });

  test('refuses a stream of text', async () => {
    const stream = new ReadableStream({ start: (c) => (c.enqueue('text'), c.close()) });
    await assert.rejects(Session.load(stream), { name: 'InvalidArgumentError', message: /the stream gave a string, not bytes/ });
  });

  test('a stream that fails', async () => {
    const broken = new Error('broken');
    await assert.rejects(Session.load(new ReadableStream({ pull: () => Promise.reject(broken) })), broken);
  });
});

describe('sources that are something else', () => {
  test('a file that is not there', async () => {
    const path = join(folder, 'nope.onnx');
    await assert.rejects(Session.load(path), loadError(path, undefined, /could not be read: ENOENT/));
  });
  test('a folder', async () => {
    await assert.rejects(Session.load(folder), loadError(folder, undefined, /could not be read: .*EISDIR|is a directory/));
  });
  test('a status that is no success', async () => {
    await assert.rejects(Session.load(server.url('/nope')), loadError(server.url('/nope'), 404, /answered 404/));
    await assert.rejects(Session.load(server.url('/nope')), { unreachable: false });
    await assert.rejects(Session.load(server.url('/500')), loadError(server.url('/500'), 500, /answered 500/));
  });
  test('a server that is not there', async () => {
    const closed = await serve({});
    const url = closed.url('/model.onnx');
    await closed.close();
    await assert.rejects(Session.load(url), (error) => {
      assert.ok(error.unreachable);
      return loadError(url, undefined, /could not be fetched: .*\(.*ECONNREFUSED.*\)$/)(error);
    });
  });
  test('an HTML page', async () => {
    await assert.rejects(Session.load(server.url('/html')), loadError(server.url('/html'), undefined, /is an HTML page, not a model/));
  });
  test('a Git LFS pointer', async () => {
    const path = join(folder, 'pointer.onnx');
    await assert.rejects(Session.load(path), loadError(path, undefined, /is a Git LFS pointer/));
  });
  test('a connection that breaks off', async () => {
    await assert.rejects(Session.load(server.url('/truncated')), loadError(server.url('/truncated'), undefined, /broke off/));
  });
  for (const [label, source] of [
    ['an empty file', () => join(folder, 'empty.onnx')],
    ['no bytes', () => new Uint8Array()],
    ['an empty Response', () => new Response(null)],
    ['a truncated model', () => large.subarray(0, 1000)],
    ['other bytes', () => Uint8Array.from({ length: 1000 }, (_, i) => i * 7)],
  ]) {
    test(label, async () => {
      await assert.rejects(Session.load(source()), (error) => {
        assert.ok(error instanceof ModelError, error.stack);
        return true;
      });
    });
  }

  test('an option that is none', async () => {
    const message = "Session.load has no option 'excutionProviders'; it has wasm, variant, threads, onProgress, signal, externalData, optimize";
    await assert.rejects(Session.load(bytes, { excutionProviders: ['wasm'] }), { name: 'InvalidArgumentError', message });
  });

  for (const [label, options, message] of [
    ['optimize: a word', { optimize: 'all' }, "optimize must be a boolean or { without: names of passes }; got 'all'"],
    ['optimize: a misspelt key', { optimize: { withou: [] } }, "optimize has no option 'withou'; it has without"],
    ['optimize: nothing', { optimize: {} }, 'optimize.without must be an Array of names, got undefined'],
    ['optimize: no names', { optimize: { without: [7] } }, 'optimize.without must be an Array of names, got Array'],
    ['a signal that is none', { signal: {} }, 'signal must be an AbortSignal, got object'],
    ['an event target for a signal', { signal: new EventTarget() }, 'signal must be an AbortSignal, got EventTarget'],
    ['onProgress: an object', { onProgress: {} }, 'onProgress must be a function, got object'],
    ['external data: a text', { externalData: 'weights.bin' }, "externalData must be an object of sources by their location; got 'weights.bin'"],
    ['external data: a Map', { externalData: new Map() }, /^externalData .*; got Map \(Object\.fromEntries\(map\)/],
    ['external data: bytes', { externalData: new Uint8Array(4) }, /^externalData .*; got Uint8Array$/],
    ['external data: a promise', { externalData: { w: Promise.resolve() } }, /^the external data 'w' must be .* did you forget await\?$/],
  ]) {
    test(`an option that is wrong: ${label}`, async () => {
      await assert.rejects(Session.load(bytes, options), { name: 'InvalidArgumentError', message });
    });
  }

  test('the message names the file that is no model', async () => {
    const file = join(folder, 'notes.onnx');
    await writeFile(file, 'Notes of the meeting');
    await assert.rejects(Session.load(file), (error) => {
      assert.ok(error instanceof ModelError, error.stack);
      assert.ok(error.message.startsWith(`${file}: this is text, not an ONNX model: malformed protobuf at byte `), error.message);
      return true;
    });
  });
});

describe('progress', () => {
  for (const [label, source, total] of [
    ['of a known length', () => server.url('/model.onnx'), large.length],
    ['of a file', () => join(folder, 'large model ü.onnx'), large.length],
    ['of bytes', () => large, large.length],
    ['of an unknown length', () => server.url('/chunked'), undefined],
    ['of a compressed answer', () => server.url('/gzip'), undefined],
  ]) {
    test(`download ${label}, then preparation`, async () => {
      const seen = [];
      await checkLarge(await Session.load(source(), { onProgress: (progress) => seen.push(progress) }));
      const downloads = seen.filter(({ phase }) => phase === 'download');
      assert.deepEqual(downloads[0], { phase: 'download', loaded: 0, total });
      assert.deepEqual(downloads.at(-1), { phase: 'download', loaded: large.length, total });
      for (const [i, { loaded }] of downloads.entries()) assert.ok(i === 0 || loaded > downloads[i - 1].loaded);
      assert.deepEqual(seen.slice(downloads.length), [
        { phase: 'prepare', loaded: 0, total: 1 },
        { phase: 'prepare', loaded: 1, total: 1 },
      ]);
    });
  }

  test('a download is told of before Kinglet’s own .wasm is here', { timeout: 30_000 }, async () => {
    const binary = await readFile(fileURLToPath(import.meta.resolve('kinglet/simd.wasm')));
    let release;
    const modelIsHere = new Promise((resolve) => (release = resolve));
    const body = new ReadableStream({
      async pull(controller) {
        await modelIsHere;
        controller.enqueue(binary);
        controller.close();
      },
    });
    const onProgress = ({ phase, loaded }) => phase === 'download' && loaded === large.length && release();
    await checkLarge(await Session.load(server.url('/model.onnx'), { wasm: new Response(body), variant: 'simd', onProgress }));
  });

  test('a listener that throws ends loading with its error', async () => {
    const mine = new Error('mine');
    const onProgress = () => {
      throw mine;
    };
    await assert.rejects(Session.load(server.url('/slow'), { onProgress }), mine);
  });
});

describe('abort', () => {
  test('before loading starts: nothing is fetched', async () => {
    const before = server.requests['/model.onnx'];
    await assert.rejects(Session.load(server.url('/model.onnx'), { signal: AbortSignal.abort() }), { name: 'AbortError' });
    assert.equal(server.requests['/model.onnx'], before);
  });

  test('during a download: the connection is closed and the reason is thrown', async () => {
    const controller = new AbortController();
    const closed = new Promise((resolve) => (stalled = resolve));
    const reason = new Error('the user left');
    const onProgress = ({ loaded }) => loaded > 0 && controller.abort(reason);
    await assert.rejects(Session.load(server.url('/slow'), { signal: controller.signal, onProgress }), reason);
    await closed;
  });

  test('while Kinglet’s own .wasm does not come', { timeout: 30_000 }, async () => {
    const wasm = () => new Response(new ReadableStream());
    const mine = new Error('mine');
    const controller = new AbortController();
    const stop = ({ loaded }) => loaded > 0 && controller.abort(mine);
    await assert.rejects(Session.load(server.url('/model.onnx'), { wasm: wasm(), signal: controller.signal, onProgress: stop }), mine);
    const thrown = ({ loaded }) => {
      if (loaded > 0) throw mine;
    };
    await assert.rejects(Session.load(server.url('/model.onnx'), { wasm: wasm(), onProgress: thrown }), mine);
    await assert.rejects(Session.load(server.url('/truncated'), { wasm: wasm() }), loadError(server.url('/truncated'), undefined, /broke off/));
  });

  test('by a timeout', async () => {
    await assert.rejects(Session.load(server.url('/slow'), { signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' });
  });

  test('while a stream of the caller’s gives nothing: it is cancelled', async () => {
    let cancelled;
    const stream = new ReadableStream({ cancel: () => void (cancelled = true) });
    await assert.rejects(Session.load(stream, { signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' });
    assert.equal(cancelled, true);
  });

  test('after loading: nothing happens, and no listener stays', async () => {
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const counting = {
      get aborted() { return signal.aborted; },
      get reason() { return signal.reason; },
      addEventListener: (...args) => (listeners++, signal.addEventListener(...args)),
      removeEventListener: (...args) => (listeners--, signal.removeEventListener(...args)),
    };
    const session = await Session.load(join(folder, 'model.onnx'), { signal: counting });
    assert.equal(listeners, 0);
    controller.abort();
    await check(session);
  });
});
