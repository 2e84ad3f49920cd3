// Runs conformance cases one after another and reports each; the thread that started it watches the clock.
import { parentPort, workerData } from 'node:worker_threads';
import { engines } from '../models/engines.mjs';
import { readCase, runCase } from './case.mjs';
import { folderFiles, protoTexts } from './data.mjs';
import { openReader } from './protobuf.mjs';

const { engineName, options, protoFolder, cases } = workerData;
const engine = await engines[engineName](options);
const reader = openReader(await protoTexts(protoFolder));
for (const { id, folder } of cases) {
  parentPort.postMessage({ id, started: true });
  const data = await readCase(reader, await folderFiles(folder));
  const failure = await runCase(engine, data);
  parentPort.postMessage({ id, failure, operators: data.operators });
}
