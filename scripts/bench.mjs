// npm run bench: Kinglet beside other engines, in a current Node and headless Chromium. Writes docs/benchmarks.md, its chart, and
// README's table; takes about 20 minutes. Options: npm run bench -- --help
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg, type } from 'node:os';
import { join } from 'node:path';
import { models, voiceModels } from '../tests/models/catalog.mjs';
import { ablationSection, measureAblation } from './bench/ablation.mjs';
import { cases } from './bench/cases.mjs';
import { downloadSize } from './bench/download-size.mjs';
import { engineRows } from './bench/engine-rows.mjs';
import { hosts, usualHosts } from './bench/hosts.mjs';
import { nativePeak } from './bench/native-peak.mjs';
import { installRivals } from './bench/rival-packages.mjs';
import { measureHost } from './bench/run-host.mjs';
import { writeAblation, writeReport } from './bench/report.mjs';
import { building, buildPackage, buildSubset, buildYardsticks, readSubset } from './build.mjs';
import { readArguments } from './lib/arguments.mjs';
import { buildDir } from './lib/project.mjs';
import { command, Failure, say } from './lib/run.mjs';
import { setup } from './setup.mjs';
import { prepareTestData } from './test-data.mjs';

const [baseline, ...rivals] = engineRows;
/** A package of MobileNetV2's operators alone. */
const subsetDir = join(buildDir, 'bench-subset');
const reported = rivals.filter(({ name }) => name !== 'control').map(({ name }) => name);

const usage = `usage: npm run bench [-- OPTIONS]   a run of some cases, hosts or engines only writes nothing
  --cases TEXT          those whose name or group matches TEXT (a regular expression)
  --hosts LIST          of ${Object.keys(hosts).join(',')}; by default ${usualHosts.join(',')}
  --engines LIST        beside the baseline, of ${rivals.map(({ name }) => name).join(',')};
                        the first is the one reported
  --seconds 1.5         of each engine and model; operators get less
  --warm-up 1           seconds before them, likewise
  --starts 3            fresh processes or pages of each engine and model (operators have none), from bytes and as many
                        from its file or address
  --no-threads          leaves out runs with threads
  --no-write            writes nothing
  --no-build            takes dist/ as it is
  --ablation            measures what each optimising pass gains on the models instead, and writes that section`;

/** Undefined where --help is wanted. */
function readOptions() {
  const text = (value) => ({ type: 'string', default: value });
  const flag = { type: 'boolean', default: false };
  const { values } = readArguments({
    usage,
    options: {
      cases: { type: 'string' }, hosts: text(usualHosts.join(',')), engines: text(reported.join(',')),
      seconds: text('1.5'), 'warm-up': text('1'), starts: text('3'), 'no-threads': flag, 'no-write': flag, 'no-build': flag, ablation: flag,
    },
  });
  if (values.help) return undefined;
  const engineNames = values.engines.split(',');
  const hostNames = values.hosts.split(',');
  const rows = engineNames.map((name) => rivals.find((row) => row.name === name));
  const matches = ({ name, group }) => new RegExp(values.cases).test(name) || group === values.cases;
  const chosen = cases.filter((row) => (!values.cases || matches(row)) && !(values.ablation && row.group === 'operators'));
  if (rows.includes(undefined)) throw new Failure(`engines are ${rivals.map(({ name }) => name).join(', ')}; got ${values.engines}`);
  if (!hostNames.every((name) => name in hosts)) throw new Failure(`hosts are ${Object.keys(hosts).join(', ')}; got ${values.hosts}`);
  if (chosen.length === 0) throw new Failure(`no case matches ${values.cases}; there are ${cases.map(({ name }) => name).join(', ')}`);
  const complete = chosen.length === cases.length && values.hosts === usualHosts.join(',') && values.engines === reported.join(',');
  return {
    rows: [baseline, ...rows],
    chosen,
    hostNames,
    seconds: Number(values.seconds),
    warmUpSeconds: Number(values['warm-up']),
    starts: Number(values.starts),
    threads: !values['no-threads'],
    builds: !values['no-build'],
    ablation: values.ablation,
    writes: !values['no-write'] && (values.ablation ? !values.cases : complete),
  };
}

const modelPath = (name) => (voiceModels[name] ?? models.find((model) => model.name === name).path)();

/** Where the models of cases are, and the register kernel. */
async function filesOf(chosen) {
  const files = { kernel: join(buildDir, 'wasm/tests/register_kernel.wasm') };
  for (const name of new Set(['tiny', ...chosen.map(({ model }) => model)])) files[name] = await modelPath(name);
  return files;
}

/** Lines about results that differ from the baseline's. */
function faultsOf({ label, entries }) {
  return entries.flatMap(({ row, measured, threads = [] }) =>
    [...measured, ...threads].flatMap((m) => m.faults.map((fault) => `${label} ${row.name} ${m.engine}: ${fault}`)));
}

function refuse(problems) {
  if (problems.length > 0) throw new Failure(`results that cannot be published:\n  ${problems.join('\n  ')}`);
}

await command(async () => {
  const options = readOptions();
  if (!options) return console.log(usage);
  if (options.builds) {
    await setup({ tests: true });
    await building(async () => {
      await buildPackage();
      await buildYardsticks();
      if (options.writes && !options.ablation) await buildSubset(await readSubset(await modelPath('mobilenetv2')), subsetDir);
    });
  }
  await prepareTestData();
  await installRivals();
  const files = await filesOf(options.chosen);
  // Two threads of one core share its multipliers: beside other work, the kernel that fills them loses most.
  if (loadavg()[0] > 0.5) say(`other work runs on this machine (load ${loadavg()[0].toFixed(1)}): ratios will come out too close to 1`);

  const where = { machine: `${cpus()[0].model.trim()}, ${cpus().length} cores, ${type()}`, date: new Date().toISOString().slice(0, 10) };
  if (options.ablation) {
    const measured = await measureAblation(files, options);
    refuse(measured.gains.flatMap(({ pass, row, faults }) => faults.map((fault) => `${row.name} without ${pass}: ${fault}`)));
    const section = ablationSection(measured, where);
    if (!options.writes) return console.log(section);
    await writeAblation(section);
    return console.log('written: docs/benchmarks.md');
  }

  const results = [];
  const peaks = [nativePeak()];
  for (const hostName of options.hostNames) {
    results.push(await measureHost(hostName, files, options));
    peaks.push(nativePeak());
  }
  const run = {
    results,
    engine: options.rows[1].name,
    baseline: baseline.name,
    // The best of the run: whatever else the machine does only slows it.
    peak: { multiplyAndAdd: Math.max(...peaks.map((peak) => peak.multiplyAndAdd)), fma: Math.max(...peaks.map((peak) => peak.fma ?? 0)) || null },
    size: await downloadSize(),
    subsetSize: existsSync(subsetDir) ? await downloadSize(subsetDir) : undefined,
    ...where,
  };
  await writeFile(join(buildDir, 'bench.json'), JSON.stringify(run, null, 1));

  const problems = results.flatMap(faultsOf);
  const { totalBytes, limitBytes } = run.size;
  console.log(`page download: ${(totalBytes / 1024).toFixed(1)} KiB of ${limitBytes / 1024} KiB`);
  if (totalBytes > limitBytes) problems.push(`the page downloads ${totalBytes} bytes, the limit is ${limitBytes}`);
  refuse(problems);
  if (options.writes) {
    const written = await writeReport(run);
    console.log(`written: ${written.join(', ')}`);
  }
});
