// TensorFlow.js with its wasm engine, which runs operators, not ONNX models: a recipe for each case that it has an operator
// for. It works channels-last; its inputs are put in that order before they are fed, outside what is measured.
import { noise } from '../../tests/models/inputs.mjs';
import { toChannelsFirst, toChannelsLast, transposed } from './layouts.mjs';

/** compute(tf, fed, constants) -> tensor; constants: values by name; input, output: what a feed and a result go through. */
const matmul = (size) => ({ constants: { b: noise([size, size], 2) }, compute: (tf, { a }, { b }) => tf.matMul(a, b) });
const fedMatmul = { compute: (tf, { a, b }) => tf.matMul(a, b) };
const layout = { input: toChannelsLast, output: toChannelsFirst };

const conv = (channels, out, kernel, stride = 1) => ({
  ...layout,
  constants: { filter: transposed(noise([out, channels, kernel, kernel], 2), [2, 3, 1, 0]), bias: noise([out], 3) },
  compute: (tf, { a }, { filter, bias }) => tf.fused.conv2d({ x: a, filter, bias, strides: stride, pad: kernel >> 1 }),
});
const depthwise = (channels, kernel) => ({
  ...layout,
  constants: { filter: transposed(noise([channels, 1, kernel, kernel], 2), [2, 3, 0, 1]), bias: noise([channels], 3) },
  compute: (tf, { a }, { filter, bias }) => tf.fused.depthwiseConv2d({ x: a, filter, bias, strides: 1, pad: kernel >> 1 }),
});

const recipes = {
  ...Object.fromEntries([64, 128, 256, 512, 1024].flatMap((size) => [[`matmul${size}`, () => matmul(size)], [`matmul${size}-fed`, () => fedMatmul]])),
  conv1x1: () => conv(256, 256, 1),
  conv3x3: () => conv(128, 128, 3),
  conv5x5: () => conv(64, 64, 5),
  conv7x7: () => conv(3, 64, 7, 2),
  depthwise3x3: () => depthwise(192, 3),
  depthwise5x5: () => depthwise(192, 5),
  softmax: () => ({ compute: (tf, { a }) => tf.softmax(a) }),
  'transpose-nhwc': () => ({ compute: (tf, { a }) => tf.transpose(a, [0, 2, 3, 1]) }),
  'transpose-heads': () => ({ compute: (tf, { a }) => tf.transpose(a, [0, 2, 1, 3]) }),
};

export const tfjsKnows = (name) => name in recipes;

/** `module`: its core and wasm backend in one (rival-packages.mjs); `wasmFolder`: where the .wasm files are. */
export async function tfjs({ module, wasmFolder }) {
  const loaded = await import(module);
  const tf = loaded.default ?? loaded;
  tf.wasm.setWasmPaths(wasmFolder);
  tf.wasm.setThreadsCount(1);
  await tf.setBackend('wasm');
  await tf.ready();
  const toTensor = ({ data, dims, type }) => tf.tensor(data, dims, type);
  return {
    name: 'tfjs-wasm',
    async load(bytes, caseName) {
      const { constants = {}, compute, input = (value) => value, output = (value) => value } = recipes[caseName]();
      const kept = Object.fromEntries(Object.entries(constants).map(([name, value]) => [name, toTensor(value)]));
      const inputs = new WeakMap();  // feeds in its own layout
      return {
        heapBytes: () => undefined,
        async run(feeds) {
          if (!inputs.has(feeds)) inputs.set(feeds, Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, input(value)])));
          const fed = Object.fromEntries(Object.entries(inputs.get(feeds)).map(([name, value]) => [name, toTensor(value)]));
          const y = tf.tidy(() => compute(tf, fed, kept));
          const data = await y.data();
          const result = { y: { type: 'float32', dims: y.shape, data } };
          tf.dispose([y, fed]);
          return result;
        },
        /** A result in the layout of the others. */
        restored: ({ y }) => ({ y: output(y) }),
        dispose: () => tf.dispose(kept),
      };
    },
  };
}
