// Runs many conformance cases in a worker thread of this process; a case that hangs or ends the thread fails, the rest go on.
import { Worker } from 'node:worker_threads';

/** A case that takes longer has failed. */
export const caseLimitMs = 30000;

/**
 * Runs cases ([{ id, folder }]) and resolves to a Map of id -> { passed, stage?, reason?, operators? }.
 * onProgress(results, total) is called after each.
 */
export async function runSuite({ engineName, options = {}, protoFolder, cases, onProgress = () => {} }) {
  const results = new Map();
  const record = (id, failure, operators) => {
    results.set(id, failure ? { passed: false, ...failure, operators } : { passed: true, operators });
    onProgress(results, cases.length);
  };
  let left = cases;
  while (left.length > 0) {
    const broken = await runThread({ engineName, options, protoFolder, cases: left }, record);
    if (broken) record(broken.id, { stage: 'run', reason: broken.reason });
    left = left.filter(({ id }) => !results.has(id));
  }
  return results;
}

/** Resolves to null when the thread did all its cases, else to the case that broke it. */
function runThread(workerData, record) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.mjs', import.meta.url), { workerData });
    let current;
    let reason = 'the engine ended its thread';
    let timer;
    worker.on('message', ({ id, started, failure, operators }) => {
      clearTimeout(timer);
      if (!started) return record(id, failure, operators), (current = undefined);
      current = id;
      timer = setTimeout(() => {
        reason = `no end within ${caseLimitMs / 1000} s`;
        worker.terminate();
      }, caseLimitMs);
    });
    worker.on('error', (error) => {
      if (current === undefined) reject(error);
      else reason = `uncaught ${error.name}: ${error.message}`;
    });
    worker.on('exit', (code) => {
      clearTimeout(timer);
      if (current !== undefined) resolve({ id: current, reason });
      else if (code === 0) resolve(null);
      else reject(new Error(`the worker thread ended with code ${code}`));
    });
  });
}

/** Failures by what they say, with numbers and quoted names left out: [{ reason, ids }], largest group first. */
export function groupFailures(results) {
  const groups = new Map();
  for (const [id, { passed, stage, reason }] of results) {
    if (passed) continue;
    const key = `${stage}: ${reason.replace(/(?<![A-Za-z])'[^']*'|"[^"]*"/g, '*').replace(/-?\d[\d.e+-]*/g, '#').slice(0, 140)}`;
    groups.set(key, [...(groups.get(key) ?? []), id]);
  }
  return [...groups].map(([reason, ids]) => ({ reason, ids })).sort((a, b) => b.ids.length - a.ids.length);
}
