// The engines by name: those of the tests, and TensorFlow.js. Used in Node and in the page, so it imports nothing of Node.
import { engines as compared } from '../../tests/models/engines.mjs';
import { knowsCase, tfjs } from './tfjs.mjs';

export const engines = { ...compared, tfjs };

/** Whether an engine row can run a case. */
export const takesPart = (row, caseName) => !row.extra || knowsCase(caseName);
