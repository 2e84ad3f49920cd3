// A static file server for the demo and its tests. By hand: node scripts/serve.mjs FOLDER [PORT]

import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';

import { EncodedFiles, isCompressible, wantedEncoding } from './lib/encoded-files.mjs';
import { command, Failure } from './lib/run.mjs';

const types = {
  '.html': 'text/html; charset=utf-8', '.css': 'text/css; charset=utf-8', '.txt': 'text/plain; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8', '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json', '.wasm': 'application/wasm', '.onnx': 'application/octet-stream',
  '.svg': 'image/svg+xml', '.png': 'image/png', '.webp': 'image/webp',
  '.jpg': 'image/jpeg', '.jpeg': 'image/jpeg',
  '.ico': 'image/x-icon', '.woff2': 'font/woff2',
};

// The strictest policy that a page with Kinglet can have: it is the one that the tests run under.
const policy = [
  "default-src 'self'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self'",
  "img-src 'self' blob: data:", "connect-src 'self' blob: data:", "worker-src 'self'",
  "object-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
].join('; ');

/**
 * The file that a request path names inside `folder`, and an ETag of its version; undefined for none: nothing outside the
 * folder is served.
 */
function fileFor(folder, url) {
  try {
    const path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
    const file = normalize(join(folder, path.endsWith('/') ? `${path}index.html` : path));
    if (!file.startsWith(folder + sep)) return undefined;
    const stat = statSync(file);
    if (!stat.isFile()) return undefined;
    // Weak, since the encoded file has the same.
    return { file, size: stat.size, etag: `W/"${stat.size.toString(16)}-${Math.floor(stat.mtimeMs).toString(16)}"` };
  } catch {
    // No path, or one that no file can have.
    return undefined;
  }
}

/** Whether a client's copy, which If-None-Match names, is this version. */
const isKnown = (etag, known = '') => known.split(',').some((tag) => tag.trim() === etag || tag.trim() === '*');

/** What makes a page cross-origin isolated, so that it may have threads. */
const isolation = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

/**
 * Serves `folder` on 127.0.0.1 (or HOST); resolves to the listening server. Port 0 picks a free one. With `isolated`, its
 * pages are cross-origin isolated.
 */
export function serve(folder, port, { host = process.env.HOST || '127.0.0.1', isolated = false } = {}) {
  folder = resolve(folder);
  const encoded = new EncodedFiles();
  const server = createServer(async (request, response) => {
    const headers = {
      ...(isolated ? isolation : {}),
      'content-security-policy': policy, 'x-content-type-options': 'nosniff', 'cache-control': 'no-cache',
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { ...headers, allow: 'GET, HEAD' }).end();
      return;
    }
    const found = fileFor(folder, request.url);
    if (!found) {
      response.writeHead(404, { ...headers, 'content-type': types['.txt'] }).end('not found\n');
      return;
    }
    const type = types[extname(found.file).toLowerCase()] ?? 'application/octet-stream';
    headers.etag = found.etag;
    if (isCompressible(type)) headers.vary = 'accept-encoding';
    if (isKnown(found.etag, request.headers['if-none-match'])) {
      response.writeHead(304, headers).end();
      return;
    }
    headers['content-type'] = type;
    const encoding = isCompressible(type) ? wantedEncoding(request.headers['accept-encoding']) : undefined;
    try {
      const body = encoding && await encoded.bytes(found.file, found.etag, encoding);
      if (encoding) headers['content-encoding'] = encoding;
      response.writeHead(200, { ...headers, 'content-length': body ? body.length : found.size });
      if (request.method === 'HEAD') response.end();
      else if (body) response.end(body);
      else await pipeline(createReadStream(found.file), response);
    } catch (error) {
      // A visitor who leaves is no fault.
      if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') console.error(`${found.file}: ${error.message}`);
      response.destroy();
    }
  });
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(port, host, () => done(server));
  });
}

/** The port that PORT names, or the demo's own. */
export function wantedPort(text = process.env.PORT) {
  if (!text) return 5173;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new Failure(`PORT must be a number from 0 to 65535, got ${text}`);
  }
  return port;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await command(async () => {
    const [folder, port] = process.argv.slice(2);
    if (!folder) throw new Failure('usage: node scripts/serve.mjs FOLDER [PORT]');
    const server = await serve(folder, wantedPort(port));
    console.log(`http://localhost:${server.address().port}/`);
  });
}
