// Layouts of values, for engines that work channels-last.

/** Moves elements: a value of dims `dims[perm[0]], dims[perm[1]], ...` from one of `dims`. */
export function transposed({ type, dims, data }, perm) {
  const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((a, b) => a * b, 1));
  const outDims = perm.map((axis) => dims[axis]);
  const out = new data.constructor(data.length);
  const index = new Array(dims.length).fill(0);
  for (let i = 0; i < out.length; ++i) {
    out[i] = data[index.reduce((sum, at, axis) => sum + at * strides[perm[axis]], 0)];
    for (let axis = dims.length - 1; axis >= 0 && ++index[axis] === outDims[axis]; --axis) index[axis] = 0;
  }
  return { type, dims: outDims, data: out };
}

export const toChannelsLast = (value) => transposed(value, [0, 2, 3, 1]);
export const toChannelsFirst = (value) => transposed(value, [0, 3, 1, 2]);
