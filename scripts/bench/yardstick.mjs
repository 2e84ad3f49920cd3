// What V8 makes of a register kernel (tests/bench/register_kernel.cpp): the measure of all products of matrices. Used in Node
// and in the page, so it imports nothing of Node.

/** { run() -> Gop/s }: the speed of one short call, of about a millisecond. */
export async function registerKernel(bytes, name = 'relaxed') {
  const { instance: { exports } } = await WebAssembly.instantiate(bytes, {});
  const multiplyAdds = exports.multiplyAdds();
  const tiles = 2000;
  return {
    run() {
      const started = performance.now();
      exports[name](tiles);
      return (2 * tiles * multiplyAdds) / (performance.now() - started) / 1e6;
    },
  };
}
