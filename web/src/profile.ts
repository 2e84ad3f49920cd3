import type { CoreNodeTime } from './core.js';
import type { AbortSignalLike } from './platform.js';

export interface ProfileOptions {
  /** Runs that are measured. Default 10. */
  runs?: number | undefined;
  /** Runs before them, which are not: the first ones plan memory, and hosts compile hot code anew. Default 3. */
  warmUp?: number | undefined;
  /** Ends the measuring between two runs. */
  signal?: AbortSignalLike | undefined;
}

/** How long one node takes. */
export interface NodeProfile {
  readonly name: string;
  /** Its operator, one of the optimiser's where it has fused several. */
  readonly op: string;
  /** Milliseconds in one run of the model, without nodes inside its subgraphs; the mean of the runs. */
  readonly ms: number;
  /** How often it runs in one run of the model, the mean of the runs: inside a loop more than once, or less. */
  readonly calls: number;
  /** Of its outputs that are tensors, when it last ran. */
  readonly dims: readonly (readonly number[])[];
}

export interface Profile {
  /** How many runs were measured. */
  readonly runs: number;
  /** Milliseconds of all nodes in one run. Feeds and outputs are not copied in it. */
  readonly ms: number;
  /** In the order in which they run; nodes inside subgraphs come before the node that holds them. */
  readonly nodes: readonly NodeProfile[];
}

/** The profile of `runs` runs, whose rows are of a node's calls in one of them, or of one call. */
export function meanOf(rows: readonly NodeProfile[], runs: number): Profile {
  const sums = new Map<string, NodeProfile>();
  for (const row of rows) {
    const key = `${row.op} ${row.name}`;
    const before = sums.get(key);
    sums.set(key, { ...row, ms: (before?.ms ?? 0) + row.ms, calls: (before?.calls ?? 0) + row.calls });
  }
  const nodes = [...sums.values()].map((sum) => ({ ...sum, ms: sum.ms / runs, calls: sum.calls / runs }));
  return { runs, ms: nodes.reduce((total, { ms }) => total + ms, 0), nodes };
}

/** The same of runs with a row for every node that ran. */
export function summed(runs: readonly CoreNodeTime[][]): Profile {
  return meanOf(runs.flat().map(({ node, op, ms, dims }) => ({ name: node, op, ms, calls: 1, dims })), runs.length);
}
