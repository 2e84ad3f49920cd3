// One conformance case: its data read, run on an engine, the results checked.
import { fault } from './check.mjs';
import { caseOperators } from './operators.mjs';
import { kindOf } from './protobuf.mjs';

const dataFile = /^(test_data_set_\d+)\/(input|output)_(\d+)\.pb$/;

/**
 * { bytes, operators, sets: [{ feeds, expected }] } of a case. `files`: { names, read(name) }, the files of the case's
 * folder, named relative to it, and how to get the bytes of one.
 */
export async function readCase(reader, files) {
  const bytes = await files.read('model.onnx');
  const model = reader.model(bytes);
  // Up to IR version 3 every initializer is listed as an input too; the data files hold only the true inputs.
  const initializers = new Set(model.graph.initializer.map((tensor) => tensor.name));
  const declared = {
    input: model.graph.input.filter((input) => !initializers.has(input.name)),
    output: model.graph.output,
  };
  const sets = {};
  for (const name of [...files.names].sort()) {
    const [, folder, kind, index] = dataFile.exec(name) ?? [];
    if (folder === undefined) continue;
    const set = (sets[folder] ??= { input: {}, output: {} });
    const { name: value, type } = declared[kind][index];
    set[kind][value] = reader.value(await files.read(name), kindOf(type));
  }
  return {
    bytes,
    operators: caseOperators(model),
    sets: Object.values(sets).map(({ input, output }) => ({ feeds: input, expected: output })),
  };
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
