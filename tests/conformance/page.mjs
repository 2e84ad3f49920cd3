// The page's side of the conformance run: opens an engine, then runs the cases that the driver names, one at a time.
import { engines } from '../models/engines.mjs';
import { readCase, runCase } from './case.mjs';
import { protoFiles } from './proto-files.mjs';
import { openReader } from './protobuf.mjs';

async function fetched(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: status ${response.status}`);
  return response;
}

const text = async (path) => (await fetched(path)).text();
const bytes = async (path) => new Uint8Array(await (await fetched(path)).arrayBuffer());

let engine;
let reader;

globalThis.openConformance = async ({ engineName, options }) => {
  engine = await engines[engineName](options);
  reader = openReader(await Promise.all(protoFiles.map((name) => text(`/proto/${name}`))));
};

/** { failure, operators } of the case whose files `names` lie under /cases/<id>/. */
globalThis.runConformanceCase = async ({ id, names }) => {
  const data = await readCase(reader, { names, read: (name) => bytes(`/cases/${id}/${name}`) });
  return { failure: await runCase(engine, data), operators: data.operators };
};
