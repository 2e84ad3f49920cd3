// Writes what was measured: docs/benchmarks.md with its chart, and the table between the markers of README.md.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../lib/project.mjs';
import { chart } from './report/chart.mjs';
import { kib } from './report/markdown.mjs';
import { entriesOf, groups } from './report/results.mjs';
import { hostTable, memoryTable, peakTable, ratioTable, sizeTable, startTable, threadTable } from './report/tables.mjs';
import { targetTable } from './report/targets.mjs';

const readmeMarker = /<!-- bench:start -->[\s\S]*?<!-- bench:end -->/;
/** What `npm run bench -- --ablation` writes, which other runs keep. */
const ablationMarker = /<!-- ablation:start -->[\s\S]*?<!-- ablation:end -->/;

const conditions = ({ machine, date, baseline }) =>
  `Times as fast as ${baseline}, one thread, same process or page, engines taking turns; median over the rounds of steady runs, input upload and output read included. ${machine}, ${date}.`;

const section = (title, ...parts) => (parts.includes(undefined) ? '' : `## ${title}\n\n${parts.join('\n\n')}\n\n`);
const measuredGroups = ({ results }) => groups.filter(([group]) => results.some((host) => entriesOf(host, group).length > 0));

/** The text of docs/benchmarks.md; `ablation`: its section of what each optimisation gains. */
export function document(run, ablation) {
  const { results, baseline, engine, peak, size } = run;
  const fma = peak.fma ? `, ${peak.fma.toFixed(1)} Gop/s with FMA instructions` : '';
  const kernels = results.map(({ label, entries }) => {
    const sorted = entries.map(({ kernelGops }) => kernelGops).sort((a, b) => a - b);
    return `${sorted[sorted.length >> 1].toFixed(1)} Gop/s in ${label}`;
  });
  return `# Benchmarks

Written by \`npm run bench\`; do not edit by hand. Times depend on the machine and its load: compare by the ratios.

${conditions(run)}

![Ratios of all cases](benchmarks.svg)

${section('Targets', targetTable(run))}${measuredGroups(run).map(([group, title]) => section(title, ratioTable(run, group))).join('')}${section(
    'Share of the peak',
    `One core computes ${peak.multiplyAndAdd.toFixed(1)} Gop/s natively with 128-bit multiplications and additions${fma}; V8 makes ${kernels.join(', ')} of a register kernel of 4x8 tiles over data in the first level cache, which takes its turns among the engines. An operation is a multiplication or an addition; convolutions by Winograd's method and products by Strassen's do fewer than are counted.`,
    peakTable(run),
  )}${section(
    'Start',
    `How many times as quick as ${baseline}: medians of fresh processes or pages; a page's first second passes before, in which its browser works for itself. Load includes the engine's import, compilation and a session of one addition; a session is made from the model's bytes in memory, and in a start of its own from its file (Node) or address (Chromium; this machine serves it).`,
    startTable(run),
  )}${section(
    'Memory',
    `After the first run in a fresh process or page. "heap of both" is ${engine}'s wasm heap as a share of its weights and activations; the peak is that of the whole process, which in Chromium is the page's.`,
    memoryTable(run),
  )}${section('Two threads', 'In a process or page of their own, engines taking turns.', threadTable(run))}${ablation ? `${ablation}\n\n` : ''}${
    size ? section('Page download', `The largest single-thread \`.wasm\` and all entry JavaScript; the limit is ${kib(size.limitBytes)} KiB.`, sizeTable(size)) : ''
  }${results.map((host) => section(host.label, hostTable(host))).join('')}Every case's outputs agree with ${baseline}'s within 1e-4 of their scale, unless its row in \`scripts/bench/cases.mjs\` says otherwise; the largest error is given as a share of that scale.
`;
}

/** The block between README's markers. */
function readmeBlock(run) {
  const tables = measuredGroups(run).filter(([group]) => group !== 'operators').map(([group]) => ratioTable(run, group, [run.engine]));
  const size = run.size ? `\n\nPage download: ${kib(run.size.totalBytes)} KiB (brotli).` : '';
  return `<!-- bench:start -->\n${tables.join('\n\n')}\n\n${conditions(run)}${size}\n<!-- bench:end -->`;
}

async function existing(path) {
  return readFile(path, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
}

/** Puts the section of what each pass gains in its place in docs/benchmarks.md, which must be there. */
export async function writeAblation(section) {
  const page = join(root, 'docs/benchmarks.md');
  const text = await readFile(page, 'utf8');
  const rest = text.replace(ablationMarker, '').replace(/\n{3,}/g, '\n\n');
  await writeFile(page, rest.replace(/(?=^## Page download$)/m, () => `${section}\n\n`));
}

/** Resolves to the names of the files that it wrote. */
export async function writeReport(run) {
  const docs = join(root, 'docs');
  await mkdir(docs, { recursive: true });
  const page = join(docs, 'benchmarks.md');
  const [ablation] = ablationMarker.exec(await existing(page)) ?? [];
  await writeFile(page, document(run, ablation));
  await writeFile(join(docs, 'benchmarks.svg'), chart(run));
  const readme = join(root, 'README.md');
  const text = await existing(readme);
  if (!readmeMarker.test(text)) return ['docs/benchmarks.md', 'docs/benchmarks.svg'];
  await writeFile(readme, text.replace(readmeMarker, () => readmeBlock(run)));
  return ['docs/benchmarks.md', 'docs/benchmarks.svg', 'README.md'];
}
