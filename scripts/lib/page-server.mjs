// Serves one page, and the files that it asks for, on localhost. The page is cross-origin isolated: that gives timers of
// 5 microseconds, and threads where an engine asks for them.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

import { root } from './project.mjs';

const types = { '.mjs': 'text/javascript', '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' };
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** An import map's entries for the engines of tests/models/engines.mjs. */
export async function engineImports() {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  return {
    kinglet: new URL(manifest.exports['.'].default, 'http://host/').pathname,
    'onnxruntime-web/wasm': '/node_modules/onnxruntime-web/dist/ort.wasm.min.mjs',
  };
}

/** The folders that `engineImports` points into. */
export const engineFolders = { '/dist/': join(root, 'dist'), '/node_modules/': join(root, 'node_modules') };

/** A page that imports `script` as a module. */
export function pageText({ title, script, imports }) {
  return `<!doctype html><meta charset="utf-8"><title>${title}</title><link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module" src="${script}"></script>`;
}

/**
 * Resolves to { origin, close() }. `folders`: path prefixes, ending in /, to folders; `files`: paths to files, which are
 * kept in memory once they were asked for.
 */
export async function servePage({ page, folders = {}, files = {} }) {
  const kept = new Map();
  const contentsOf = (file) => {
    if (!kept.has(file)) kept.set(file, readFile(file));
    return kept.get(file);
  };
  const contentOf = async (path) => {
    if (path === '/') return { body: Buffer.from(page), type: types['.html'] };
    const prefix = Object.keys(folders).find((start) => path.startsWith(start));
    const file = prefix === undefined ? files[path] : join(folders[prefix], path.slice(prefix.length));
    return file && { body: await (prefix === undefined ? contentsOf(file) : readFile(file)), type: types[extname(file)] ?? 'application/octet-stream' };
  };
  const server = createServer(async (request, response) => {
    try {
      const content = await contentOf(normalize(decodeURIComponent(new URL(request.url, 'http://host').pathname)));
      const { body = Buffer.from('not found'), type = 'text/plain' } = content ?? {};
      response.writeHead(content ? 200 : 404, { 'Content-Type': type, 'Content-Length': body.length, ...isolation });
      response.end(body);
    } catch (error) {
      response.writeHead(404, { 'Content-Type': 'text/plain', ...isolation });
      response.end(String(error));
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://localhost:${server.address().port}`,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
