// Sessions beside each other and requests on top of each other: the results are those of one after the other.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import { findModel } from '../../models/catalog.mjs';
import { faults } from '../../models/results.mjs';
import { engines } from '../../models/engines.mjs';
import { noise, textPage } from '../../models/inputs.mjs';

let kinglet;
let recognition;
let classification;
before(async () => {
  kinglet = await engines.kinglet();
  recognition = await readFile(await findModel('ppocr-rec').path());
  classification = await readFile(await findModel('ppocr-cls').path());
});

test('two sessions at once keep to themselves', async () => {
  const a = await kinglet.load(recognition);
  const b = await kinglet.load(classification);
  const line = { x: textPage([1, 3, 48, 160]) };
  const crop = { x: noise([1, 3, 48, 192]) };
  const aloneA = await a.run(line);
  const aloneB = await b.run(crop);
  const together = await Promise.all([a.run(line), b.run(crop), a.run(line), b.run(crop)]);
  assert.deepEqual([aloneA, aloneB, aloneA, aloneB].flatMap((expected, i) => faults(together[i], expected)), []);
  await a.dispose();
  assert.deepEqual(faults(await b.run(crop), aloneB), [], 'after the other is gone');
  await b.dispose();
});

test('results already handed out stay as they were', async () => {
  const session = await kinglet.load(classification);
  const first = await session.run({ x: noise([1, 3, 48, 192], 1) });
  const copy = { ...first, 'softmax_0.tmp_0': { ...first['softmax_0.tmp_0'], data: first['softmax_0.tmp_0'].data.slice() } };
  await session.run({ x: noise([4, 3, 48, 192], 2) });
  assert.deepEqual(first['softmax_0.tmp_0'].data, copy['softmax_0.tmp_0'].data);
  await session.dispose();
});

test('a run repeated gives the same bits', async () => {
  const session = await kinglet.load(recognition);
  const feeds = { x: textPage([2, 3, 48, 120]) };
  const [first, , third] = [await session.run(feeds), await session.run({ x: textPage([1, 3, 48, 80]) }), await session.run(feeds)];
  assert.deepEqual(third, first);
  await session.dispose();
});

test('runs asked for at once are answered each with its own result', async () => {
  const session = await kinglet.load(classification);
  const feeds = [1, 2, 3, 4].map((seed) => ({ x: noise([seed, 3, 48, 192], seed) }));
  const together = await Promise.all(feeds.map((feed) => session.run(feed)));
  for (const [i, feed] of feeds.entries()) assert.deepEqual(await session.run(feed), together[i], `run ${i}`);
  await session.dispose();
});
