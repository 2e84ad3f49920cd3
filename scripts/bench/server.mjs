// Serves the benchmark page, the engines and the models on localhost.
import { join } from 'node:path';
import { engineFolders, engineImports, pageText, servePage } from '../lib/page-server.mjs';
import { root } from '../lib/project.mjs';
import { rivalsDir } from './rival-packages.mjs';

/** Resolves to { origin, close() }. `models` maps /model/<name> to files. */
export async function serveBench(models) {
  const page = pageText({ title: 'Kinglet benchmark', script: '/scripts/bench/page.mjs', imports: await engineImports() });
  const folders = {
    ...engineFolders,
    '/scripts/bench/': join(root, 'scripts/bench'),
    '/tests/models/': join(root, 'tests/models'),
    '/bench-packages/': rivalsDir,
  };
  const files = Object.fromEntries(Object.entries(models).map(([name, file]) => [`/model/${name}`, file]));
  return servePage({ page, folders, files });
}
