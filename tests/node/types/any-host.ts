// Compiles with no library but the language's own: neither DOM nor Node types.
import { configure, features, isKingletError, KingletError, LoadError, OutOfMemoryError, Session, ShapeError, Tensor, UnsupportedOperatorError } from 'kinglet';
import type { LoadOptions, LoadProgress, MemoryUse, NodeProfile, Profile, TensorType, Value, ValueInfo } from 'kinglet';
import { type Line, TextReader } from 'kinglet/ocr';

export async function classify(bytes: Uint8Array): Promise<Float32Array> {
  const options: LoadOptions = { onProgress: ({ phase, loaded, total }: LoadProgress) => void [phase, loaded, total], optimize: { without: ['channels_last'] } };
  await using session = await Session.load(bytes, { ...options, externalData: { 'weights.bin': new ArrayBuffer(8) } });
  const input = new Tensor('float32', new Float32Array(3), [1, 3]);
  const data: Float32Array = input.data;
  const ids = new Tensor('int64', BigInt64Array.of(1n));
  const first: bigint | undefined = ids.data[0];
  const words: string[] = new Tensor('string', ['a']).data;
  const results: Record<string, Tensor> = await session.run({ input, ids }, { outputs: ['y'] });
  await session.run({ input, ids }, { outputs: { y: input, z: null } });
  const y = results['y'];
  if (y?.type === 'float32') return (y as Tensor<'float32'>).data;
  const inputs: readonly ValueInfo[] = session.inputs;
  const dim: number | string | null | undefined = inputs[0]?.dims?.[0];
  const memory: MemoryUse = session.memory;
  const type: TensorType = 'bfloat16';
  void [data, first, words, dim, memory.heap, type, session.describe()];
  return new Float32Array();
}

export async function pieces(session: Session, x: Tensor): Promise<Tensor[]> {
  const scores: ReadonlyMap<string | bigint, number | bigint | string> = new Map([['a', 0.5]]);
  const feeds: Record<string, Value> = { x, list: [x, x], absent: null, scores };
  const { parts } = await session.run<{ parts: Tensor[] }>(feeds);
  return parts;
}

export async function slowest(session: Session, x: Tensor): Promise<string> {
  const { ms, nodes, runs }: Profile = await session.profile({ x }, { runs: 5, warmUp: 1 });
  const [first]: readonly NodeProfile[] = [...nodes].sort((a, b) => b.ms - a.ms);
  const width: number | undefined = first?.dims[0]?.at(-1);
  return `${first?.op} ${first?.name} ${first?.calls} ${width} ${ms / runs}`;
}

export function explain(error: unknown): string {
  if (error instanceof UnsupportedOperatorError) return error.missing.map(({ op, domain, opset, nodes }) => `${domain}.${op} ${opset} ${nodes.join()}`).join();
  if (error instanceof ShapeError) return `${error.input} ${error.expected} ${error.actual} ${error.node} ${error.op}`;
  if (error instanceof OutOfMemoryError) return (error.requestedBytes / error.limitBytes).toFixed();
  if (error instanceof LoadError) return `${error.url} ${error.status}`;
  if (isKingletError(error)) {
    const known: KingletError = error;
    switch (known.code) {
      case 'model':
      case 'aborted':
        return known.message;
    }
  }
  return '';
}

export async function read(pixels: Uint8ClampedArray): Promise<readonly Line[]> {
  await using reader = await TextReader.load({ detector: 'det.onnx', recognizer: 'rec.onnx', dictionary: 'keys.txt' });
  const { lines, timings } = await reader.read({ data: pixels, width: 2, height: 2 }, { minConfidence: 0.3, detection: { side: 640 } });
  const [x, y]: readonly [number, number] = lines[0]!.box[0];
  void [x, y, timings.detect];
  return lines;
}

configure({ variant: features().relaxedSimd ? 'relaxed' : 'simd', wasm: 'simd.wasm' });

// What must not compile:
// @ts-expect-error another typed array
new Tensor('float32', new Float64Array(1));
// @ts-expect-error an unknown type
new Tensor('float', new Float32Array(1));
// @ts-expect-error numbers for a BigInt type
new Tensor('int64', [1, 2]);
// @ts-expect-error no source
Session.load(7);
// @ts-expect-error not by constructor
new Session();
// @ts-expect-error feeds are tensors
Session.load('x').then((session) => session.run({ x: new Float32Array(1) }));
// @ts-expect-error an unknown variant
configure({ variant: 'threads' });
// @ts-expect-error not public
Session.load('x').then((session) => session.enqueue(() => 1));
// @ts-expect-error dims cannot be changed
new Tensor('int8', new Int8Array(1)).dims.push(1);
