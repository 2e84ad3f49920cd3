// Compares Kinglet's results with onnxruntime-web's.
// By hand: node tests/models/compare.mjs MODEL [--shape name=1,3,640,640]... [--engines kinglet,ort] [--seed 1]
// MODEL is a path to an .onnx file or a name of the catalog (tests/models/catalog.mjs).
import { readFile } from 'node:fs/promises';
import { findModel } from './catalog.mjs';
import { engines } from './engines.mjs';
import { anyInput } from './inputs.mjs';
import { faults, largestError } from './results.mjs';

function parseArguments(list) {
  const options = { shapes: {}, engines: ['kinglet', 'ort'], seed: 1, model: undefined };
  for (let i = 0; i < list.length; ++i) {
    if (list[i] === '--shape') {
      const [name, dims] = list[++i].split('=');
      options.shapes[name] = dims === '' ? [] : dims.split(',').map(Number);
    } else if (list[i] === '--engines') options.engines = list[++i].split(',');
    else if (list[i] === '--seed') options.seed = Number(list[++i]);
    else options.model = list[i];
  }
  if (!options.model) throw new Error('usage: compare.mjs MODEL [--shape name=1,3,640,640]... [--engines kinglet,ort] [--seed 1]');
  return options;
}

function feedsFor(inputs, shapes, seed) {
  return Object.fromEntries(
    inputs.map((input) => {
      const dims = shapes[input.name] ?? input.dims.map((dim) => (typeof dim === 'number' && dim >= 0 ? dim : 1));
      return [input.name, anyInput({ type: input.type, dims }, seed)];
    }),
  );
}

async function main() {
  const options = parseArguments(process.argv.slice(2));
  const known = findModel(options.model);
  const bytes = await readFile(known ? await known.path() : options.model);
  const rounds = known && Object.keys(options.shapes).length === 0 ? known.cases() : [null];
  const reference = await (await engines[options.engines[1]]()).load(bytes);
  const model = await (await engines[options.engines[0]]()).load(bytes);
  let failed = false;
  for (const round of rounds) {
    const feeds = round ? round.feeds : feedsFor(reference.inputs, options.shapes, options.seed);
    console.log(round ? round.label : Object.entries(feeds).map(([name, f]) => `${name} [${f.dims}]`).join(', '));
    const expected = await reference.run(feeds);
    const started = performance.now();
    const actual = await model.run(feeds);
    const elapsed = performance.now() - started;
    for (const [name, value] of Object.entries(expected)) {
      const got = actual[name];
      const same = got && got.data.length === value.data.length;
      const { error, scale, at } = same ? largestError(got.data, value.data) : { error: NaN, scale: NaN, at: -1 };
      const place = at >= 0 ? ` at ${at} (${got.data[at]}, expected ${value.data[at]})` : '';
      console.log(`  ${name} [${got?.dims}]: error ${(error / scale).toExponential(2)} of scale ${scale.toPrecision(4)}${place}; ${elapsed.toFixed(1)} ms`);
    }
    for (const fault of faults(actual, expected, { classes: known?.classes, tolerance: round?.tolerance })) {
      failed = true;
      console.log(`  FAULT ${fault}`);
    }
  }
  process.exitCode = failed ? 1 : 0;
}

try {
  await main();
} catch (error) {
  console.error(error.stack);
  process.exitCode = 1;
}
