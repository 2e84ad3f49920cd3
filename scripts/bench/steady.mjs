// Measures the engines on one case in one process or page: they take turns, so that all see the same machine. Used in Node and
// in the page, so it imports nothing of Node.
import { faults, largestError } from '../../tests/models/results.mjs';
import { engines } from './engines.mjs';
import { median, quantile } from './statistics.mjs';
import { timed } from './timed.mjs';
import { registerKernel } from './yardstick.mjs';

// A turn lasts at least this long, so that short runs are not measured right after the other engine's cache traffic only.
const turnMs = 40;
const kernelRuns = 8;

async function start({ name, factory, options }, { bytes, feeds, caseName }) {
  const engine = await engines[factory](options);
  const model = await engine.load(bytes.slice(), caseName);
  const restored = model.restored ?? ((outputs) => outputs);
  const first = restored(await model.run(feeds));
  return { name, variant: engine.variant, model, restored, first, times: [], turnMedians: [], runsPerTurn: 1 };
}

async function turn(player, feeds, runs) {
  const times = [];
  for (let i = 0; i < runs; ++i) times.push((await timed(() => player.model.run(feeds))).ms);
  return times;
}

/** By time, not by count: V8 compiles hot WebAssembly again in the background. */
async function warmUp(players, kernel, feeds, seconds) {
  for (let spent = 0; spent < seconds * 1000; ) {
    let slowest = 0;
    for (const player of players) {
      const begun = performance.now();
      const times = await turn(player, feeds, player.runsPerTurn);
      player.runsPerTurn = Math.max(1, Math.ceil(turnMs / Math.max(0.001, median(times))));
      slowest = Math.max(slowest, performance.now() - begun);
    }
    for (let i = 0; i < kernelRuns; ++i) kernel.run();
    spent += slowest;
  }
}

/**
 * `rows` are engine rows in the order in which they start; the results are in the order of `rows` too, but the one named
 * `baseline`, which the others are held against, comes first. Warm-up and measuring are in seconds per engine.
 * Resolves to { measured, kernelGops }.
 */
export async function measureSteady({ rows, baseline, bytes, kernelBytes, feeds, caseRow, warmUpSeconds, seconds }) {
  const players = [];
  for (const row of rows) players.push(await start(row, { bytes, feeds, caseName: caseRow.name }));
  const kernel = await registerKernel(kernelBytes);
  await warmUp(players, kernel, feeds, warmUpSeconds);

  const kernelGops = [];
  const begun = performance.now();
  for (let round = 0; round < 9 || performance.now() - begun < seconds * 1000 * players.length; ++round) {
    // Every other round in the opposite order: nobody always runs second.
    const order = round % 2 === 0 ? players : [...players].reverse();
    for (const player of order) {
      const times = await turn(player, feeds, player.runsPerTurn);
      player.times.push(...times);
      player.turnMedians.push(median(times));
    }
    kernelGops.push(median(Array.from({ length: kernelRuns }, () => kernel.run())));
  }

  players.sort((a, b) => (b.name === baseline) - (a.name === baseline));
  const reference = players[0].restored(await players[0].model.run(feeds));
  const measured = [];
  for (const player of players) {
    const outputs = player.restored(await player.model.run(feeds));
    // Turns of one round lie side by side in time, so their ratio is steadier than that of the overall medians when the
    // machine's speed changes.
    const perRound = (share) => median(player.turnMedians.map(share));
    measured.push({
      engine: player.name,
      variant: player.variant,
      heapBytes: player.model.heapBytes(),
      medianMs: median(player.times),
      p90Ms: quantile(player.times, 0.9),
      fastestMs: Math.min(...player.times),
      runs: player.times.length,
      ratio: perRound((ms, round) => players[0].turnMedians[round] / ms),
      kernelShare: caseRow.operations && perRound((ms, round) => caseRow.operations / ms / 1e6 / kernelGops[round]),
      faults: [player.first, outputs].flatMap((actual) => faults(actual, reference, caseRow)),
      error: worstShare(outputs, reference),
    });
  }
  for (const player of players) await player.model.dispose();
  return { measured, kernelGops: median(kernelGops) };
}

/** Largest error over the outputs, as a share of each output's scale. */
function worstShare(outputs, reference) {
  let worst = 0;
  for (const [name, expected] of Object.entries(reference)) {
    if (!outputs[name] || outputs[name].data.length !== expected.data.length) return Infinity;
    const { error, scale } = largestError(outputs[name].data, expected.data);
    if (error > 0) worst = Math.max(worst, error / scale);
  }
  return worst;
}
