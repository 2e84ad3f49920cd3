// Measures the chosen cases in one host, job by job.
import { baseline, threadRows } from './engine-rows.mjs';
import { takesPart } from './engines.mjs';
import { hosts } from './hosts.mjs';
import { median } from './statistics.mjs';

/** Medians of an engine's fresh starts, key by key; a key that the host does not tell is undefined. */
function medians(starts) {
  const keys = [...new Set(starts.flatMap(Object.keys))];
  return Object.fromEntries(keys.map((key) => {
    const known = starts.map((start) => start[key]).filter((value) => typeof value === 'number');
    return [key, known.length > 0 ? median(known) : undefined];
  }));
}

/**
 * A start from the model's bytes in memory: loadMs, sessionMs, firstMs; and one from its file or address: addressSessionMs,
 * addressFirstMs, and the memory then in use.
 */
async function startOf(host, job) {
  const { sessionMs: addressSessionMs, firstMs: addressFirstMs, ...memory } = await host.measure({ ...job, from: 'address' });
  const { loadMs, sessionMs, firstMs } = await host.measure({ ...job, from: 'bytes' });
  return { ...memory, loadMs, sessionMs, firstMs, addressSessionMs, addressFirstMs };
}

/** Several fresh starts of each engine, in turns: { engine name: medians }. */
async function startsOf(host, job, rows, count) {
  const starts = Object.fromEntries(rows.map(({ name }) => [name, []]));
  for (let i = 0; i < count; ++i) {
    for (const row of i % 2 === 0 ? rows : [...rows].reverse()) starts[row.name].push(await startOf(host, { ...job, kind: 'start', row }));
  }
  return Object.fromEntries(Object.entries(starts).map(([name, list]) => [name, medians(list)]));
}

const ms = (value) => (value < 10 ? value.toFixed(3) : value.toFixed(1));

function progress(host, place, row, { measured, starts, threads }) {
  const steady = measured.map((m) => `${m.engine} ${ms(m.medianMs)} ms${m === measured[0] ? '' : ` ${m.ratio.toFixed(2)}x`}${m.kernelShare ? ` (${(100 * m.kernelShare).toFixed(0)} %)` : ''}`);
  const started = Object.entries(starts).filter(([, s]) => s.sessionMs !== undefined).map(([name, s]) => `${name} ${s.sessionMs.toFixed(0)} + ${s.firstMs.toFixed(0)} ms`);
  const threaded = (threads ?? []).slice(1).map((m) => `${m.engine} ${m.ratio.toFixed(2)}x`);
  console.log(`${host} [${place}] ${row.name}: ${[...steady, ...threaded].join(', ')}${started.length > 0 ? `; start: ${started.join(', ')}` : ''}`);
}

/**
 * options: rows (engine rows, the baseline first), chosen (cases), seconds, warmUpSeconds, starts (fresh starts of a model).
 * Resolves to { label, entries: [{ row, measured, starts, threads, kernelGops }], hasThreads }.
 */
export async function measureHost(hostName, files, { rows, chosen, seconds, warmUpSeconds, starts, threads }) {
  const host = await hosts[hostName](files);
  const entries = [];
  try {
    const hasThreads = threads && (await host.measure({ kind: 'features' })).threads === true;
    for (const [done, row] of chosen.entries()) {
      const job = { case: row.name, model: row.model };
      const taking = rows.filter((engine) => takesPart(engine, row.name, hostName));
      const startRows = taking.filter(({ name }) => name === baseline || name === 'kinglet');
      const started = row.group === 'operators' ? {} : await startsOf(host, job, startRows, starts);
      // Operators are small: half the time tells as much.
      const share = row.group === 'operators' ? 0.4 : 1;
      const steady = { ...job, kind: 'steady', seconds: seconds * share, warmUpSeconds: warmUpSeconds * share };
      // Every other case starts with the other engine, so that neither always loads into a cold process.
      const order = done % 2 === 0 ? taking : [...taking].reverse();
      const { measured, kernelGops } = await host.measure({ ...steady, rows: order, baseline });
      const place = (m) => rows.findIndex(({ name }) => name === m.engine);
      const entry = { row, measured: measured.sort((a, b) => place(a) - place(b)), starts: started, kernelGops };
      if (hasThreads && row.threads) {
        const sharing = threadRows.filter((engine) => takesPart(engine, row.name, hostName));
        entry.threads = (await host.measure({ ...steady, rows: sharing, baseline: threadRows[0].name })).measured;
      }
      entries.push(entry);
      progress(host.label, `${done + 1}/${chosen.length}`, row, entry);
    }
    return { label: host.label, entries, hasThreads };
  } finally {
    await host.close();
  }
}
