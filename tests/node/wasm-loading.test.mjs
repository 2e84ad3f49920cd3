import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { configure, features, LoadError, OutOfMemoryError, Session, Tensor } from 'kinglet';
import { addOne } from './helpers/onnx.mjs';
import { serve } from './helpers/server.mjs';

const run = promisify(execFile);
const pathOf = (variant) => fileURLToPath(import.meta.resolve(`kinglet/${variant}.wasm`));
const currentNode = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url));

/** Runs a module's text in a process of its own and gives what it prints as JSON. */
async function inProcess(code, { node = process.execPath, args = [] } = {}) {
  const { stdout } = await run(node, [...args, '--input-type=module', '-e', code], { cwd: fileURLToPath(new URL('.', import.meta.url)) });
  return JSON.parse(stdout);
}

async function check(session) {
  const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1, 2, 3), [1, 3]) });
  assert.deepEqual([...y.data], [2, 3, 4]);
  await session.dispose();
}

const load = (wasm, options) => Session.load(addOne(), { wasm, variant: 'simd', ...options });

let simd;
let server;
before(async () => {
  simd = await readFile(pathOf('simd'));
  const send = (type, body) => (_, response) => response.writeHead(200, { 'content-type': type }).end(body);
  server = await serve({
    '/simd.wasm': send('application/wasm', simd),
    '/octets.wasm': send('application/octet-stream', simd),
    '/page.wasm': send('text/html', '<!doctype html>'),
    '/lying.wasm': send('application/wasm', '<!doctype html>'),
    '/empty.wasm': send('application/octet-stream', ''),
  });
});
after(() => server.close());

describe('features', () => {
  test('names a binary that this host runs', () => {
    const { simd: hasSimd, relaxedSimd, variant } = features();
    assert.equal(hasSimd, true);
    assert.equal(variant, relaxedSimd ? 'relaxed' : 'simd');
  });

  for (const [label, node, args, expected] of [
    ['a current Node: relaxed SIMD', currentNode, [], { simd: true, relaxedSimd: true, threads: true, variant: 'relaxed' }],
    // Without optimisation V8 of Node 20 loses the accumulator of the relaxed dot product.
    ['relaxed SIMD that computes wrongly is not used', process.execPath, ['--experimental-wasm-relaxed-simd', '--liftoff-only'], wrongIn20()],
  ]) {
    test(label, async () => {
      const code = "import { features } from 'kinglet'; console.log(JSON.stringify(features()));";
      assert.deepEqual(await inProcess(code, { node, args }), expected);
    });
  }

  function wrongIn20() {
    const right = Number(process.versions.node.split('.')[0]) > 20;
    return { simd: true, relaxedSimd: right, threads: true, variant: right ? 'relaxed' : 'simd' };
  }

  test('both binaries give the same results in a current Node', async () => {
    const code = `
      import { Session, Tensor } from 'kinglet';
      import { addOne } from './helpers/onnx.mjs';
      const seen = [];
      for (const variant of ['simd', 'relaxed']) {
        const session = await Session.load(addOne(), { variant });
        seen.push([...(await session.run({ x: new Tensor('float32', Float32Array.of(1, 2, 3), [1, 3]) })).y.data]);
      }
      console.log(JSON.stringify(seen));`;
    assert.deepEqual(await inProcess(code, { node: currentNode }), [[2, 3, 4], [2, 3, 4]]);
  });

  test('relaxed SIMD that is asked for where there is none is refused', async () => {
    // Of the two modules that try the host, the one with relaxed SIMD is the longer.
    const code = `
      WebAssembly.validate = ({ length }) => length < 60;
      const { Session } = await import('kinglet');
      const error = await Session.load(new Uint8Array(8), { variant: 'relaxed' }).catch((error) => error);
      console.log(JSON.stringify([error.name, error.message]));`;
    const [name, message] = await inProcess(code);
    assert.equal(name, 'UnsupportedEnvironmentError');
    assert.match(message, /has no relaxed SIMD/);
  });

  test('without WebAssembly, or without its SIMD: an error that says so, not a crash at import', async () => {
    const code = (lack) => `
      ${lack};
      const { Session, features } = await import('kinglet');
      const error = await Session.load(new Uint8Array(8)).catch((error) => error);
      console.log(JSON.stringify([features(), error.name, error.code]));`;
    for (const lack of ['delete globalThis.WebAssembly', 'WebAssembly.validate = () => false']) {
      assert.deepEqual(await inProcess(code(lack)), [
        { simd: false, relaxedSimd: false, threads: false, variant: 'simd' }, 'UnsupportedEnvironmentError', 'unsupported-environment',
      ], lack);
    }
  });
});

describe('loading of the .wasm', () => {
  for (const [label, source] of [
    ['a path', () => pathOf('simd')],
    ['a file: URL', () => new URL(import.meta.resolve('kinglet/simd.wasm'))],
    ['an http: URL', () => server.url('/simd.wasm')],
    ['an address with another content type', () => server.url('/octets.wasm')],
    ['bytes', () => simd],
    ['an ArrayBuffer', () => new Uint8Array(simd).buffer],
    ['a WebAssembly.Module', () => WebAssembly.compile(simd)],
    ['a Response', () => fetch(server.url('/simd.wasm'))],
    ['a Response of another type', () => new Response(simd)],
    ['a source for each variant', () => ({ simd, relaxed: 'nowhere.wasm' })],
  ]) {
    test(`from ${label}`, async () => check(await load(await source())));
  }

  test('a Response or bytes serve many sessions', async () => {
    const response = await fetch(server.url('/simd.wasm'));
    await check(await load(response));
    await check(await load(response));
  });

  // Node that finds its loop empty waits for V8's compiler threads, which may wait for it (nodejs/node#54918).
  test('keeps the event loop from running empty while an instance is made, and no longer', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    for (const wasm of [simd, pathOf('simd'), new Uint8Array(8)]) {
      const loading = load(wasm).then((session) => session.dispose(), (error) => assert.ok(error instanceof LoadError));
      assert.equal(timers(), before + 1);
      await loading;
      assert.equal(timers(), before);
    }
  });

  test('an address is fetched once', async () => {
    const address = server.url('/simd.wasm?once');
    const before = server.requests['/simd.wasm'];
    for (const session of await Promise.all([load(address), load(address), load(address)])) await check(session);
    await check(await load(address));
    assert.equal(server.requests['/simd.wasm'], before + 1);
  });

  for (const [label, path, status, message] of [
    ['an HTML page', '/page.wasm', undefined, /is not WebAssembly but an HTML page.*configure\(\{ wasm: \{ simd: url, relaxed: url \} \}\)/],
    ['an HTML page that is called wasm', '/lying.wasm', undefined, /could not be compiled/],
    ['nothing', '/empty.wasm', undefined, /is not WebAssembly but empty/],
    ['a status', '/nope.wasm', 404, /answered 404\. Is the file served beside Kinglet's JavaScript\?.*configure\(\{ wasm: \{/],
  ]) {
    test(`${label} instead: an error that says so, and the next session tries again`, async () => {
      const before = server.requests[path] ?? 0;
      for (let i = 0; i < 2; i++) {
        await assert.rejects(load(server.url(path)), (error) => {
          assert.ok(error instanceof LoadError, error.stack);
          assert.match(error.message, message);
          assert.equal(error.status, status);
          return true;
        });
      }
      assert.equal(server.requests[path], before + 2);
    });
  }

  test('bytes that break off, a module of something else, a path that is not there', async () => {
    await assert.rejects(load(simd.subarray(0, 1000)), LoadError);
    const other = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    await assert.rejects(load(other), (error) => error instanceof LoadError && /does not fit its JavaScript/.test(error.message));
    await assert.rejects(load('/nowhere/simd.wasm'), (error) => error instanceof LoadError && /ENOENT/.test(error.message));
  });

  test('configure() sets it for all sessions', async () => {
    const code = `
      import { configure, features, Session } from 'kinglet';
      import { addOne } from './helpers/onnx.mjs';
      const outcome = () => Session.load(addOne()).then(() => 'loaded', (error) => error.name);
      configure({ wasm: 'nowhere.wasm' });
      const wrong = await outcome();
      configure({ wasm: undefined, variant: 'simd' });
      console.log(JSON.stringify([wrong, await outcome(), features().variant]));`;
    assert.deepEqual(await inProcess(code), ['LoadError', 'loaded', 'simd']);
  });

  for (const [label, options, message] of [
    ['a variant that is none', { variant: 'foo' }, "variant must be 'simd' or 'relaxed', got 'foo'"],
    ['threads that are text', { threads: '2' }, "threads must be a whole number from 1 to 64, got '2'"],
    ['a record without a variant', { wasm: { simd: 'simd.wasm' } }, "wasm has no 'relaxed': it needs simd and relaxed, or is one source"],
    ['a record with a misspelt one', { wasm: { simd: 'a', relaxed: 'b', 'simd-thread': 'c' } }, /^wasm has no option 'simd-thread'; it has simd, relaxed, simd-threads, relaxed-threads$/],
    ['a record of what is no source', { wasm: { simd: 7, relaxed: 'b' } }, /^wasm\.simd must be a URL, .*; got 7$/],
    ['a number', { wasm: 7 }, /^wasm must be a URL, .*; got 7$/],
    ['a promise', { wasm: Promise.resolve() }, /^wasm must be .*; got a Promise: did you forget await\?$/],
  ]) {
    test(`refuses ${label}`, async () => {
      const expected = { name: 'InvalidArgumentError', message };
      assert.throws(() => configure(options), expected);
      await assert.rejects(Session.load(addOne(), options), expected);
      await check(await Session.load(addOne()));
    });
  }

  test('null is no value', async () => check(await load(null, { variant: null, threads: null, signal: null, onProgress: null })));

  test('more instances than the address space holds: an error; when they are gone it goes on', async () => {
    // Each wasm memory reserves several GB of addresses, so that some thousands of sessions exhaust them.
    const instantiate = WebAssembly.instantiate;
    WebAssembly.instantiate = () => Promise.reject(new RangeError('WebAssembly.Memory(): could not allocate memory'));
    try {
      await assert.rejects(load(simd), OutOfMemoryError);
    } finally {
      WebAssembly.instantiate = instantiate;
    }
    await check(await load(simd));
  });
});
