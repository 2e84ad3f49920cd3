// Compares Kinglet's results with onnxruntime-web's.
// By hand: node tests/models/compare.mjs MODEL [--shape name=1,3,640,640]... [--engines kinglet,ort] [--seed 1]
// MODEL is a path to an .onnx file or a name of the catalog (tests/models/catalog.mjs).
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { engines } from './engines.mjs';
import { anyInput } from './inputs.mjs';

/** Largest error allowed, as a share of the reference output's largest magnitude. */
export const tolerance = 1e-4;

/**
 * { error, scale, at }: the largest absolute difference, the largest |reference|, and where the difference is.
 * A NaN or infinity that only one side has is an infinite error.
 */
export function largestError(actual, reference) {
  let error = 0;
  let scale = 0;
  let at = -1;
  for (let i = 0; i < reference.length; ++i) {
    const a = Number(actual[i]);
    const r = Number(reference[i]);
    if (Number.isFinite(r)) scale = Math.max(scale, Math.abs(r));
    if (Object.is(a, r) || a === r) continue;
    const difference = Number.isFinite(a) && Number.isFinite(r) ? Math.abs(a - r) : Infinity;
    if (difference > error) [error, at] = [difference, i];
  }
  return { error, scale, at };
}

/** Index of the largest element of each row of the last dimension. */
export function argmaxRows({ data, dims }) {
  const width = dims.at(-1) ?? 1;
  const rows = [];
  for (let start = 0; start < data.length; start += width) {
    let best = start;
    for (let i = start + 1; i < start + width; ++i) if (data[i] > data[best]) best = i;
    rows.push(best - start);
  }
  return rows;
}

/**
 * One line of fault per output that differs in type, dims, values or (for outputs named in `classes`) in the argmax
 * of a row; an empty list when all agree.
 */
export function faults(actual, reference, { classes = [] } = {}) {
  const found = [];
  for (const [name, expected] of Object.entries(reference)) {
    const got = actual[name];
    if (!got) found.push(`${name}: missing`);
    else if (got.type !== expected.type) found.push(`${name}: type ${got.type}, expected ${expected.type}`);
    else if (String(got.dims) !== String(expected.dims)) found.push(`${name}: dims ${got.dims}, expected ${expected.dims}`);
    else if (got.data.length !== expected.data.length) found.push(`${name}: ${got.data.length} elements, expected ${expected.data.length}`);
    else {
      const { error, scale, at } = largestError(got.data, expected.data);
      if (!(error <= tolerance * scale)) {
        found.push(`${name}: element ${at} is ${got.data[at]}, expected ${expected.data[at]}; error ${error} at scale ${scale}`);
      }
      const rows = classes.includes(name) ? argmaxRows(expected) : [];
      const other = classes.includes(name) ? argmaxRows(got) : [];
      const row = rows.findIndex((best, i) => best !== other[i]);
      if (row >= 0) found.push(`${name}: row ${row} is class ${other[row]}, expected ${rows[row]}`);
    }
  }
  return found;
}

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
  const { findModel } = await import('./catalog.mjs');
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
    for (const fault of faults(actual, expected, { classes: known?.classes })) {
      failed = true;
      console.log(`  FAULT ${fault}`);
    }
  }
  process.exitCode = failed ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
