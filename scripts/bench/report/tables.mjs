// The tables of docs/benchmarks.md, each from a run.
import { engineOf, entriesOf, groups, meanOf, meanRatio, networksOf, ratioOf, rowsOf, startRatio } from './results.mjs';
import { kib, mib, ms, percent, table, times } from './markdown.mjs';

/** Ratios of a group's cases: a column for each host and engine that took part. */
export function ratioTable({ results, baseline }, group, only) {
  const columns = results.flatMap((host) => {
    const names = new Set(entriesOf(host, group).flatMap(({ measured }) => measured.map((m) => m.engine)));
    return [...names].filter((name) => name !== baseline && (!only || only.includes(name))).map((engine) => ({ host, engine }));
  });
  const rows = rowsOf(results, group).map((row) => [row.label, ...columns.map(({ host, engine }) => times(ratioOf(host, row.name, engine)))]);
  rows.push(['geometric mean', ...columns.map(({ host, engine }) => times(meanRatio(host, group, engine)))]);
  return table(['', ...columns.map(({ host, engine }) => (only ? host.label : `${engine}, ${host.label}`))], rows);
}

const gops = (row, m) => (row.operations && m ? (row.operations / m.medianMs / 1e6).toFixed(1) : '');

/** Gop/s and shares of the cases whose operations are known. */
export function peakTable({ results, baseline, engine, peak }) {
  const best = peak.fma ?? peak.multiplyAndAdd;
  const rows = results.flatMap((host) => host.entries.filter(({ row }) => row.operations).map(({ row, measured }) => {
    const ours = engineOf(measured, engine);
    return [
      row.label, host.label.split(' ')[0], gops(row, ours), percent(ours.kernelShare), percent(row.operations / ours.medianMs / 1e6 / best),
      gops(row, engineOf(measured, baseline)), gops(row, engineOf(measured, 'kinglet-simd')), gops(row, engineOf(measured, 'tfjs-wasm')),
      gops(row, engineOf(measured, 'litert')),
    ];
  }));
  return table(['case', 'host', `${engine} Gop/s`, 'of V8\'s kernel', 'of the native peak', baseline, 'kinglet-simd', 'tfjs-wasm', 'litert'], rows, 2);
}

export function startTable({ results, baseline, engine }) {
  const durations = [
    ['load: import to the first tiny session', ({ loadMs }) => loadMs],
    ['session, from bytes', ({ sessionMs }) => sessionMs],
    ['first run', ({ firstMs }) => firstMs],
    ['session from bytes, and first run', ({ sessionMs, firstMs }) => sessionMs + firstMs],
    ['session from a file or address', ({ addressSessionMs }) => addressSessionMs],
    ['session from a file or address, and first run', ({ addressSessionMs, addressFirstMs }) => addressSessionMs + addressFirstMs],
  ];
  const rows = durations.map(([label, duration]) => [
    label, ...results.map((host) => times(meanOf(networksOf(host).map((entry) => startRatio(entry, baseline, engine, duration))))),
  ]);
  return table(['geometric mean over the models', ...results.map(({ label }) => label)], rows);
}

/** Heap and peak memory of the models, after the first run of a fresh process or page. */
export function memoryTable({ results, baseline, engine }) {
  const rows = results.flatMap((host) => networksOf(host).map(({ row, starts }) => {
    const [theirs, ours] = [starts[baseline] ?? {}, starts[engine] ?? {}];
    const used = ours.weightBytes + ours.activationBytes;
    return [
      row.label, host.label.split(' ')[0], mib(ours.weightBytes), mib(ours.activationBytes), mib(ours.heapBytes), percent(ours.heapBytes / used),
      mib(theirs.heapBytes), mib(ours.peakBytes), mib(theirs.peakBytes),
    ];
  }));
  return table(['case', 'host', 'weights MiB', 'activations', 'heap', 'heap of both', `${baseline} heap`, 'process peak', `${baseline} process peak`], rows, 2);
}

/** Undefined when no host has threads. */
export function threadTable({ results }) {
  const rows = results.flatMap((host) => host.entries.filter(({ threads }) => threads).map(({ row, threads }) => {
    const two = engineOf(threads, 'kinglet-2-threads');
    const theirs = engineOf(threads, 'onnxruntime-web-2-threads');
    const held = theirs ? [ms(theirs.medianMs), times(theirs.medianMs / two.medianMs)] : ['', ''];
    return [row.label, host.label.split(' ')[0], ms(threads[0].medianMs), ms(two.medianMs), times(two.ratio), ...held];
  }));
  const head = ['case', 'host', 'one thread ms', 'two threads ms', 'times one', 'onnxruntime-web, two threads, ms', 'times as fast as that'];
  return rows.length > 0 ? table(head, rows, 2) : undefined;
}

export function sizeTable(size) {
  return table(['file', 'KiB', 'KiB, brotli -q 11'], [
    ...size.files.map((file) => [file.name, kib(file.rawBytes), kib(file.brotliBytes)]),
    ['total', '', kib(size.totalBytes)],
  ]);
}

/** All that was measured in one host. */
export function hostTable(host) {
  const head = ['case', 'engine', 'steady median ms', 'p90 ms', 'Gop/s', 'times baseline', 'load ms', 'session ms', 'first run ms', 'largest error'];
  return groups.map(([group]) => entriesOf(host, group)).filter((entries) => entries.length > 0).map((entries) => table(head,
    entries.flatMap(({ row, measured, starts }) => measured.map((m) => {
      const start = starts[m.engine];
      return [
        row.label, m.variant && m.engine === 'kinglet' ? `${m.engine} (${m.variant})` : m.engine, ms(m.medianMs), ms(m.p90Ms), gops(row, m),
        m === measured[0] ? '' : times(m.ratio), ...['loadMs', 'sessionMs', 'firstMs'].map((key) => (start?.[key] === undefined ? '' : ms(start[key]))),
        m === measured[0] ? '' : m.error.toExponential(1),
      ];
    })), 2)).join('\n\n');
}

