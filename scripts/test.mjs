// npm test: installs what is missing, builds, and runs every test. The last line is the count over all parts:
// `N passed, N failed`. A part that cannot be built, does not run, or gives no count is a failure.
// Some parts alone: npm test -- native node

import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { building, buildDemo, buildNativeCases, buildNativeTests, buildPackage, buildWasmTests, buildYardsticks } from './build.mjs';
import { readArguments } from './lib/arguments.mjs';
import { buildDir, currentNode, hostNode, root } from './lib/project.mjs';
import { command, exitCode, Failure, say } from './lib/run.mjs';
import { filesUnder } from './lib/stamp.mjs';
import { catch2, nodeTest, playwright } from './lib/test-results.mjs';
import { findChromium, setup } from './setup.mjs';
import { prepareTestData } from './test-data.mjs';

const results = join(buildDir, 'test-results');

const native = (preset) => join(buildDir, preset, 'tests', 'kinglet_tests');
const wasm = (variant) => join(buildDir, 'wasm', 'tests', `kinglet_tests_${variant}.cjs`);
const catch2Args = (out) => ['-r', 'console', '-r', `xml::out=${out}`, '--colour-mode', 'none'];
const nodeArgs = (out, folder) => [
  '--test', '--test-reporter=spec', '--test-reporter-destination=stdout',
  `--test-reporter=${join(root, 'scripts/lib/node-counts.mjs')}`, `--test-reporter-destination=${out}`,
  ...filesUnder([join(root, folder)]).filter((file) => file.endsWith('.test.mjs')),
];
const playwrightCli = join(root, 'node_modules/@playwright/test/cli.js');

const withData = (build) => async () => {
  await build();
  await prepareTestData();
};

const cpp = (program, ...args) => ({
  results: 'xml', command: (out) => [program, [...args, ...catch2Args(out)]], read: catch2,
});

// A null pointer from malloc is an error that the core answers for, and tests ask for it.
const sanitizerOptions = () => ({
  ASAN_OPTIONS: 'strict_string_checks=1:detect_stack_use_after_return=1:allocator_may_return_null=1',
  UBSAN_OPTIONS: 'print_stacktrace=1',
});

// A row a part: `command` gets the file that its results go to, `read` turns that file into counts. One that is `asked` for runs
// only when it is named.
const parts = [
  { name: 'native', title: 'C++, native', build: () => buildNativeTests('native-release'),
    ...cpp(native('native-release')) },
  { name: 'sanitized', title: 'C++, native with sanitizers', build: () => buildNativeTests('native-asan'),
    ...cpp(native('native-asan')),
    env: sanitizerOptions },
  { name: 'cases', title: 'ONNX cases, native with sanitizers', build: () => buildNativeCases('native-asan'),
    results: 'json', command: async (out) => {
      // Its npm packages are there only after the set-up.
      const { conformanceData, suites } = await import('../tests/conformance/data.mjs');
      const data = await conformanceData();
      const expected = join(root, 'tests/conformance/expected.txt');
      const folders = suites.map((suite) => join(data, suite));
      return [join(buildDir, 'native-asan/tests/kinglet_cases'), [...folders, '--expected', expected, '--results', out]];
    },
    read: nodeTest, env: sanitizerOptions },
  { name: 'wasm-simd', title: 'C++, WebAssembly SIMD', build: buildWasmTests,
    ...cpp(hostNode, wasm('simd')) },
  // By the development dependency's Node: Node 20 computes a relaxed instruction wrongly.
  { name: 'wasm-relaxed', title: 'C++, WebAssembly relaxed SIMD', build: buildWasmTests,
    ...cpp(currentNode, wasm('relaxed')) },
  { name: 'node', title: 'JavaScript, Node', build: withData(buildPackage),
    results: 'json', command: (out) => [hostNode, nodeArgs(out, 'tests/node')], read: nodeTest },
  { name: 'browser', title: 'Demo and bundled pages, Chromium', build: withData(buildDemo), results: 'json',
    command: () => [hostNode, [playwrightCli, 'test', '-c', 'tests/web', '--reporter=list,json']],
    read: playwright,
    env: (out) => ({ PLAYWRIGHT_JSON_OUTPUT_NAME: out, KINGLET_CHROMIUM: findChromium() }) },
  // By its name alone: nothing sets Firefox up.
  { name: 'firefox', title: 'Demo and library, Firefox', asked: true, build: withData(async () => {
    await buildDemo();
    await buildYardsticks();
  }), results: 'json', command: (out) => [hostNode, nodeArgs(out, 'tests/firefox')], read: nodeTest },
];

/** Builds and runs one part; resolves to its counts. Throws when there are none to be had. */
async function runPart(part) {
  await building(part.build);
  const out = join(results, `${part.name}.${part.results}`);
  rmSync(out, { force: true });
  const [program, args] = await part.command(out);
  const code = await exitCode(program, args, { env: part.env?.(out), timeoutMinutes: 25 });
  if (!existsSync(out)) throw new Failure(`it ended with exit code ${code} and left no results`);
  let counts;
  try {
    counts = part.read(readFileSync(out, 'utf8'));
  } catch (error) {
    throw new Failure(`it ended with exit code ${code} and its results cannot be read: ${error.message}`);
  }
  if (counts.passed + counts.failed === 0) throw new Failure('it ran no test');
  if (code !== 0 && counts.failed === 0) {
    throw new Failure(`it counted no failure but ended with exit code ${code}`);
  }
  return counts;
}

await command(async () => {
  const usage = `usage: npm test [-- PART...]\n${parts.map(({ name, title, asked }) => `  ${name.padEnd(14)}${title}${asked ? ' (only when it is named)' : ''}`).join('\n')}`;
  const { positionals: wanted, values } = readArguments({ usage, allowPositionals: true });
  if (values.help) return console.log(usage);
  const unknown = wanted.find((name) => !parts.some((part) => part.name === name));
  const names = parts.map((part) => part.name).join(', ');
  if (unknown) throw new Failure(`unknown part ${unknown}; there are: ${names}`);
  const chosen = parts.filter((part) => (wanted.length === 0 ? !part.asked : wanted.includes(part.name)));

  try {
    await setup({ tests: true });
  } catch (error) {
    console.error(error instanceof Failure ? `\nkinglet: ${error.message}` : error);
    console.log(`\nset-up failed: no part ran\n\n0 passed, ${chosen.length} failed`);
    process.exitCode = 1;
    return;
  }
  mkdirSync(results, { recursive: true });
  const lines = [];
  const total = { passed: 0, failed: 0 };
  for (const [index, part] of chosen.entries()) {
    say(`tests ${index + 1}/${chosen.length}: ${part.title}`);
    try {
      const { passed, failed, skipped } = await runPart(part);
      total.passed += passed;
      total.failed += failed;
      const omitted = skipped ? `, ${skipped} skipped` : '';
      lines.push(`  ${part.title}: ${passed} passed, ${failed} failed${omitted}`);
    } catch (error) {
      total.failed += 1;
      lines.push(`  ${part.title}: DID NOT RUN: ${error instanceof Failure ? error.message : error.stack}`);
    }
    say(lines.at(-1).trim());
  }
  console.log(`\n${lines.join('\n')}\n\n${total.passed} passed, ${total.failed} failed`);
  if (total.failed > 0) process.exitCode = 1;
});
