// Says how one engine's outputs differ from another's. Imports nothing of Node: pages use it too.

/** Largest error allowed, as a share of the reference output's largest magnitude, unless a caller says otherwise. */
export const defaultTolerance = 1e-4;

/**
 * { error, scale, at }: the largest absolute difference, the largest |reference|, and where the difference is.
 * A NaN or infinity that only one side has is an infinite error.
 */
export function largestError(actual, reference) {
  let error = 0;
  let scale = 0;
  let at = -1;
  for (let i = 0; i < reference.length; ++i) {
    const a = Number(actual[i]);
    const r = Number(reference[i]);
    if (Number.isFinite(r)) scale = Math.max(scale, Math.abs(r));
    if (Object.is(a, r) || a === r) continue;
    const difference = Number.isFinite(a) && Number.isFinite(r) ? Math.abs(a - r) : Infinity;
    if (difference > error) [error, at] = [difference, i];
  }
  return { error, scale, at };
}

/** Index of the largest element of each row of the last dimension. */
export function argmaxRows({ data, dims }) {
  const width = dims.at(-1) ?? 1;
  const rows = [];
  for (let start = 0; start < data.length; start += width) {
    let best = start;
    for (let i = start + 1; i < start + width; ++i) if (data[i] > data[best]) best = i;
    rows.push(best - start);
  }
  return rows;
}

/**
 * One line of fault per output that differs in type, dims, values or (for outputs named in `classes`) in the argmax
 * of a row; an empty list when all agree. 8 bit codes may differ by `quantum`.
 */
export function faults(actual, reference, { classes = [], tolerance = defaultTolerance, quantum = 0 } = {}) {
  const found = [];
  for (const [name, expected] of Object.entries(reference)) {
    const got = actual[name];
    if (!got) found.push(`${name}: missing`);
    else if (got.type !== expected.type) found.push(`${name}: type ${got.type}, expected ${expected.type}`);
    else if (String(got.dims) !== String(expected.dims)) found.push(`${name}: dims ${got.dims}, expected ${expected.dims}`);
    else if (got.data.length !== expected.data.length) found.push(`${name}: ${got.data.length} elements, expected ${expected.data.length}`);
    else {
      const { error, scale, at } = largestError(got.data, expected.data);
      const allowed = /^u?int8$/.test(expected.type) ? quantum : tolerance * scale;
      if (!(error <= allowed)) {
        found.push(`${name}: element ${at} is ${got.data[at]}, expected ${expected.data[at]}; error ${error} at scale ${scale}`);
      }
      const rows = classes.includes(name) ? argmaxRows(expected) : [];
      const other = classes.includes(name) ? argmaxRows(got) : [];
      const row = rows.findIndex((best, i) => best !== other[i]);
      if (row >= 0) found.push(`${name}: row ${row} is class ${other[row]}, expected ${rows[row]}`);
    }
  }
  return found;
}
