// TypeScript to the package's JavaScript: each entry once for every kind of host.

import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = (name) => fileURLToPath(new URL(`./src/${name}`, import.meta.url));

/** Entry files by host; package.json's `exports` chooses among them. The others import their host's own `index`. */
const hosts = [
  { environment: 'default', index: 'index', others: { ocr: 'ocr.ts' } },
  { environment: 'node', index: 'node', others: { 'ocr-node': 'ocr.ts', cli: 'cli/main.ts' } },
  { environment: 'workerd', index: 'workerd', others: { 'ocr-workerd': 'ocr.ts' } },
];

/** Names of the files that `bundle` writes. */
export const bundles = hosts.flatMap(({ index, others }) => [index, ...Object.keys(others)].map((name) => `${name}.js`));
/** What a session of several threads fetches besides: output files and their entries in src/threads/. */
const threads = {
  threads: 'browser', 'threads-node': 'node', 'thread-worker': 'browser-worker', 'thread-worker-node': 'node-worker',
};

/** Those that it writes for threads. */
export const threadBundles = Object.keys(threads).map((name) => `${name}.js`);

/**
 * Writes the bundles.
 * @param esbuild the module
 * @param glue path of the JavaScript that Emscripten generates
 * @param threadGlue the same of the binaries for threads; without, the package has none
 * @param outdir the folder that holds the binaries too
 */
export async function bundle({ esbuild, glue, threadGlue, outdir }) {
  const options = {
    outdir,
    bundle: true,
    minifyIdentifiers: true,
    minifySyntax: true,
    minifyWhitespace: true,
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    external: ['node:*', '*.wasm'],
    legalComments: 'none',
    logLevel: 'warning',
    define: { withThreads: String(threadGlue !== undefined) },
  };
  for (const { environment, index, others } of hosts) {
    const resolve = {
      name: 'kinglet',
      setup(build) {
        build.onResolve({ filter: /^#glue$/ }, () => ({ path: glue, sideEffects: false }));
        build.onResolve({ filter: /^#environment$/ }, () => ({ path: source(`env/${environment}.ts`) }));
        build.onResolve({ filter: /^\.\.\/threads\/(browser|node)\.js$/ }, ({ path }) => ({
          path: path.endsWith('/node.js') ? './threads-node.js' : './threads.js', external: true,
        }));
        // The reader and the application share one Session class: that of the host's index.
        build.onResolve({ filter: /^\.\.\/index\.js$/ }, ({ importer }) =>
          ['ocr', 'cli'].some((folder) => importer.startsWith(source(folder) + sep)) ? { path: `./${index}.js`, external: true } : undefined,
        );
      },
    };
    // Node prints the line that threw before the message of an error that nobody caught: it should be a short one.
    const minifyWhitespace = environment !== 'node';
    const entries = { [index]: 'index.ts', ...others };
    const entryPoints = Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, source(file)]));
    await esbuild.build({ ...options, plugins: [resolve], entryPoints, minifyWhitespace });
  }
  if (threadGlue === undefined) return;
  await esbuild.build({
    ...options,
    alias: { '#thread-glue': threadGlue },
    entryPoints: Object.fromEntries(Object.entries(threads).map(([name, entry]) => [name, source(`threads/${entry}.ts`)])),
  });
}
