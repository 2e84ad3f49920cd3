// One-operator models and random graphs agree with onnxruntime-web: odd sizes, edges, attributes together, fusions.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { smallModels } from '../../models/catalog.mjs';
import { engines } from '../../models/engines.mjs';
import { compareSmall } from '../../models/small.mjs';

let kinglet;
let ort;
before(async () => {
  kinglet = await engines.kinglet();
  ort = await engines.ort();
});

/** The first word without its opset: "Conv 3x3 dilated" and "Softmax-11 axis 0" are of Conv and Softmax. */
const familyOf = ({ name }) => /^random graph|^[A-Za-z]+/.exec(name)[0];

const families = new Map();
for (const model of await smallModels()) families.set(familyOf(model), [...(families.get(familyOf(model)) ?? []), model]);

describe('small models agree with onnxruntime-web', () => {
  for (const [family, models] of families) {
    test(`${family}: ${models.length}`, async () => {
      const differing = [];
      for (const model of models) {
        const found = await compareSmall(kinglet, ort, model).catch((error) => [`${error.name}: ${error.message}`]);
        if (found.length > 0) differing.push(`${model.name}: ${found.join('; ')}`);
      }
      assert.deepEqual(differing, []);
    });
  }
});
