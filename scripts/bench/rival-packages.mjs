// Packages that only the benchmark needs, pinned in bench/packages/ and installed in build/bench-packages/: TensorFlow.js.
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildDir, hostNode, root } from '../lib/project.mjs';
import { run, say } from '../lib/run.mjs';
import { stamped } from '../lib/stamp.mjs';

const pinned = join(root, 'scripts/bench/packages');
export const rivalsDir = join(buildDir, 'bench-packages');
const entry = `export * from '@tensorflow/tfjs-core'; export * as wasm from '@tensorflow/tfjs-backend-wasm';`;

/** Files of TensorFlow.js in `rivalsDir`: one module for each host, and the folder of its .wasm files. */
export const tfjsFiles = { node: 'tfjs-node.cjs', page: 'tfjs-page.mjs', wasm: 'node_modules/@tensorflow/tfjs-backend-wasm/dist/' };

async function bundle() {
  const { build } = await import('esbuild');
  const common = { stdin: { contents: entry, resolveDir: rivalsDir }, bundle: true, minify: true, logLevel: 'error' };
  await build({ ...common, platform: 'node', format: 'cjs', outfile: join(rivalsDir, tfjsFiles.node) });
  await build({ ...common, platform: 'browser', format: 'esm', external: ['fs', 'path', 'worker_threads', 'perf_hooks', 'os'], outfile: join(rivalsDir, tfjsFiles.page) });
}

/** Installs and bundles what is missing. */
export async function installRivals() {
  const npm = process.env.npm_execpath ? [hostNode, process.env.npm_execpath] : ['npm'];
  await stamped('bench-packages', {
    inputs: [pinned, join(root, 'scripts/bench/rival-packages.mjs')],
    outputs: [tfjsFiles.node, tfjsFiles.page].map((name) => join(rivalsDir, name)),
  }, async () => {
    say('packages of the benchmark: installing TensorFlow.js (66 MB)');
    mkdirSync(rivalsDir, { recursive: true });
    cpSync(pinned, rivalsDir, { recursive: true });
    cpSync(join(root, '.npmrc'), join(rivalsDir, '.npmrc'));
    await run(npm[0], [...npm.slice(1), 'ci', '--no-audit', '--no-fund', '--prefer-offline'], { cwd: rivalsDir });
    await bundle();
  });
}
