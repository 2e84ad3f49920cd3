// Packages that only the benchmark needs, pinned in bench/packages/ and installed in build/bench-packages/: TensorFlow.js, LiteRT.js.
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildDir, hostNode, root } from '../lib/project.mjs';
import { run, say } from '../lib/run.mjs';
import { stamped } from '../lib/stamp.mjs';

const pinned = join(root, 'scripts/bench/packages');
export const rivalsDir = join(buildDir, 'bench-packages');
/** Files of TensorFlow.js in `rivalsDir`: one module for each host, and the folder of its .wasm files. */
export const tfjsFiles = { node: 'tfjs-node.cjs', page: 'tfjs-page.mjs', wasm: 'node_modules/@tensorflow/tfjs-backend-wasm/dist/' };

/** The same of LiteRT.js, which runs in pages alone. */
export const litertFiles = { page: 'litert-page.mjs', wasm: 'node_modules/@litertjs/core/wasm/' };

async function bundle() {
  const { build } = await import('esbuild');
  const common = { bundle: true, minify: true, logLevel: 'error' };
  const from = (contents) => ({ stdin: { contents, resolveDir: rivalsDir }, ...common });
  const page = { platform: 'browser', format: 'esm', external: ['fs', 'path', 'worker_threads', 'perf_hooks', 'os'] };
  const tfjs = from(`export * from '@tensorflow/tfjs-core'; export * as wasm from '@tensorflow/tfjs-backend-wasm';`);
  const litert = from(`export * from '@litertjs/core'; export { Builder } from 'flatbuffers';`);
  await build({ ...tfjs, platform: 'node', format: 'cjs', outfile: join(rivalsDir, tfjsFiles.node) });
  await build({ ...tfjs, ...page, outfile: join(rivalsDir, tfjsFiles.page) });
  await build({ ...litert, ...page, outfile: join(rivalsDir, litertFiles.page) });
}

/** Installs and bundles what is missing. */
export async function installRivals() {
  const npm = process.env.npm_execpath ? [hostNode, process.env.npm_execpath] : ['npm'];
  await stamped('bench-packages', {
    inputs: [pinned, join(root, 'scripts/bench/rival-packages.mjs')],
    outputs: [tfjsFiles.node, tfjsFiles.page, litertFiles.page].map((name) => join(rivalsDir, name)),
  }, async () => {
    say('packages of the benchmark: installing TensorFlow.js and LiteRT.js (100 MB)');
    mkdirSync(rivalsDir, { recursive: true });
    cpSync(pinned, rivalsDir, { recursive: true });
    cpSync(join(root, '.npmrc'), join(rivalsDir, '.npmrc'));
    await run(npm[0], [...npm.slice(1), 'ci', '--no-audit', '--no-fund', '--prefer-offline'], { cwd: rivalsDir });
    await bundle();
  });
}
