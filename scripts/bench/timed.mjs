/** { value, ms }: what `action` resolves to, and how long it took. */
export async function timed(action) {
  const started = performance.now();
  const value = await action();
  return { value, ms: performance.now() - started };
}
