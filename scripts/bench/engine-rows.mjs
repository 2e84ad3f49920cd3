// The engines that take part: one row each. Used in Node and in the page, so it imports nothing of Node.

/**
 * name; factory: an engine of bench/engines.mjs; options: what it is made with. The first is the baseline; `control` is the
 * baseline once more: its ratio tells how far from 1 the noise reaches. `only`: the host that it runs in; `cases`: how the names
 * of those that it runs begin.
 */
export const engineRows = [
  { name: 'onnxruntime-web', factory: 'ort', options: { threads: 1 } },
  { name: 'control', factory: 'ort', options: { threads: 1 } },
  { name: 'kinglet', factory: 'kinglet', options: {} },
  { name: 'kinglet-simd', factory: 'kinglet', options: { variant: 'simd' } },
  // Its outputs go to the same tensors in every run: new memory for one of 1 MiB takes Chromium a tenth of the time of a product.
  { name: 'kinglet-reused', factory: 'kinglet', options: { reusesOutputs: true }, cases: 'matmul' },
  { name: 'tfjs-wasm', factory: 'tfjs', options: {} },
  { name: 'litert', factory: 'litert', options: {}, only: 'chromium' },
];

/** Two threads are held against one, each in a process or page of its own kind: the first is the baseline there. */
export const threadRows = [
  { name: 'kinglet', factory: 'kinglet', options: {} },
  { name: 'kinglet-2-threads', factory: 'kinglet', options: { threads: 2 } },
  // In Node its threads do not start: it fetches the file of its binary, which Node's fetch refuses.
  { name: 'onnxruntime-web-2-threads', factory: 'ort', options: { threads: 2 }, only: 'chromium' },
];

export const baseline = engineRows[0].name;
