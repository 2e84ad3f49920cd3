// Measures one engine's start in a process or page that has done nothing before. Used in both, so it imports nothing of Node.
import { engines } from './engines.mjs';
import { timed } from './timed.mjs';

/**
 * row: an engine row; source: the model's bytes, path or address; tiny: path or address of a model of one addition.
 * Resolves to load (import to the first tiny session ready), session and first run in ms, and the bytes in use after it.
 */
export async function measureStart({ row: { factory, options }, source, tiny, feeds }) {
  const load = await timed(async () => {
    const engine = await engines[factory](options);
    return { engine, small: await engine.load(tiny) };
  });
  await load.value.small.dispose();
  const session = await timed(() => load.value.engine.load(source));
  const first = await timed(() => session.value.run(feeds));
  const { weights, activations } = session.value.session.memory ?? {};
  return { loadMs: load.ms, sessionMs: session.ms, firstMs: first.ms, heapBytes: session.value.heapBytes(), weightBytes: weights, activationBytes: activations };
}
