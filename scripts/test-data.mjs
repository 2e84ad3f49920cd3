// Makes what the JavaScript tests and benchmarks run on: the Python environment, test models and conformance cases.
// Long steps say what they do; what is there already is kept. By hand: node scripts/test-data.mjs
import { pathToFileURL } from 'node:url';
import { conformanceData } from '../tests/conformance/data.mjs';
import { prepareModels } from '../tests/models/catalog.mjs';
import { say } from './lib/run.mjs';
import { pythonEnv } from './python-env.mjs';

/** To be called before tests start: they run in parallel processes and would all begin to make it. */
export async function prepareTestData() {
  await pythonEnv({ log: say });
  await prepareModels({ log: say });
  await conformanceData({ log: say });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await prepareTestData();
