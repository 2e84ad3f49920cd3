// The page's side: does one job that the driver hands over.
import { cases } from './cases.mjs';
import { measureStart } from './start.mjs';
import { measureSteady } from './steady.mjs';

async function bytesOf(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

const jobs = {
  async start({ row, files, caseRow, from }) {
    const source = from === 'bytes' ? await bytesOf(files.model) : files.model;
    return measureStart({ row, source, tiny: files.tiny, feeds: caseRow.feeds() });
  },
  async steady({ files, caseRow, ...job }) {
    return measureSteady({ ...job, caseRow, bytes: await bytesOf(files.model), kernelBytes: await bytesOf(files.kernel), feeds: caseRow.feeds() });
  },
  features: async () => (await import('kinglet')).features(),
};

globalThis.runJob = (job) => jobs[job.kind]({ ...job, caseRow: cases.find(({ name }) => name === job.case) });
