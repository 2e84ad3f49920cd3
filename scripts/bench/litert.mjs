// LiteRT.js, which runs .tflite models in pages: twins of the cases of one operator, written here with the same weights. It
// works channels-last; its inputs are put in that order before they are fed, outside what is measured.
import { noise } from '../../tests/models/inputs.mjs';
import { toChannelsFirst, toChannelsLast, transposed } from './layouts.mjs';
import { tfliteModel } from './tflite.mjs';

const matmul = (size) => ({
  operator: 'fullyConnected', input: [size, size], constants: [transposed(noise([size, size], 2), [1, 0])], output: [size, size],
});
const convolution = (operator, perm, [channels, out, side, kernel]) => ({
  operator,
  input: [1, side, side, channels],
  constants: [transposed(noise([out, operator === 'conv2d' ? channels : 1, kernel, kernel], 2), perm), noise([out], 3)],
  output: [1, side, side, out],
  toInput: toChannelsLast,
  toOutput: toChannelsFirst,
});
const conv = (...sizes) => convolution('conv2d', [0, 2, 3, 1], sizes);
const depthwise = (channels, side, kernel) => convolution('depthwiseConv2d', [1, 2, 3, 0], [channels, channels, side, kernel]);

const twins = {
  ...Object.fromEntries([64, 128, 256, 512, 1024].map((size) => [`matmul${size}`, () => matmul(size)])),
  conv1x1: () => conv(256, 256, 28, 1),
  conv3x3: () => conv(128, 128, 28, 3),
  conv5x5: () => conv(64, 64, 28, 5),
  depthwise3x3: () => depthwise(192, 56, 3),
  depthwise5x5: () => depthwise(192, 28, 5),
};

export const litertKnows = (name) => name in twins;

/** `module`: it and flatbuffers in one (rival-packages.mjs); `wasmFolder`: where its .wasm files are. */
export async function litert({ module, wasmFolder }) {
  const { Builder, loadAndCompile, loadLiteRt, Tensor } = await import(module);
  await loadLiteRt(wasmFolder);
  return {
    name: 'litert',
    async load(bytes, caseName) {
      const { toInput = (value) => value, toOutput = (value) => value, ...twin } = twins[caseName]();
      const model = await loadAndCompile(tfliteModel(Builder, twin), { accelerator: 'wasm', cpuOptions: { numThreads: 1 } });
      const inputs = new WeakMap();  // feeds in its own layout
      return {
        heapBytes: () => undefined,
        async run(feeds) {
          if (!inputs.has(feeds)) inputs.set(feeds, toInput(feeds.a));
          const { data, dims } = inputs.get(feeds);
          const fed = new Tensor(data, dims);
          const [y] = await model.run([fed]);
          const result = { y: { type: 'float32', dims: twin.output, data: (await y.data()).slice() } };
          fed.delete();
          y.delete();
          return result;
        },
        /** A result in the layout of the others. */
        restored: ({ y }) => ({ y: toOutput(y) }),
        dispose: () => model.delete(),
      };
    },
  };
}
