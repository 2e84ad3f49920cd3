// The engines by name: those of the tests, and those of operators alone. Used in Node and in the page, so it imports nothing of Node.
import { engines as compared } from '../../tests/models/engines.mjs';
import { litert, litertKnows } from './litert.mjs';
import { tfjs, tfjsKnows } from './tfjs.mjs';

export const engines = { ...compared, tfjs, litert };

const known = { tfjs: tfjsKnows, litert: litertKnows };

/** Whether an engine row can run a case in a host (a key of hosts.mjs). */
export const takesPart = (row, caseName, hostName) =>
  (!row.only || row.only === hostName) && caseName.startsWith(row.cases ?? '') && (!known[row.factory] || known[row.factory](caseName));
