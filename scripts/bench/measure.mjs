// Measures the engines on one case in one process or page: they take turns, so that both see the same machine.
import { faults, largestError } from '../../tests/models/results.mjs';
import { engines } from '../../tests/models/engines.mjs';
import { median, quantile } from './statistics.mjs';

// A turn lasts at least this long, so that short runs are not measured right after the other engine's cache traffic only.
const turnMs = 40;

async function timed(action) {
  const started = performance.now();
  const value = await action();
  return { value, ms: performance.now() - started };
}

/** load: import to the first tiny session ready; session: the model's; first: its first run. All in ms. */
async function start({ name, factory, options }, bytes, tinyBytes, feeds) {
  const load = await timed(async () => {
    const engine = await engines[factory](options);
    return { engine, tiny: await engine.load(tinyBytes.slice()) };
  });
  await load.value.tiny.dispose();
  const copy = bytes.slice();
  const session = await timed(() => load.value.engine.load(copy));
  const first = await timed(() => session.value.run(feeds));
  return { name, variant: load.value.engine.variant, model: session.value, outputs: first.value, loadMs: load.ms, sessionMs: session.ms, firstMs: first.ms, times: [], turnMedians: [] };
}

async function turn(player, feeds, runs) {
  const times = [];
  for (let i = 0; i < runs; ++i) times.push((await timed(() => player.model.run(feeds))).ms);
  return times;
}

/**
 * Runs one case. `rows` are engine rows in the order in which they start, `baseline` the name of the one that the
 * others are held against; its result comes first. Warm-up and measuring are in seconds per engine:
 * V8 compiles hot WebAssembly again in the background, so a warm-up by time, not by count, gets past that.
 */
export async function measureCase({ rows, baseline, bytes, tinyBytes, feeds, tolerance, warmUpSeconds, seconds }) {
  const players = [];
  for (const row of rows) players.push(await start(row, bytes, tinyBytes, feeds));

  const runsPerTurn = new Map();
  for (let spent = 0; spent < warmUpSeconds * 1000; ) {
    let slowest = 0;
    for (const player of players) {
      const begun = performance.now();
      const times = await turn(player, feeds, runsPerTurn.get(player) ?? 1);
      runsPerTurn.set(player, Math.max(1, Math.ceil(turnMs / Math.max(0.001, median(times)))));
      slowest = Math.max(slowest, performance.now() - begun);
    }
    spent += slowest;
  }

  const begun = performance.now();
  for (let round = 0; round < 9 || performance.now() - begun < seconds * 1000 * players.length; ++round) {
    // Every other round in the opposite order: nobody always runs second.
    const order = round % 2 === 0 ? players : [...players].reverse();
    for (const player of order) {
      const times = await turn(player, feeds, runsPerTurn.get(player));
      player.times.push(...times);
      player.turnMedians.push(median(times));
    }
  }

  players.sort((a, b) => (b.name === baseline) - (a.name === baseline));
  const reference = await players[0].model.run(feeds);
  const measured = [];
  for (const player of players) {
    const outputs = await player.model.run(feeds);
    measured.push({
      engine: player.name,
      variant: player.variant,
      heapBytes: player.model.heapBytes(),
      loadMs: player.loadMs,
      sessionMs: player.sessionMs,
      firstMs: player.firstMs,
      medianMs: median(player.times),
      p90Ms: quantile(player.times, 0.9),
      fastestMs: Math.min(...player.times),
      runs: player.times.length,
      // Turns of one round lie side by side in time, so their ratio is steadier than that of the overall medians
      // when the machine's speed changes.
      ratio: median(players[0].turnMedians.map((base, round) => base / player.turnMedians[round])),
      faults: [...faults(player.outputs, reference, { tolerance }), ...faults(outputs, reference, { tolerance })],
      error: worstShare(outputs, reference),
    });
  }
  for (const player of players) await player.model.dispose();
  return measured;
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
