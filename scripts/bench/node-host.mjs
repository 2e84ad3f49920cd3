// Measures one case in this Node process: node node-host.mjs JOB.json; prints the result as JSON.
import { readFile } from 'node:fs/promises';
import { cases } from './cases.mjs';
import { measureCase } from './measure.mjs';

const job = JSON.parse(await readFile(process.argv[2], 'utf8'));
const row = cases.find(({ name }) => name === job.case);
try {
  const measured = await measureCase({
    ...job,
    bytes: new Uint8Array(await readFile(job.modelPath)),
    tinyBytes: new Uint8Array(await readFile(job.tinyPath)),
    feeds: row.feeds(),
    tolerance: row.tolerance,
  });
  console.log(JSON.stringify(measured));
} catch (error) {
  // Node's own report of an uncaught error would print a line of minified code.
  console.error(error.stack);
  process.exitCode = 1;
}
