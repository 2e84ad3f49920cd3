// npm run bench: Kinglet beside other engines, in a current Node and headless Chromium. Writes docs/benchmarks.md and README's table.
//   node scripts/bench.mjs [--cases TEXT] [--hosts node,chromium] [--engines kinglet] [--seconds 4] [--warm-up 2] [--no-write] [--no-build]
// --cases: those whose name matches TEXT (a regular expression); a run of some cases or hosts only writes nothing.
// --engines: names of bench/cases.mjs beside the baseline; the first is the one reported. --no-build: takes dist/ as it is.
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg, type } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { models } from '../tests/models/catalog.mjs';
import { cases, engineRows } from './bench/cases.mjs';
import { downloadSize } from './bench/download-size.mjs';
import { hosts } from './bench/hosts.mjs';
import { steadyRatio, writeReport } from './bench/report.mjs';
import { building, buildPackage } from './build.mjs';
import { buildDir } from './lib/project.mjs';
import { command, Failure, say } from './lib/run.mjs';
import { setup } from './setup.mjs';
import { prepareTestData } from './test-data.mjs';

const [baseline, ...rivals] = engineRows;

function readOptions() {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string' },
      hosts: { type: 'string', default: Object.keys(hosts).join(',') },
      engines: { type: 'string', default: 'kinglet' },
      seconds: { type: 'string', default: '4' },
      'warm-up': { type: 'string', default: '2' },
      'no-write': { type: 'boolean', default: false },
      'no-build': { type: 'boolean', default: false },
    },
  });
  const engineNames = values.engines.split(',');
  const hostNames = values.hosts.split(',');
  const rows = engineNames.map((name) => rivals.find((row) => row.name === name));
  const chosen = cases.filter(({ name }) => !values.cases || new RegExp(values.cases).test(name));
  if (rows.includes(undefined)) throw new Failure(`engines are ${rivals.map(({ name }) => name).join(', ')}; got ${values.engines}`);
  if (!hostNames.every((name) => name in hosts)) throw new Failure(`hosts are ${Object.keys(hosts).join(', ')}; got ${values.hosts}`);
  if (chosen.length === 0) throw new Failure(`no case matches ${values.cases}; there are ${cases.map(({ name }) => name).join(', ')}`);
  return {
    rows: [baseline, ...rows],
    chosen,
    hostNames,
    seconds: Number(values.seconds),
    warmUpSeconds: Number(values['warm-up']),
    builds: !values['no-build'],
    writes: !values['no-write'] && chosen.length === cases.length && hostNames.length === Object.keys(hosts).length,
  };
}

async function modelFiles(chosen) {
  const files = {};
  for (const name of new Set(['tiny', ...chosen.map(({ model }) => model)])) files[name] = await models.find((m) => m.name === name).path();
  return files;
}

function progress(host, place, row, measured) {
  const parts = measured.map(
    (m) => `${m.engine} ${m.medianMs.toFixed(2)} ms (p90 ${m.p90Ms.toFixed(2)}, first ${m.firstMs.toFixed(0)}, session ${m.sessionMs.toFixed(0)}, load ${m.loadMs.toFixed(0)})`,
  );
  const ratios = measured.slice(1).map((m) => `${m.ratio.toFixed(2)}x`);
  console.log(`${host} [${place}] ${row.name}: ${ratios.join(' ')}  ${parts.join('; ')}`);
}

/** Measures the chosen cases in one host: { label, entries: [{ row, measured }] }. */
async function measureHost(hostName, files, { rows, chosen, seconds, warmUpSeconds }) {
  const host = await hosts[hostName](files);
  const entries = [];
  try {
    for (const [done, row] of chosen.entries()) {
      // Every other case starts with the other engine, so that neither always loads into a cold process.
      const order = done % 2 === 0 ? rows : [...rows].reverse();
      const measured = await host.measure({ case: row.name, model: row.model, rows: order, baseline: baseline.name, seconds, warmUpSeconds });
      entries.push({ row, measured });
      progress(host.label, `${done + 1}/${chosen.length}`, row, measured);
    }
  } finally {
    await host.close();
  }
  return { label: host.label, entries };
}

await command(async () => {
  const options = readOptions();
  if (options.builds) {
    await setup({ tests: true });
    await building(buildPackage);
  }
  await prepareTestData();
  const files = await modelFiles(options.chosen);
  // Two threads of one core share its multipliers: beside other work, the kernel that fills them loses most.
  if (loadavg()[0] > 0.5) say(`other work runs on this machine (load ${loadavg()[0].toFixed(1)}): ratios will come out too close to 1`);

  const results = {};
  for (const hostName of options.hostNames) {
    const { label, entries } = await measureHost(hostName, files, options);
    results[label] = entries;
  }
  const run = {
    results,
    engine: options.rows[1].name,
    baseline: baseline.name,
    size: await downloadSize(),
    machine: `${cpus()[0].model.trim()}, ${cpus().length} cores, ${type()}`,
    date: new Date().toISOString().slice(0, 10),
  };
  await writeFile(join(buildDir, 'bench.json'), JSON.stringify(run, null, 1));

  const problems = [];
  for (const [host, entries] of Object.entries(results)) {
    for (const { row, measured } of entries) {
      for (const m of measured) problems.push(...m.faults.map((fault) => `${host} ${row.name} ${m.engine}: ${fault}`));
      if (row.target && steadyRatio(measured, run.engine) < row.target) console.log(`below its target of ${row.target}x: ${row.name} on ${host}`);
    }
  }
  const { totalBytes, limitBytes } = run.size;
  console.log(`page download: ${(totalBytes / 1024).toFixed(1)} KiB of ${limitBytes / 1024} KiB`);
  if (totalBytes > limitBytes) problems.push(`the page downloads ${totalBytes} bytes, the limit is ${limitBytes}`);
  if (problems.length > 0) throw new Failure(`results that cannot be published:\n  ${problems.join('\n  ')}`);
  if (options.writes) {
    const { readme } = await writeReport(run);
    console.log(`written: docs/benchmarks.md${readme ? ', README.md' : ''}`);
  }
});
