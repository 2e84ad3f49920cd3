// What each optimising pass gains: models run with all passes and with all but one, taking turns, in Node.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../lib/project.mjs';
import { hosts } from './hosts.mjs';
import { engineOf, meanOf } from './report/results.mjs';
import { table, times } from './report/markdown.mjs';

/** Names in the table of passes.cpp. */
function passNames() {
  const text = readFileSync(join(root, 'core/graph/passes/passes.cpp'), 'utf8');
  const names = [...text.matchAll(/\.name = "(\w+)", \.run = passes::/g)].map(([, name]) => name);
  if (names.length === 0) throw new Error('core/graph/passes/passes.cpp has no table of passes that can be read');
  return [...new Set(names)];
}

const all = { name: 'kinglet', factory: 'kinglet', options: {} };
const withouts = () => passNames().map((name) => ({ name, factory: 'kinglet', options: { optimize: { without: [name] } } }));

/**
 * Measures the cases: { label, gains: [{ pass, row, gain }] }; gain: how many times as fast the model is with the pass as
 * without, for each pass that changes the model's graph.
 */
export async function measureAblation(files, { chosen, seconds, warmUpSeconds }) {
  const host = await hosts.node(files);
  const gains = [];
  try {
    for (const row of chosen) {
      const job = { case: row.name, model: row.model };
      const rows = [all, ...withouts()];
      const touching = await host.measure({ ...job, kind: 'others', rows });
      const taking = rows.filter(({ name }) => name === all.name || touching.includes(name));
      const { measured } = await host.measure({ ...job, kind: 'steady', rows: taking, baseline: all.name, seconds, warmUpSeconds });
      const found = touching.map((pass) => ({ pass, row, gain: 1 / engineOf(measured, pass).ratio, faults: engineOf(measured, pass).faults }));
      gains.push(...found);
      console.log(`${row.name}: ${found.map(({ pass, gain }) => `${pass} ${times(gain)}`).join(', ') || 'no pass changes it'}`);
    }
    return { label: host.label, gains };
  } finally {
    await host.close();
  }
}

/** The section of docs/benchmarks.md, between its markers. */
export function ablationSection({ label, gains }, { machine, date }) {
  const rows = passNames().map((pass) => {
    const own = gains.filter((gain) => gain.pass === pass).sort((a, b) => b.gain - a.gain);
    if (own.length === 0) return [`\`${pass}\``, '0', '', 'changes none of these models'];
    return [`\`${pass}\``, String(own.length), times(meanOf(own.map(({ gain }) => gain))), `${times(own[0].gain)} ${own[0].row.label}`];
  });
  return `<!-- ablation:start -->
## What each pass gains

How many times as fast models are with a pass as with all others alone, in ${label}; by \`npm run bench -- --ablation\`. ${machine}, ${date}.
Where one pass prepares the ground for another, leaving it out costs what both gain.

${table(['pass', 'models that it changes', 'gain, geometric mean', 'most'], rows)}
<!-- ablation:end -->`;
}
