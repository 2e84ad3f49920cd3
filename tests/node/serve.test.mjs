// The server behind `npm start`. Requests are made by node:http, which leaves bodies as they were sent.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

import { serve } from '../../scripts/serve.mjs';

const wasm = Buffer.from('\0asm'.repeat(5000));
const decoders = { br: brotliDecompressSync, gzip: gunzipSync };

let folder;
let server;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kinglet-serve-'));
  await writeFile(join(folder, 'core.wasm'), wasm);
  await writeFile(join(folder, 'model.onnx'), wasm);
  server = await serve(folder, 0, { isolated: true });
});

after(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

function ask(path, headers = {}, method = 'GET') {
  return new Promise((resolve, reject) => {
    const { port } = server.address();
    request({ host: '127.0.0.1', port, path, headers, method }, async (response) => {
      const { statusCode: status, headers: answered } = response;
      resolve({ status, headers: answered, body: Buffer.concat(await response.toArray()) });
    }).on('error', reject).end();
  });
}

for (const encoding of ['br', 'gzip']) {
  test(`a .wasm goes out as ${encoding} where that is accepted`, async () => {
    const { status, headers, body } = await ask('/core.wasm', { 'accept-encoding': encoding });
    assert.deepEqual([status, headers['content-encoding']], [200, encoding]);
    assert.equal(headers['content-type'], 'application/wasm');
    assert.equal(headers.vary, 'accept-encoding');
    assert.equal(Number(headers['content-length']), body.length);
    assert.ok(body.length < wasm.length / 10, `${body.length} bytes`);
    assert.deepEqual(decoders[encoding](body), wasm);
  });
}

for (const [accepted, encoding] of [
  ['gzip, deflate, br, zstd', 'br'], ['GZIP;q=0.5', 'gzip'], ['br;q=0, gzip', 'gzip'], ['br; q=0.0', undefined],
  ['deflate', undefined], ['', undefined],
]) {
  test(`accept-encoding "${accepted}" gets ${encoding ?? 'the bytes as they are'}`, async () => {
    const { headers, body } = await ask('/core.wasm', { 'accept-encoding': accepted });
    assert.equal(headers['content-encoding'], encoding);
    if (!encoding) assert.deepEqual(body, wasm);
  });
}

test('a model goes out as it is, with its length', async () => {
  const { headers, body } = await ask('/model.onnx', { 'accept-encoding': 'br, gzip' });
  assert.equal(headers['content-encoding'], undefined);
  assert.equal(headers['content-length'], String(wasm.length));
  assert.deepEqual(body, wasm);
});

for (const path of ['/core.wasm', '/model.onnx']) {
  test(`${path} is not sent again to one who has it`, async () => {
    const first = await ask(path, { 'accept-encoding': 'br' });
    const again = await ask(path, { 'accept-encoding': 'br', 'if-none-match': `"other", ${first.headers.etag}` });
    assert.equal(again.status, 304);
    assert.equal(again.body.length, 0);
    assert.equal(again.headers.etag, first.headers.etag);
    for (const name of ['cache-control', 'content-security-policy', 'cross-origin-embedder-policy', 'cross-origin-opener-policy']) {
      assert.ok(first.headers[name], name);
      assert.equal(again.headers[name], first.headers[name]);
    }
  });
}

test('a changed file is sent, encoded anew', async () => {
  const encoding = { 'accept-encoding': 'br' };
  await writeFile(join(folder, 'page.html'), 'one');
  const { headers } = await ask('/page.html', encoding);
  await writeFile(join(folder, 'page.html'), 'another');
  const { status, body } = await ask('/page.html', { ...encoding, 'if-none-match': headers.etag });
  assert.equal(status, 200);
  assert.equal(brotliDecompressSync(body).toString(), 'another');
});

test('HEAD has the headers of GET and no body', async () => {
  for (const path of ['/core.wasm', '/model.onnx']) {
    const [got, head] = [await ask(path, { 'accept-encoding': 'br' }), await ask(path, { 'accept-encoding': 'br' }, 'HEAD')];
    assert.equal(head.body.length, 0);
    for (const name of ['content-length', 'content-encoding', 'etag']) assert.equal(head.headers[name], got.headers[name]);
  }
});

test('what is not in the folder is not found', async () => {
  const beside = `${folder}-beside`;
  await writeFile(beside, 'secret');
  after(() => rm(beside));
  for (const path of ['/', '/missing.html', '/../package.json', '/..%2f..%2f..%2f..%2f..%2fetc%2fpasswd', `/..%2f${basename(beside)}`, '/%00', '/%', `/${'long'.repeat(999)}`, '/core.wasm/']) {
    assert.equal((await ask(path)).status, 404, path);
  }
});
