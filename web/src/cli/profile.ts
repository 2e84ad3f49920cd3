// kinglet profile MODEL: where a model's time goes.
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type ErrorCode, features, isKingletError, type NodeProfile, type Profile, Session, type Variant } from '../index.js';
import { argumentMistake, readFiles } from './arguments.js';
import { readDims, readShapes } from './dims.js';
import { makeFeeds } from './feeds.js';
import { measure } from './measure.js';
import { table } from './table.js';
import { UsageError } from './usage-error.js';

export const profileUsage = `kinglet profile MODEL [options]   how long each operator and each node of an .onnx file takes
  --shape NAME=1x3x224x224   shape of an input, whose named dims other inputs share; dims that are not given are 1
  --dim NAME=4               a number for a named dim, in all inputs
  --runs 10                  runs that are measured; by default what takes about a second, from 10 to 1000
  --warm-up 3                runs before them, which are not; by default what takes about 300 ms, at least 3
  --nodes 20                 how many nodes to list, the slowest first; 0 for all
  --variant simd             the binary: simd or relaxed; by default the best that runs here
  --threads 1                threads that compute a run
  --no-optimize              the graph as the file has it
  --without PASS             leaves one optimising pass out; may be given several times
  --external-data NAME=FILE  a file that weights lie in, by the name that the model gives it
  --json                     everything, as JSON`;

/** A whole number of the command line. */
function count(text: string, option: string, least: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value) || value < least) {
    throw new UsageError(`--${option} must be a whole number >= ${least}, got '${text}'`);
  }
  return value;
}

function variantOf(text: string | undefined): Variant | undefined {
  if (text === 'relaxed' && !features().relaxedSimd) {
    throw new UsageError(
      `--variant relaxed: Node ${process.version} has no relaxed SIMD, or computes it wrongly; ` +
        'take a newer Node, or leave --variant out',
    );
  }
  if (text === undefined || text === 'simd' || text === 'relaxed') return text;
  throw new UsageError(`--variant must be simd or relaxed, got '${text}'`);
}

/** Kinds of errors that the model's file causes. A LoadError names its file itself, which may be Kinglet's own. */
const ofModel: readonly ErrorCode[] = ['model', 'unsupported-operator', 'shape', 'out-of-memory', 'internal'];

/** Kinds of errors that the dims of the inputs may cause. */
const ofDims: readonly ErrorCode[] = ['shape', 'invalid-argument'];

/**
 * What `work` resolves to. An error that the model causes names its file, if it does not yet; one that dims may cause
 * is followed by what there is to tell about them.
 */
async function naming<T>(model: string, work: () => Promise<T>, aboutDims?: string): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!isKingletError(cause)) throw cause;
    const unnamed = ofModel.includes(cause.code) && !cause.message.includes(model);
    const hint = aboutDims !== undefined && ofDims.includes(cause.code) ? `\n${aboutDims}` : '';
    if (!unnamed && !hint) throw cause;
    throw new UsageError(`${unnamed ? `${model}: ` : ''}${cause.message}${hint}`, { cause });
  }
}

function readArguments(args: string[]) {
  const text = { type: 'string' } as const;
  const list = { type: 'string', multiple: true, default: [] as string[] } as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        shape: list, dim: list, without: list, 'external-data': list, variant: text, 'no-optimize': flag, json: flag, help: { ...flag, short: 'h' },
        runs: text, 'warm-up': text, nodes: { ...text, default: '20' }, threads: { ...text, default: '1' },
      },
    });
  } catch (error) {
    throw new UsageError(`${argumentMistake(error)}; kinglet profile --help lists what there is`, { cause: error });
  }
}

const ms = (value: number) => value.toFixed(3);
const share = (part: number, whole: number) => `${((100 * part) / whole || 0).toFixed(1)} %`;
const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

function operatorTable({ nodes, ms: total }: Profile): string {
  const sums = new Map<string, { ms: number; nodes: number }>();
  for (const { op, ms: own } of nodes) {
    const sum = sums.get(op) ?? { ms: 0, nodes: 0 };
    sums.set(op, { ms: sum.ms + own, nodes: sum.nodes + 1 });
  }
  const rows = [...sums].sort(([, a], [, b]) => b.ms - a.ms);
  return table(
    ['operator', 'nodes', 'ms', 'share'],
    rows.map(([op, sum]) => [op, String(sum.nodes), ms(sum.ms), share(sum.ms, total)]),
  );
}

function nodeTable({ nodes, ms: total }: Profile, most: number): string {
  const slowest: NodeProfile[] = [...nodes].sort((a, b) => b.ms - a.ms).slice(0, most || undefined);
  return table(
    ['node', 'operator', 'ms', 'share', 'calls', 'output'],
    slowest.map(({ name, op, ms: own, calls, dims }) => [
      name,
      op,
      ms(own),
      share(own, total),
      String(Math.round(calls * 100) / 100),
      dims.map((each) => each.join('x') || 'scalar').join(', '),
    ]),
    [0, 1, 5],
  );
}

export async function profileCommand(args: string[]): Promise<void> {
  const { values, positionals } = readArguments(args);
  if (values.help) return console.log(profileUsage);
  const [model, ...rest] = positionals;
  if (model === undefined || rest.length > 0) throw new UsageError(`one model is needed\n${profileUsage}`);
  if (!existsSync(model)) throw new UsageError(`there is no file ${model}`);
  const variant = variantOf(values.variant);
  const runs = values.runs === undefined ? undefined : count(values.runs, 'runs', 1);
  const warmUp = values['warm-up'] === undefined ? undefined : count(values['warm-up'], 'warm-up', 0);
  const most = count(values.nodes, 'nodes', 0);
  const threads = count(values.threads, 'threads', 1);
  const shapes = readShapes(values.shape);
  const dims = readDims(values.dim);
  const externalData = readFiles(values['external-data']);

  const started = performance.now();
  const optimize = values['no-optimize'] ? false : { without: values.without };
  const session = await naming(model, () => Session.load(model, { variant, optimize, threads, externalData }));
  const loadMs = performance.now() - started;
  const { values: feeds, madeUp } = makeFeeds(session.inputs, shapes, dims);
  const profile = await naming(model, () => measure(session, feeds, { runs, warmUp }), madeUp);
  const { memory } = session;
  const binary = variant ?? features().variant;
  if (values.json) return console.log(JSON.stringify({ variant: binary, threads, loadMs, memory, ...profile }, null, 1));

  const listed = most === 0 || most >= profile.nodes.length ? `all ${profile.nodes.length} nodes` : `the slowest ${most} of ${profile.nodes.length} nodes`;
  console.log(`${model}: ${ms(profile.ms)} ms a run, the mean of ${profile.runs} (${binary}, ${threads} thread${threads === 1 ? '' : 's'}; loaded in ${loadMs.toFixed(0)} ms)
memory: ${mebibytes(memory.weights)} weights, ${mebibytes(memory.activations)} activations, ${mebibytes(memory.heap)} heap

${operatorTable(profile)}

${listed}:
${nodeTable(profile, most)}`);
}
