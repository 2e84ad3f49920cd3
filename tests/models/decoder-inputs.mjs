// Inputs of the decoders (decoder.py): some tokens after a cache of `past` others. Imports nothing of Node: pages use it too.
import { int64s, noise, randomNumbers } from './inputs.mjs';

const int32s = (dims, values) => ({ type: 'int32', dims, data: Int32Array.from(values) });

/** A step of `gpt`: 4 layers of 8 heads of 64. */
export function gptStep(batch, tokens, past, seed = 1) {
  const next = randomNumbers(seed);
  const caches = Array.from({ length: 4 }, (_, layer) => ['key', 'value'].map((what, i) => (
    [`past_${what}_${layer}`, noise([batch, 8, past, 64], seed + 2 * layer + i)]))).flat();
  return {
    input_ids: int64s([batch, tokens], () => Math.floor(next() * 4096)),
    position_ids: int64s([batch, tokens], (i) => past + (i % tokens)),
    attention_mask: int64s([batch, past + tokens], () => 1),
    ...Object.fromEntries(caches),
  };
}

/** A step of `decoder-4bit`: 4 heads of 64 for keys and values. */
export function decoderStep(batch, tokens, past, seed = 1) {
  const cache = [batch, 4, past, 64];
  return {
    x: noise([batch, tokens, 1024], seed),
    past_key: noise(cache, seed + 1),
    past_value: noise(cache, seed + 2),
    lengths: int32s([batch], Array(batch).fill(past + tokens - 1)),
    total: int32s([], [past + tokens]),
  };
}
