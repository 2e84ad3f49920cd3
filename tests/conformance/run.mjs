// Runs the ONNX conformance cases through the public JavaScript API, in this one process and, if asked, in Chromium.
//   node tests/conformance/run.mjs [--browser] [--filter TEXT] [--engine kinglet|ort] [--data DIR] [--list-failing] [--update] [--no-write] [--json FILE]
// --browser: in headless Chromium too. --filter: cases whose id holds TEXT (a regular expression). --data: another
// data folder of the same layout. --list-failing: one line per failing case. --update: writes the passing cases into
// expected.txt. A run of Kinglet on all cases writes docs/operators.md, but for --no-write.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { conformanceData, listCases } from './data.mjs';
import { isChance } from './reasons.mjs';
import { readList, writeOperators } from './report.mjs';
import { groupFailures, runSuite } from './suite.mjs';

const expectedUrl = new URL('./expected.txt', import.meta.url);
const defaultJson = fileURLToPath(new URL('../../build/conformance.json', import.meta.url));

/** Ids of the cases that must pass. */
export const readExpected = () => readList(expectedUrl);

async function writeExpected(ids) {
  const head = '# Conformance cases that must pass, one a line. Written by: node tests/conformance/run.mjs --update\n';
  await writeFile(expectedUrl, `${head}${[...ids].sort().join('\n')}\n`);
}

function withoutChance(results) {
  for (const [id, { passed, operators }] of results) {
    if (passed && isChance(id)) results.set(id, { passed: false, stage: 'result', reason: 'agrees by chance', operators });
  }
  return results;
}

/**
 * Results of all cases that `filter` (a RegExp) lets through: a Map of id -> { passed, stage, reason, operators }, of this
 * process or, with `browser`, of Chromium: { label, results }.
 */
export async function runConformance({ engineName = 'kinglet', options, data, filter, browser = false, onProgress } = {}) {
  const protoFolder = await conformanceData();
  const dataFolder = data === undefined ? protoFolder : resolve(data);
  const cases = (await listCases(dataFolder)).filter(({ id }) => !filter || filter.test(id));
  if (browser) {
    const { runSuiteInChromium } = await import('./chromium.mjs');
    const { results, version } = await runSuiteInChromium({ engineName, options, protoFolder, dataFolder, cases, onProgress });
    return { label: version, results: withoutChance(results) };
  }
  const results = await runSuite({ engineName, options, protoFolder, cases, onProgress });
  return { label: `Node ${process.version}`, results: withoutChance(results) };
}

/** Writes progress in one line on a terminal, every 250 cases elsewhere. */
export function progressLine(stream = process.stderr) {
  return (results, total) => {
    const done = results.size;
    if (!stream.isTTY && done % 250 !== 0 && done !== total) return;
    const passed = [...results.values()].filter((result) => result.passed).length;
    stream.write(`${stream.isTTY ? '\r' : ''}conformance: ${done} of ${total}, ${passed} passed${stream.isTTY && done < total ? '' : '\n'}`);
  };
}

/** { 'suite': { passed, all } } */
export function countBySuite(results) {
  const counts = {};
  for (const [id, { passed }] of results) {
    const count = (counts[id.split('/')[0]] ??= { passed: 0, all: 0 });
    count.all += 1;
    count.passed += passed ? 1 : 0;
  }
  return counts;
}

/** What a run of one host shows. */
function print({ label, results }, listFailing) {
  for (const { reason, ids } of groupFailures(results)) {
    const shown = listFailing ? '' : `  e.g. ${ids[0]}`;
    console.log(`${String(ids.length).padStart(5)}  ${reason}${shown}`);
    if (listFailing) for (const id of ids) console.log(`         ${id}: ${results.get(id).reason.slice(0, 300)}`);
  }
  for (const [suite, { passed, all }] of Object.entries(countBySuite(results))) console.log(`${label}, ${suite}: ${passed} of ${all}`);
}

/** The command line: `args` as after `node run.mjs`. Sets the exit code to 1 if an expected case fails. */
export async function main(args) {
  const { values } = parseArgs({
    args,
    options: {
      browser: { type: 'boolean', default: false },
      filter: { type: 'string' },
      engine: { type: 'string', default: 'kinglet' },
      data: { type: 'string' },
      json: { type: 'string', default: defaultJson },
      'list-failing': { type: 'boolean', default: false },
      update: { type: 'boolean', default: false },
      'no-write': { type: 'boolean', default: false },
    },
  });
  const filter = values.filter === undefined ? undefined : new RegExp(values.filter);
  const started = performance.now();
  const hosts = [];
  for (const browser of values.browser ? [false, true] : [false]) {
    hosts.push(await runConformance({ engineName: values.engine, data: values.data, filter, browser, onProgress: progressLine() }));
    print(hosts.at(-1), values['list-failing']);
  }
  const [{ results }] = hosts;
  const passing = [...results].filter(([, result]) => result.passed).map(([id]) => id);
  const expected = new Set(await readExpected());
  const lost = hosts.flatMap((host) => [...host.results].filter(([id, { passed }]) => !passed && expected.has(id)).map(([id]) => `${id} (${host.label})`));
  console.log(`${passing.length} passed, ${results.size - passing.length} failed in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  if (values.engine === 'kinglet' && lost.length > 0) console.log(`expected to pass but failed: ${lost.join(' ')}`);

  await mkdir(dirname(values.json), { recursive: true });
  await writeFile(values.json, JSON.stringify({ engine: values.engine, results: Object.fromEntries(results) }, null, 1));
  if (values.update) {
    // Cases outside the filter keep their place in the list.
    const kept = [...expected].filter((id) => !results.has(id));
    await writeExpected([...kept, ...passing]);
    console.log(`expected.txt: ${kept.length + passing.length} cases`);
  }
  if (values.engine === 'kinglet' && !filter && values.data === undefined && !values['no-write']) {
    await writeOperators(hosts);
    console.log('written: docs/operators.md');
  }
  process.exitCode = values.engine === 'kinglet' && lost.length > 0 && !values.update ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(process.argv.slice(2));
