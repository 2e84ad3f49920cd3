// TypeScript to the package's JavaScript: each entry once for every kind of host.

import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = (name) => fileURLToPath(new URL(`./src/${name}`, import.meta.url));

/** Entry files by host; package.json's `exports` chooses among them. `ocr` imports its host's own `index`. */
const hosts = [
  { environment: 'default', index: 'index', ocr: 'ocr' },
  { environment: 'node', index: 'node', ocr: 'ocr-node' },
  { environment: 'workerd', index: 'workerd', ocr: 'ocr-workerd' },
];

/** Names of the files that `bundle` writes. */
export const bundles = hosts.flatMap(({ index, ocr }) => [`${index}.js`, `${ocr}.js`]);

/**
 * Writes the bundles.
 * @param esbuild the module
 * @param glue path of the JavaScript that Emscripten generates
 * @param outdir the folder that holds simd.wasm and relaxed.wasm too
 */
export async function bundle({ esbuild, glue, outdir }) {
  for (const { environment, index, ocr } of hosts) {
    const resolve = {
      name: 'kinglet',
      setup(build) {
        build.onResolve({ filter: /^#glue$/ }, () => ({ path: glue, sideEffects: false }));
        build.onResolve({ filter: /^#environment$/ }, () => ({ path: source(`env/${environment}.ts`) }));
        // The reader and the application share one Session class: that of the host's index.
        build.onResolve({ filter: /^\.\.\/index\.js$/ }, ({ importer }) =>
          importer.startsWith(source('ocr') + sep) ? { path: `./${index}.js`, external: true } : undefined,
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
    await esbuild.build({ ...common, entryPoints: { [index]: source('index.ts'), [ocr]: source('ocr.ts') } });
  }
}
