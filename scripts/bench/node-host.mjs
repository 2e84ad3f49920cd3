// Does one job in this Node process: node node-host.mjs JOB.json; prints the result as a line of JSON.
import { readFile } from 'node:fs/promises';
import { cases } from './cases.mjs';
import { engines } from './engines.mjs';
import { measureStart } from './start.mjs';
import { measureSteady } from './steady.mjs';

const bytesOf = async (path) => new Uint8Array(await readFile(path));

const jobs = {
  async start({ row, files, caseRow, from }) {
    const source = from === 'bytes' ? await bytesOf(files.model) : files.model;
    const result = await measureStart({ row, source, tiny: files.tiny, feeds: caseRow.feeds() });
    return { ...result, peakBytes: process.resourceUsage().maxRSS * 1024 };
  },
  async steady({ files, caseRow, ...job }) {
    return measureSteady({ ...job, caseRow, bytes: await bytesOf(files.model), kernelBytes: await bytesOf(files.kernel), feeds: caseRow.feeds() });
  },
  /** Names of the rows (of Kinglet's) that make another graph of the model than the first row does. */
  async others({ rows, files }) {
    const bytes = await bytesOf(files.model);
    const graphs = [];
    for (const { factory, options } of rows) {
      const model = await (await engines[factory](options)).load(bytes);
      graphs.push(model.session.describe());
      await model.dispose();
    }
    return rows.filter((_, i) => graphs[i] !== graphs[0]).map(({ name }) => name);
  },
  /** What the package has: { threads }. */
  async features() {
    return (await import('kinglet')).features();
  },
};

const job = JSON.parse(await readFile(process.argv[2], 'utf8'));
try {
  const caseRow = cases.find(({ name }) => name === job.case);
  console.log(JSON.stringify((await jobs[job.kind]({ ...job, caseRow })) ?? null));
} catch (error) {
  // Node's own report of an uncaught error would print a line of minified code.
  console.error(error.stack);
  process.exitCode = 1;
}
