// Writes what was measured: docs/benchmarks.md, and the table between the markers of README.md.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../lib/project.mjs';
import { geometricMean } from './statistics.mjs';

const marker = /<!-- bench:start -->[\s\S]*?<!-- bench:end -->/;

const ms = (value) => (value < 1 ? value.toFixed(3) : value < 100 ? value.toFixed(1) : value.toFixed(0));
const kib = (bytes) => (bytes / 1024).toFixed(1);
const times = (ratio) => `${ratio.toFixed(2)}x`;
const row = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, rows) => [row(head), row(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(row)].join('\n');

const of = (measured, engine) => measured.find((m) => m.engine === engine);

/** How many times as fast as the baseline in steady runs. */
export const steadyRatio = (measured, engine) => of(measured, engine).ratio;

const startRatio = (measured, engine, key) => measured[0][key] / of(measured, engine)[key];

function ratioTable({ results, engine }) {
  const hosts = Object.keys(results);
  const names = [...new Set(hosts.flatMap((host) => results[host].map(({ row: { name } }) => name)))];
  const entryOf = (host, name) => results[host].find((entry) => entry.row.name === name);
  const rows = names.map((name) => [
    hosts.map((host) => entryOf(host, name)).find(Boolean).row.label,
    ...hosts.map((host) => (entryOf(host, name) ? times(steadyRatio(entryOf(host, name).measured, engine)) : '')),
  ]);
  rows.push(['geometric mean', ...hosts.map((host) => times(geometricMean(results[host].map((entry) => steadyRatio(entry.measured, engine)))))]);
  return table(['', ...hosts], rows);
}

function hostTable(entries, engine) {
  const head = ['case', 'engine', 'steady median ms', 'p90 ms', 'Gop/s', 'times baseline', 'session ms', 'first run ms', 'load ms', 'wasm heap MiB', 'largest error'];
  const rows = entries.flatMap(({ row: { label, operations }, measured }) =>
    measured.map((m) => [
      label,
      m.variant ? `${m.engine} (${m.variant})` : m.engine,
      ms(m.medianMs),
      ms(m.p90Ms),
      operations ? (operations / m.medianMs / 1e6).toFixed(1) : '',
      m === measured[0] ? '' : times(steadyRatio(measured, m.engine)),
      ms(m.sessionMs),
      ms(m.firstMs),
      ms(m.loadMs),
      (m.heapBytes / 2 ** 20).toFixed(0),
      m === measured[0] ? '' : m.error.toExponential(1),
    ]),
  );
  return table(head, rows);
}

function startTable({ results, engine }) {
  const keys = { loadMs: 'load: import to the first tiny session', sessionMs: 'session of a model', firstMs: 'first run of a model' };
  const hosts = Object.keys(results);
  return table(
    ['geometric mean over the cases', ...hosts],
    Object.entries(keys).map(([key, label]) => [label, ...hosts.map((host) => times(geometricMean(results[host].map((entry) => startRatio(entry.measured, engine, key)))))]),
  );
}

function sizeTable(size) {
  const rows = size.files.map((file) => [file.name, kib(file.rawBytes), kib(file.brotliBytes)]);
  rows.push(['total', '', kib(size.totalBytes)]);
  return table(['file', 'KiB', 'KiB, brotli -q 11'], rows);
}

const conditions = ({ machine, date, baseline }) =>
  `Times as fast as ${baseline}, one thread, same process or page, engines taking turns; median over the rounds of steady runs, input upload and output read included. ${machine}, ${date}.`;

function document(run) {
  const hostParts = Object.entries(run.results).map(([host, entries]) => `## ${host}\n\n${hostTable(entries, run.engine)}`);
  return `# Benchmarks

Written by \`npm run bench\`; do not edit by hand. Times depend on the machine and its load: compare by the ratios.

## Ratios

${conditions(run)}

${ratioTable(run)}

## Start

How many times as quick as ${run.baseline}. Each case is a fresh process or page; load includes the engine's import, compilation and a session of one addition.

${startTable(run)}

${run.size ? `## Page download\n\nThe largest single-thread \`.wasm\` and all entry JavaScript; the limit is ${kib(run.size.limitBytes)} KiB.\n\n${sizeTable(run.size)}\n` : ''}
${hostParts.join('\n\n')}

Every case's outputs agree with ${run.baseline}'s within 1e-4 of their scale; the largest error is given as a share of that scale.
`;
}

/** run: { results: { host label: [{ row, measured }] }, engine, baseline, size, machine, date } */
export async function writeReport(run) {
  await mkdir(join(root, 'docs'), { recursive: true });
  await writeFile(join(root, 'docs/benchmarks.md'), document(run));
  const path = join(root, 'README.md');
  const readme = await readFile(path, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (readme === undefined || !marker.test(readme)) return { readme: false };
  const size = run.size ? `\n\nPage download: ${kib(run.size.totalBytes)} KiB (brotli).` : '';
  const block = `<!-- bench:start -->\n${ratioTable(run)}\n\n${conditions(run)}${size}\n<!-- bench:end -->`;
  await writeFile(path, readme.replace(marker, () => block));
  return { readme: true };
}
