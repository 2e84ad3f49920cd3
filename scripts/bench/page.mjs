// The page's side: runs one job that the driver hands over.
import { cases } from './cases.mjs';
import { measureCase } from './measure.mjs';

async function fetchBytes(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

globalThis.runJob = async (job) => {
  const row = cases.find(({ name }) => name === job.case);
  return measureCase({
    ...job,
    bytes: await fetchBytes(job.modelUrl),
    tinyBytes: await fetchBytes(job.tinyUrl),
    feeds: row.feeds(),
    tolerance: row.tolerance,
  });
};
