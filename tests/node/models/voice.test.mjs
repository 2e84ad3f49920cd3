// Silero's voice activity models, chunk by chunk with the state carried on: an error would grow from run to run.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { voiceModels } from '../../models/catalog.mjs';
import { faults } from '../../models/results.mjs';
import { engines } from '../../models/engines.mjs';
import { int64s, noise, voice } from '../../models/inputs.mjs';

const chunks = 20;
const zeros = (dims) => ({ ...noise(dims), data: new Float32Array(dims.reduce((a, b) => a * b, 1)) });
const sampleRate = (hertz) => int64s([], () => hertz);

/** Each kind of model: its chunk in samples at 16 kHz and at 8 kHz, its first state, and which output feeds which input. */
const withState = { chunk: { 16000: 512, 8000: 256 }, context: { 16000: 64, 8000: 32 }, state: () => ({ state: zeros([2, 1, 128]) }), carry: { state: 'stateN' } };
const layouts = {
  'silero-vad-v5': withState,
  'silero-vad-v6': withState,
  'silero-vad-legacy': { chunk: { 16000: 1536 }, context: { 16000: 0 }, state: () => ({ h: zeros([2, 1, 64]), c: zeros([2, 1, 64]) }), carry: { h: 'hn', c: 'cn' } },
};

let kinglet;
let ort;
before(async () => {
  kinglet = await engines.kinglet();
  ort = await engines.ort();
});

/** Each output's chunks in one row: a probability's scale is that of the whole sound, not of a silent chunk. */
function inOneRow(results) {
  return Object.fromEntries(
    Object.keys(results[0]).map((name) => {
      const data = Float32Array.from(results.flatMap((out) => [...out[name].data]));
      return [name, { type: results[0][name].type, dims: [results.length, ...results[0][name].dims], data }];
    }),
  );
}

/** The model's outputs for all chunks, the state carried from one to the next. */
async function detect(model, { chunk, context, state, carry }, hertz) {
  const size = chunk[hertz];
  const before = context[hertz];
  const sound = voice(size * chunks + before);
  const results = [];
  let kept = state();
  for (let i = 0; i < chunks; ++i) {
    const data = sound.data.slice(i * size, i * size + size + before);
    const out = await model.run({ input: { type: 'float32', dims: [1, data.length], data }, sr: sampleRate(hertz), ...kept });
    results.push(out);
    kept = Object.fromEntries(Object.entries(carry).map(([input, output]) => [input, out[output]]));
  }
  return inOneRow(results);
}

describe('voice activity agrees with onnxruntime-web over 20 chunks', () => {
  for (const [name, path] of Object.entries(voiceModels)) {
    for (const hertz of Object.keys(layouts[name].chunk).map(Number)) {
      test(`${name}, ${hertz} Hz`, async () => {
        const bytes = await readFile(await path());
        const reference = await ort.load(bytes);
        const model = await kinglet.load(bytes);
        const expected = await detect(reference, layouts[name], hertz);
        const actual = await detect(model, layouts[name], hertz);
        const { data } = expected.output;
        assert.ok(Math.max(...data) - Math.min(...data) > 0.001, `the reference's output moves: ${data}`);
        assert.deepEqual(faults(actual, expected), []);
        await model.dispose();
        await reference.dispose();
      });
    }
  }
});
