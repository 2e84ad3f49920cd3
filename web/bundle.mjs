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

/**
 * Writes the bundles.
 * @param esbuild the module
 * @param glue path of the JavaScript that Emscripten generates
 * @param outdir the folder that holds simd.wasm and relaxed.wasm too
 */
export async function bundle({ esbuild, glue, outdir }) {
  for (const { environment, index, others } of hosts) {
    const resolve = {
      name: 'kinglet',
      setup(build) {
        build.onResolve({ filter: /^#glue$/ }, () => ({ path: glue, sideEffects: false }));
        build.onResolve({ filter: /^#environment$/ }, () => ({ path: source(`env/${environment}.ts`) }));
        // The reader and the application share one Session class: that of the host's index.
        build.onResolve({ filter: /^\.\.\/index\.js$/ }, ({ importer }) =>
          ['ocr', 'cli'].some((folder) => importer.startsWith(source(folder) + sep)) ? { path: `./${index}.js`, external: true } : undefined,
        );
      },
    };
    const common = {
      outdir,
      plugins: [resolve],
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      platform: 'neutral',
      external: ['node:*', '*.wasm'],
      legalComments: 'none',
      logLevel: 'warning',
    };
    const entries = { [index]: 'index.ts', ...others };
    await esbuild.build({
      ...common,
      entryPoints: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, source(file)])),
    });
  }
}
