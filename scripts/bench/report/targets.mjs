// What the project promises, held against a run.
import { engineOf, entriesOf, entryOf, meanOf, meanRatio, networksOf, ratioOf, startRatio } from './results.mjs';
import { kib, percent, table, times } from './markdown.mjs';

const largeBytes = 50e6;

const least = (values) => (values.length > 0 ? Math.min(...values) : undefined);
const most = (values) => (values.length > 0 ? Math.max(...values) : undefined);
const known = (values) => values.filter((value) => value !== undefined);

const ratio = (name, atLeast, label) => ({ label: `${label}: times as fast`, atLeast, show: times, value: (host, { engine }) => ratioOf(host, name, engine) });
const kernelShare = (name, atLeast, label, only) => (
  { label: `${label}: share of V8's register kernel`, atLeast, show: percent, value: (host, { engine }) => engineOf(entryOf(host, name)?.measured, only ?? engine)?.kernelShare });
const threads = (name, label) => ({ label: `${label}: two threads, times one`, atLeast: 1.7, show: times, value: (host) => engineOf(entryOf(host, name)?.threads, 'kinglet-2-threads')?.ratio });

const starts = (what, milliseconds) => ({ label: `${what}, models, geometric mean: times as quick`, atLeast: 4, show: times,
  value: (host, { baseline, engine }) => meanOf(entriesOf(host, 'models').map((entry) => startRatio(entry, baseline, engine, milliseconds))) });

/** Starts of float models whose weights are large: [[baseline's, ours]]. */
const largeStarts = (host, { baseline, engine }) => entriesOf(host, 'models').map(({ starts }) => [starts[baseline], starts[engine]])
  .filter(([, ours]) => ours?.weightBytes > largeBytes);

const quantized = (host) => entriesOf(host, 'int8').filter(({ row }) => /minilm|resnet/.test(row.name));
/** Ratios of the median times of float models to those of their quantized twins. */
const toFloat = (host, { engine }) => known(quantized(host).map(({ row, measured }) => {
  const twin = engineOf(entryOf(host, row.float)?.measured, engine);
  return twin && twin.medianMs / engineOf(measured, engine).medianMs;
}));

/** label; atLeast or atMost; show: to text; value(host's results, run) -> number, undefined where it was not measured. */
const targets = [
  { label: 'models, geometric mean: times as fast', atLeast: 2, show: times, value: (host, { engine }) => meanRatio(host, 'models', engine) },
  { label: 'the slowest of all models: times as fast', atLeast: 1, show: times,
    value: (host, { engine }) => least(known(networksOf(host).map(({ row }) => ratioOf(host, row.name, engine)))) },
  kernelShare('matmul512', 0.9, 'MatMul 512, constant B'),
  kernelShare('matmul1024', 0.9, 'MatMul 1024, constant B'),
  kernelShare('matmul512', 0.9, 'MatMul 512, outputs in given tensors', 'kinglet-reused'),
  kernelShare('matmul1024', 0.9, 'MatMul 1024, outputs in given tensors', 'kinglet-reused'),
  ratio('mobilenetv2', 2.2, 'MobileNetV2'),
  ratio('resnet50', 2, 'ResNet-50'),
  ratio('minilm-s128', 1.8, 'MiniLM, sequence 128'),
  ratio('minilm-s16', 3, 'MiniLM, sequence 16'),
  ratio('ppocr-det-640', 2.2, 'PP-OCR detection'),
  ratio('ppocr-rec-320', 2.2, 'PP-OCR recognition'),
  kernelShare('minilm-s128', 0.85, 'MiniLM, sequence 128'),
  kernelShare('minilm-s512', 0.85, 'MiniLM, sequence 512'),
  { label: 'int8 MiniLM and ResNet, the slowest: times as fast', atLeast: 1.4, show: times,
    value: (host, { engine }) => least(known(quantized(host).map(({ row }) => ratioOf(host, row.name, engine)))) },
  { label: 'int8 MiniLM and ResNet, the slowest: times as fast as our own float32', atLeast: 1.4, show: times, value: (host, run) => least(toFloat(host, run)) },
  { label: 'plain SIMD, models, geometric mean: times as fast', atLeast: 1.6, show: times, value: (host) => meanRatio(host, 'models', 'kinglet-simd') },
  { label: 'cold start, import to a tiny session: times as quick', atLeast: 5, show: times,
    value: (host, { baseline, engine }) => meanOf(host.entries.map((entry) => startRatio(entry, baseline, engine, ({ loadMs }) => loadMs))) },
  starts('session from bytes, and first run', ({ sessionMs, firstMs }) => sessionMs + firstMs),
  starts('session from a file or address, and first run', ({ addressSessionMs, addressFirstMs }) => addressSessionMs + addressFirstMs),
  { label: 'wasm heap of models over 50 MB, the largest: share of weights and activations', atMost: 1.2, show: percent,
    value: (host, run) => most(largeStarts(host, run).map(([, ours]) => ours.heapBytes / (ours.weightBytes + ours.activationBytes))) },
  { label: 'wasm heap of models over 50 MB, the largest: times less', atLeast: 2, show: times,
    value: (host, run) => least(largeStarts(host, run).map(([theirs, ours]) => theirs.heapBytes / ours.heapBytes)) },
  threads('resnet50', 'ResNet-50'),
  threads('minilm-s512', 'MiniLM, sequence 512'),
];

const sizes = [
  { label: 'page download, all operators: KiB of brotli', atMost: 400 * 1024, show: kib, value: ({ size }) => size?.totalBytes },
  { label: 'page download, operators of MobileNetV2 alone: KiB of brotli', atMost: 120 * 1024, show: kib, value: ({ subsetSize }) => subsetSize?.totalBytes },
];

const verdict = ({ atLeast, atMost }, value) => (value === undefined ? '' : (atLeast === undefined ? value <= atMost : value >= atLeast) ? 'reached' : 'not reached');
const limit = ({ atLeast, atMost, show }) => (atLeast === undefined ? `at most ${show(atMost)}` : `at least ${show(atLeast)}`);
const cell = (target, value) => (value === undefined ? 'not measured' : `${target.show(value)}, ${verdict(target, value)}`);

export function targetTable(run) {
  const rows = targets.map((target) => [target.label, limit(target), ...run.results.map((host) => cell(target, target.value(host, run)))]);
  for (const target of sizes) rows.push([target.label, limit(target), cell(target, target.value(run)), ...run.results.slice(1).map(() => '')]);
  return table(['target', 'limit', ...run.results.map(({ label }) => label)], rows, 2);
}
