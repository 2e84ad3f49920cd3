// Serves the benchmark page, the engines and the models on localhost. The page is cross-origin isolated: that gives
// timers of 5 microseconds, and threads where an engine asks for them.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { root } from '../lib/project.mjs';

const folders = ['dist', 'node_modules', 'scripts/bench', 'tests/models'];
const types = { '.mjs': 'text/javascript', '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' };
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

async function pageText() {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const imports = {
    kinglet: new URL(manifest.exports['.'].default, 'http://host/').pathname,
    'onnxruntime-web/wasm': '/node_modules/onnxruntime-web/dist/ort.wasm.min.mjs',
  };
  return `<!doctype html><meta charset="utf-8"><title>Kinglet benchmark</title><link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module" src="/scripts/bench/page.mjs"></script>`;
}

/** Resolves to { origin, close() }. `models` maps /model/<name> to files. */
export async function serveBench(models) {
  const page = await pageText();
  const contentOf = async (path) => {
    if (path === '/') return { body: page, type: types['.html'] };
    if (path.startsWith('/model/')) {
      const file = models[path.slice('/model/'.length)];
      return file && { body: await readFile(file), type: 'application/octet-stream' };
    }
    const relative = normalize(path).slice(1);
    if (!folders.some((folder) => relative.startsWith(`${folder}/`))) return undefined;
    return { body: await readFile(join(root, relative)), type: types[extname(relative)] ?? 'application/octet-stream' };
  };
  const server = createServer(async (request, response) => {
    try {
      const content = await contentOf(decodeURIComponent(new URL(request.url, 'http://host').pathname));
      response.writeHead(content ? 200 : 404, { 'Content-Type': content?.type ?? 'text/plain', ...isolation });
      response.end(content?.body ?? 'not found');
    } catch (error) {
      response.writeHead(404, { 'Content-Type': 'text/plain', ...isolation });
      response.end(String(error));
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://localhost:${server.address().port}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
