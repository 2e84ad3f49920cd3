// Inference engines behind one small interface, for comparisons, conformance and benchmarks, in Node and in pages.
//
// engine.load(source) -> model { inputs, outputs, run(feeds) -> results, heapBytes(), dispose() }; a source is bytes, an
// address in a page or a path in Node; inputs and outputs are [{ name, type, dims }].
// A value is { type, dims, data }, an array of values (an ONNX sequence), or null (an absent optional).
// Modules are imported on first use only; in a page an import map names them.

const isTensor = (value) => value !== null && typeof value === 'object' && 'data' in value;

/** Replaces the tensors inside a value, however deep in sequences, by convert(tensor). */
function mapTensors(value, convert) {
  if (value === null || value === undefined) return null;
  if (isTensor(value)) return convert(value);
  if (Array.isArray(value)) return value.map((item) => mapTensors(item, convert));
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, mapTensors(item, convert)]));
  return value;
}

function mapRecord(record, convert) {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, mapTensors(value, convert)]));
}

const plain = (tensor) => ({ type: tensor.type, dims: [...tensor.dims], data: tensor.data });

/**
 * Kinglet by its public API. `options` go to Session.load; `variant` says which binary that gives. With `reusesOutputs` the
 * tensors that the first run gives receive the outputs of the others.
 */
export async function kinglet({ reusesOutputs = false, ...options } = {}) {
  const { features, Session, Tensor } = await import('kinglet');
  const toTensor = (value) => new Tensor(value.type, value.data, value.dims);
  return {
    name: 'kinglet',
    variant: options.variant ?? features().variant,
    async load(source) {
      const session = await Session.load(source, options);
      let outputs;
      return {
        session,
        inputs: session.inputs,
        outputs: session.outputs,
        heapBytes: () => session.memory.heap,
        async run(feeds) {
          const results = await session.run(mapRecord(feeds, toTensor), { outputs });
          if (reusesOutputs) outputs = results;
          return mapRecord(results, plain);
        },
        dispose: () => session.dispose(),
      };
    },
  };
}

/** Notes every WebAssembly.Memory made from now on: onnxruntime-web does not tell how large its heap is. */
function watchMemories() {
  const made = [];
  WebAssembly.Memory = new Proxy(WebAssembly.Memory, {
    construct(target, args) {
      const memory = Reflect.construct(target, args);
      made.push(memory);
      return memory;
    },
  });
  return made;
}

let ortMemories;

/** onnxruntime-web's wasm engine. `options` go to InferenceSession.create; `wasmPaths` tells a page where its files are. */
export async function ort({ threads = 1, wasmPaths, ...options } = {}) {
  ortMemories ??= watchMemories();
  const runtime = await import('onnxruntime-web/wasm');
  runtime.env.wasm.numThreads = threads;
  if (wasmPaths) runtime.env.wasm.wasmPaths = wasmPaths;
  const { InferenceSession, Tensor } = runtime;
  const toTensor = (value) => new Tensor(value.type, value.data, value.dims);
  // Unknown dims read as 2^32 - 1 there.
  const describe = ({ name, type, shape }) => ({ name, type, dims: shape?.map((d) => (d === 0xffffffff ? -1 : d)) });
  return {
    name: 'onnxruntime-web',
    async load(source) {
      const isPath = typeof source === 'string' && globalThis.document === undefined;  // which it does not take
      const model = isPath ? await (await import('node:fs/promises')).readFile(source) : source;
      const session = await InferenceSession.create(model, { executionProviders: ['wasm'], logSeverityLevel: 4, ...options });
      return {
        session,
        inputs: session.inputMetadata.map(describe),
        outputs: session.outputMetadata.map(describe),
        // One heap serves all its sessions.
        heapBytes: () => ortMemories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0),
        run: async (feeds) => mapRecord(await session.run(mapRecord(feeds, toTensor)), plain),
        dispose: () => session.release(),
      };
    },
  };
}

export const engines = { kinglet, ort };
