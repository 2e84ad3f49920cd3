// A package of one model's operators (npm run build -- package --ops MODEL) runs that model and refuses others.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import * as whole from 'kinglet';
import { building, buildSubset, readSubset } from '../../scripts/build.mjs';
import { buildDir, distDir, root } from '../../scripts/lib/project.mjs';
import { Failure } from '../../scripts/lib/run.mjs';
import { findModel } from '../models/catalog.mjs';
import { noise } from '../models/inputs.mjs';
import { model } from './helpers/onnx.mjs';

const outdir = join(buildDir, 'subset-dist');
let path;
let subset;
before(async () => {
  path = await findModel('mobilenetv2').path();
  await building(async () => buildSubset(await readSubset(path), outdir));
  subset = await import(pathToFileURL(join(outdir, 'node.js')).href);
});

async function run({ Session, Tensor }) {
  const session = await Session.load(new Uint8Array(readFileSync(path)));
  try {
    const [{ name }] = session.inputs;
    const { type, data, dims } = noise([1, 3, 224, 224], 1);
    const results = await session.run({ [name]: new Tensor(type, data, dims) });
    return Object.values(results).map((tensor) => [tensor.dims, tensor.data]);
  } finally {
    await session.dispose();
  }
}

test('the model gives what the whole package gives', async () => {
  assert.deepEqual(await run(subset), await run(whole));
});

test('a model with other operators is refused, and they are all named', async () => {
  const bytes = model({
    inputs: [{ name: 'x', type: 'float32', dims: [2] }],
    outputs: [{ name: 'y', type: 'float32', dims: [2] }],
    nodes: [
      { op: 'Add', inputs: ['x', 'x'], outputs: ['a'] },
      { op: 'Sigmoid', inputs: ['a'], outputs: ['b'] },
      { op: 'Erf', inputs: ['b'], outputs: ['y'] },
    ],
  });
  const loading = subset.Session.load(bytes);
  await assert.rejects(loading, ({ name, missing }) => {
    assert.equal(name, 'UnsupportedOperatorError');
    assert.deepEqual(missing.map(({ op }) => op), ['Sigmoid', 'Erf']);
    return true;
  });
});

test('it is less than half as large, and has no text reader', () => {
  for (const name of ['simd.wasm', 'relaxed.wasm']) {
    assert.ok(statSync(join(outdir, name)).size * 2 < statSync(join(distDir, name)).size);
  }
  assert.deepEqual(readdirSync(outdir).filter((name) => name.startsWith('ocr')), []);
});

test('its package.json leads to files of the folder alone', () => {
  const { name, version, bin, types, exports } = JSON.parse(readFileSync(join(outdir, 'package.json'), 'utf8'));
  const whole = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.deepEqual([name, version], [whole.name, whole.version]);
  assert.deepEqual(Object.keys(exports), ['.', './simd.wasm', './relaxed.wasm', './package.json']);
  const targets = (value) => (typeof value === 'string' ? [value] : Object.values(value).flatMap(targets));
  for (const path of [bin.kinglet, types, ...targets(exports)]) assert.ok(existsSync(join(outdir, path)), path);
});

test('passes for operators that it lacks are left out', () => {
  const names = ['fuse_layer_normalization', 'fold_affine_into_conv', 'widen_float16'];
  const passesIn = (folder) => names.filter((name) => readFileSync(join(folder, 'relaxed.wasm')).includes(`${name}\0`));
  assert.deepEqual(passesIn(distDir), names);
  assert.deepEqual(passesIn(outdir), ['fold_affine_into_conv']);
});

test('the table of passes tells which operators passes make', () => {
  const folder = join(root, 'core/graph/passes');
  const table = readFileSync(join(folder, 'passes.cpp'), 'utf8');
  const told = [...table.matchAll(/\.(?:makes|needs) = \{([^}]*)\}/g)].flatMap(([, list]) => list.match(/\w+(?=")/g) ?? []);
  const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  const made = texts.flatMap((text) => [...text.matchAll(/(?:become\(\w+, |retarget\(\w+, "[\w.]*", |becomes = |op_type = )"(\w+)"/g)].map(([, type]) => type));
  assert.ok(made.length > 3);
  assert.deepEqual(new Set(made), new Set(told));
});

test('a list with an unknown operator is refused', async () => {
  await assert.rejects(readSubset('Conv,Convolve'), /Convolve is neither a file nor an operator/);
  assert.deepEqual(await readSubset('com.microsoft.Gelu, Conv,ocr'), { operators: ['Conv', 'com.microsoft.Gelu'], ocr: true });
  await assert.rejects(readSubset('Conv,gelu'), /: gelu is neither .*; did you mean Gelu\?$/);
  await assert.rejects(readSubset('com.microsoft.gelu'), /; did you mean com\.microsoft\.Gelu\?$/);
});

test('a model of float16 brings what makes it float32', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kinglet-subset-'));
  try {
    for (const [type, operators] of [['float16', ['Cast', 'Exp']], ['float32', ['Exp']]]) {
      const file = join(folder, `${type}.onnx`);
      const value = (name) => ({ name, type, dims: [2] });
      writeFileSync(file, model({ inputs: [value('x')], outputs: [value('y')], nodes: [{ op: 'Exp', inputs: ['x'], outputs: ['y'] }] }));
      assert.deepEqual((await readSubset(file)).operators, operators);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a file that is no model is refused by its name', async () => {
  for (const path of ['README.md', 'package.json'].map((name) => join(root, name))) {
    await assert.rejects(readSubset(`Conv,${path}`), (error) => {
      assert.ok(error instanceof Failure);
      assert.ok(error.message.startsWith(`--ops: ${path} is no ONNX model: `), error.message);
      return true;
    });
  }
  await assert.rejects(readSubset(join(root, 'core')), /core is neither a file nor an operator/);
});
