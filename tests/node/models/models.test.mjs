// Every model of the catalog gives onnxruntime-web's results, through changing shapes in one session, with each binary
// that the host runs and with the graph as the file has it.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { features } from 'kinglet';
import { models } from '../../models/catalog.mjs';
import { engines } from '../../models/engines.mjs';
import { faults } from '../../models/results.mjs';

const configurations = [
  { label: 'simd', options: { variant: 'simd' } },
  ...(features().relaxedSimd ? [{ label: 'relaxed simd', options: { variant: 'relaxed' } }] : []),
  { label: 'not optimised', options: { optimize: false } },
];

let ort;
before(async () => {
  ort = await engines.ort();
});

async function referenceResults(bytes, rounds) {
  const model = await ort.load(bytes);
  const results = [];
  for (const { feeds } of rounds) results.push(await model.run(feeds));
  await model.dispose();
  return results;
}

describe('models agree with onnxruntime-web', () => {
  for (const { name, path, cases, classes } of models) {
    test(name, async (t) => {
      const bytes = await readFile(await path());
      const rounds = cases();
      const expected = await referenceResults(bytes, rounds);
      for (const { label, options } of configurations) {
        await t.test(label, async () => {
          const model = await (await engines.kinglet(options)).load(bytes);
          for (const [i, round] of rounds.entries()) {
            assert.deepEqual(faults(await model.run(round.feeds), expected[i], { classes, tolerance: round.tolerance }), [], round.label);
          }
          await model.dispose();
        });
      }
    });
  }
});
