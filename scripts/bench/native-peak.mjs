// The most that a core computes with 128-bit vectors, by a native program (tests/bench/peak.cpp).
import { join } from 'node:path';
import { buildDir } from '../lib/project.mjs';
import { output } from '../lib/run.mjs';

/** Gop/s: { multiplyAndAdd, fma }, the latter null where the processor has none. */
export function nativePeak() {
  const text = output(join(buildDir, 'native-release/tests/peak'));
  if (text === undefined) throw new Error('the program tests/bench/peak.cpp does not run: npm run build -- yardsticks');
  return JSON.parse(text);
}
