// How many runs `kinglet profile` takes.
import { setImmediate } from 'node:timers/promises';
import type { Profile, Session, Value } from '../index.js';
import { meanOf } from '../profile.js';

interface Extent {
  /** Ends after this time, once there were the least runs. */
  ms: number;
  least: number;
  most: number;
}

/** V8 compiles hot code anew beside the first runs, for some 100 ms: they would be measured slower than what follows. */
const warmUpByTime: Extent = { ms: 300, least: 3, most: Infinity };
const runsByTime: Extent = { ms: 1000, least: 10, most: 1000 };
const exactly = (runs: number): Extent => ({ ms: 0, least: runs, most: runs });

/** Calls `once` as `extent` says. */
async function repeat({ ms, least, most }: Extent, once: () => Promise<void>): Promise<void> {
  const end = performance.now() + ms;
  for (let i = 0; i < most && (i < least || performance.now() < end); ++i) {
    await once();
    await setImmediate();
  }
}

/** The mean of `runs` after `warmUp` others; both by time where no number is given. */
export async function measure(
  session: Session,
  feeds: Record<string, Value>,
  { runs, warmUp }: { runs: number | undefined; warmUp: number | undefined },
): Promise<Profile> {
  const once = () => session.profile(feeds, { runs: 1, warmUp: 0 });
  await repeat(warmUp === undefined ? warmUpByTime : exactly(warmUp), async () => void (await once()));
  const measured: Profile[] = [];
  await repeat(runs === undefined ? runsByTime : exactly(runs), async () => void measured.push(await once()));
  return meanOf(measured.flatMap(({ nodes }) => nodes), measured.length);
}
