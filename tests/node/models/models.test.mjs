// Every model of the catalog gives onnxruntime-web's results, through changing shapes in one session.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { models } from '../../models/catalog.mjs';
import { faults } from '../../models/results.mjs';
import { engines } from '../../models/engines.mjs';

let kinglet;
let ort;
before(async () => {
  kinglet = await engines.kinglet();
  ort = await engines.ort();
});

describe('models agree with onnxruntime-web', () => {
  for (const { name, path, cases, classes } of models) {
    test(name, async () => {
      const bytes = await readFile(await path());
      const reference = await ort.load(bytes);
      const model = await kinglet.load(bytes);
      for (const { label, feeds } of cases()) {
        const found = faults(await model.run(feeds), await reference.run(feeds), { classes });
        assert.deepEqual(found, [], label);
      }
      await model.dispose();
      await reference.dispose();
    });
  }
});
