// One conformance case: its data read, run on an engine, the results checked.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fault } from './check.mjs';
import { kindOf } from './protobuf.mjs';

async function readValues(reader, folder, kind, declared) {
  const files = (await readdir(folder)).filter((name) => name.startsWith(`${kind}_`) && name.endsWith('.pb'));
  const values = {};
  for (let i = 0; i < files.length; ++i) {
    values[declared[i].name] = reader.value(await readFile(join(folder, `${kind}_${i}.pb`)), kindOf(declared[i].type));
  }
  return values;
}

/** { bytes, operators, sets: [{ feeds, expected }] } of a case's folder. */
export async function readCase(reader, folder) {
  const bytes = await readFile(join(folder, 'model.onnx'));
  const model = reader.model(bytes);
  // Up to IR version 3 every initializer is listed as an input too; the data files hold only the true inputs.
  const initializers = new Set(model.graph.initializer.map((tensor) => tensor.name));
  const inputs = model.graph.input.filter((input) => !initializers.has(input.name));
  const operators = model.graph.node.map((node) => ({ domain: node.domain, type: node.op_type }));
  const sets = [];
  for (const name of (await readdir(folder)).filter((entry) => entry.startsWith('test_data_set_')).sort()) {
    sets.push({
      feeds: await readValues(reader, join(folder, name), 'input', inputs),
      expected: await readValues(reader, join(folder, name), 'output', model.graph.output),
    });
  }
  return { bytes, operators, sets };
}

/** null if the case passes, else { stage: 'load' | 'run' | 'result', reason }. */
export async function runCase(engine, { bytes, sets }) {
  let model;
  try {
    model = await engine.load(bytes);
  } catch (error) {
    return { stage: 'load', reason: describe(error) };
  }
  try {
    for (const { feeds, expected } of sets) {
      const actual = await model.run(feeds);
      for (const [name, value] of Object.entries(expected)) {
        const found = fault(name in actual ? actual[name] : undefined, value);
        if (found) return { stage: 'result', reason: `${name}: ${found}` };
      }
    }
    return sets.length > 0 ? null : { stage: 'result', reason: 'the case has no data' };
  } catch (error) {
    return { stage: 'run', reason: describe(error) };
  } finally {
    await model.dispose();
  }
}

function describe(error) {
  if (error instanceof Error) return `${error.name}: ${error.message}`;
  return `thrown ${typeof error}: ${String(error)}`;
}
