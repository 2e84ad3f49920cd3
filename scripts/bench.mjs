// npm run bench: Kinglet beside other engines, in a current Node and headless Chromium. Writes docs/benchmarks.md and README's table.
//   node scripts/bench.mjs [--cases TEXT] [--hosts node,chromium] [--engines kinglet] [--seconds 4] [--warm-up 2] [--no-write]
// --cases: those whose name matches TEXT (a regular expression). --engines: beside the baseline. A filtered run writes nothing.
import { writeFile } from 'node:fs/promises';
import { cpus, type } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { models as catalog } from '../tests/models/catalog.mjs';
import { cases, engineRows } from './bench/cases.mjs';
import { downloadSize } from './bench/download-size.mjs';
import { hosts } from './bench/hosts.mjs';
import { steadyRatio, writeReport } from './bench/report.mjs';
import { buildDir } from './lib/project.mjs';

const { values } = parseArgs({
  options: {
    cases: { type: 'string' },
    hosts: { type: 'string', default: Object.keys(hosts).join(',') },
    engines: { type: 'string', default: 'kinglet' },
    seconds: { type: 'string', default: '4' },
    'warm-up': { type: 'string', default: '2' },
    'no-write': { type: 'boolean', default: false },
  },
});

const [baseline, ...others] = engineRows;
const wanted = values.engines.split(',');
const rows = [baseline, ...others.filter(({ name }) => wanted.includes(name))];
const chosen = cases.filter(({ name }) => !values.cases || new RegExp(values.cases).test(name));
if (rows.length !== wanted.length + 1) throw new Error(`engines are ${others.map(({ name }) => name).join(', ')}; got ${values.engines}`);
if (chosen.length === 0) throw new Error(`no case matches ${values.cases}`);

const files = {};
for (const name of ['tiny', ...new Set(chosen.map(({ model }) => model))]) files[name] = await catalog.find((m) => m.name === name).path();

const results = {};
const failures = [];
for (const hostName of values.hosts.split(',')) {
  const host = await hosts[hostName](files);
  results[host.label] = [];
  try {
    for (const [done, row] of chosen.entries()) {
      // Every other case starts with the other engine, so that neither always loads into a cold process.
      const measured = await host.measure({
        case: row.name,
        model: row.model,
        rows: done % 2 === 0 ? rows : [...rows].reverse(),
        baseline: baseline.name,
        seconds: Number(values.seconds),
        warmUpSeconds: Number(values['warm-up']),
      });
      results[host.label].push({ row, measured });
      const parts = measured.map((m) => `${m.engine} ${m.medianMs.toFixed(2)} ms (p90 ${m.p90Ms.toFixed(2)}, first ${m.firstMs.toFixed(0)}, session ${m.sessionMs.toFixed(0)}, load ${m.loadMs.toFixed(0)})`);
      const ratios = measured.slice(1).map((m) => `${steadyRatio(measured, m.engine).toFixed(2)}x`);
      console.log(`${host.label} [${done + 1}/${chosen.length}] ${row.name}: ${ratios.join(' ')}  ${parts.join('; ')}`);
      for (const m of measured) for (const fault of m.faults) failures.push(`${host.label} ${row.name} ${m.engine}: ${fault}`);
    }
  } finally {
    await host.close();
  }
}

const machine = `${cpus()[0].model.trim()}, ${cpus().length} cores, ${type()}`;
const date = new Date().toISOString().slice(0, 10);
const size = await downloadSize();
for (const file of size.files) console.log(`download: ${file.name} ${(file.brotliBytes / 1024).toFixed(1)} KiB`);
console.log(`download: ${(size.totalBytes / 1024).toFixed(1)} KiB of ${size.limitBytes / 1024} KiB`);
if (size.totalBytes > size.limitBytes) failures.push(`the page downloads ${size.totalBytes} bytes, the limit is ${size.limitBytes}`);

const run = { results, engine: rows[1].name, baseline: baseline.name, size, machine, date };
await writeFile(join(buildDir, 'bench.json'), JSON.stringify(run, null, 1));
for (const [host, entries] of Object.entries(results)) {
  for (const { row, measured } of entries) {
    if (row.target && steadyRatio(measured, run.engine) < row.target) console.log(`below its target of ${row.target}x: ${row.name} on ${host}`);
  }
}
for (const failure of failures) console.error(`FAULT ${failure}`);
const complete = chosen.length === cases.length && values.hosts.split(',').length === Object.keys(hosts).length;
if (failures.length === 0 && complete && !values['no-write']) {
  const written = await writeReport(run);
  console.log(`written: docs/benchmarks.md${written.readme ? ', README.md' : ''}`);
}
process.exitCode = failures.length > 0 ? 1 : 0;
