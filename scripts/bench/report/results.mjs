// Questions to the results of a run: [{ label (of the host), entries: [{ row, measured, starts, threads }] }].
import { geometricMean } from '../statistics.mjs';

export const groups = [['models', 'Models'], ['float16', 'float16 models'], ['int8', 'Quantized models'], ['operators', 'Operators']];

export const engineOf = (list, engine) => list?.find((m) => m.engine === engine);
export const entryOf = (host, name) => host.entries.find(({ row }) => row.name === name);
export const entriesOf = (host, group) => host.entries.filter(({ row }) => row.group === group);
/** Those of whole networks. */
export const networksOf = (host) => host.entries.filter(({ row }) => row.group !== 'operators');

/** How many times as fast as the baseline `engine` is in steady runs of a case; undefined where it does not take part. */
export const ratioOf = (host, name, engine) => engineOf(entryOf(host, name)?.measured, engine)?.ratio;

/** Of the values that there are; undefined when there are none. */
export function meanOf(values) {
  const known = values.filter((value) => Number.isFinite(value) && value > 0);
  return known.length > 0 ? geometricMean(known) : undefined;
}

export const meanRatio = (host, group, engine) => meanOf(entriesOf(host, group).map(({ row }) => ratioOf(host, row.name, engine)));

/** Cases of all hosts, in the table's order. */
export const rowsOf = (results, group) => [...new Map(results.flatMap((host) => entriesOf(host, group)).map(({ row }) => [row.name, row])).values()];

/** How many times as quick as the baseline an engine starts; `duration` takes the medians of its starts. */
export function startRatio({ starts }, baseline, engine, duration) {
  const [theirs, ours] = [starts[baseline], starts[engine]];
  return theirs && ours && duration(theirs) / duration(ours);
}
