// Deterministic model inputs: the same numbers on every machine and in every engine.

/** Uniform numbers in [0, 1) by mulberry32. */
export function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const elementCount = (dims) => dims.reduce((product, dim) => product * dim, 1);

export function floats(dims, valueAt) {
  const data = new Float32Array(elementCount(dims));
  for (let i = 0; i < data.length; ++i) data[i] = valueAt(i);
  return { type: 'float32', dims, data };
}

/** Noise in [-1, 1). */
export function noise(dims, seed = 1) {
  const next = randomNumbers(seed);
  return floats(dims, () => 2 * next() - 1);
}

/** An image-like [N, C, H, W] ramp with stripes: smooth parts, edges, and a different tone in each channel. */
export function gradient(dims) {
  const [, channels, height, width] = dims;
  return floats(dims, (i) => {
    const x = i % width;
    const y = Math.floor(i / width) % height;
    const c = Math.floor(i / (width * height)) % channels;
    const stripe = (x >> 3) % 4 === 0 && (y >> 4) % 3 === 0 ? 0.8 : 0;
    return (x / width + (y / height) * (c + 1)) / 2 - 0.7 + stripe;
  });
}

/** What a page looks like: its tones, normalised as the detector wants pictures, and whether edges are soft. */
export const pageLooks = {
  photograph: { paper: 2.2, ink: -1.9, soft: true },
  print: { paper: 2.2, ink: -1.9, soft: false },
  faintPhotograph: { paper: 0.9, ink: -0.8, soft: true },
  faintPrint: { paper: 0.9, ink: -0.8, soft: false },
};

/** A page-like [N, 3, H, W]: lines of stroke-built glyphs, dark on light. */
export function textPage(dims, seed = 1, { paper, ink, soft } = pageLooks.photograph) {
  const [batch, channels, height, width] = dims;
  const next = randomNumbers(seed);
  const page = floats(dims, () => paper);
  const plane = height * width;
  const glyph = Math.max(12, Math.min(32, height - 16));
  const fill = (n, x, y, w, h) => {
    for (let c = 0; c < channels; ++c) {
      for (let row = y; row < Math.min(height, y + h); ++row) {
        const start = (n * channels + c) * plane + row * width;
        page.data.fill(ink, start + x, start + Math.min(width, x + w));
      }
    }
  };
  const pen = Math.max(2, glyph >> 3);
  const half = glyph >> 1;
  for (let n = 0; n < batch; ++n) {
    for (let top = 8; top + glyph <= height; top += glyph * 2) {
      for (let left = 8; left + half <= width - 8; left += half + pen * 2) {
        // Each segment of a seven-segment digit is there or not; a quarter of the places are spaces.
        if (next() < 0.25) continue;
        for (const [x, y, w, h] of [
          [0, 0, half, pen], [0, half, half, pen], [0, glyph - pen, half, pen], [0, 0, pen, half], [half - pen, 0, pen, half],
          [0, half, pen, half], [half - pen, half, pen, half],
        ]) {
          if (next() < 0.65) fill(n, left + x, top + y, w, h);
        }
      }
    }
  }
  return soft ? softened(page) : page;
}

/** A 3x3 mean of an [N, C, H, W] image; the border keeps its values. Photographs have no edge of one pixel. */
function softened(image) {
  const width = image.dims[3];
  const height = image.dims[2];
  return floats(image.dims, (i) => {
    const x = i % width;
    const y = Math.floor(i / width) % height;
    if (x === 0 || y === 0 || x === width - 1 || y === height - 1) return image.data[i];
    let sum = 0;
    for (const row of [-width, 0, width]) for (const column of [-1, 0, 1]) sum += image.data[i + row + column];
    return sum / 9;
  });
}

export function int64s(dims, valueAt) {
  const data = new BigInt64Array(elementCount(dims));
  for (let i = 0; i < data.length; ++i) data[i] = BigInt(valueAt(i));
  return { type: 'int64', dims, data };
}

/** Token ids, a mask that ends each row of the batch a little earlier than the one before, and token types. */
export function tokens(batch, sequence, vocabulary, seed = 1) {
  const next = randomNumbers(seed);
  const dims = [batch, sequence];
  const length = (row) => Math.max(1, sequence - row * Math.ceil(sequence / 5));
  return {
    input_ids: int64s(dims, () => Math.floor(next() * vocabulary)),
    attention_mask: int64s(dims, (i) => (i % sequence < length(Math.floor(i / sequence)) ? 1 : 0)),
    token_type_ids: int64s(dims, (i) => (i % sequence > sequence / 2 ? 1 : 0)),
  };
}

/** Speech-like 16 kHz samples: a gliding voiced tone with pauses and a little noise. */
export function voice(samples, seed = 1) {
  const next = randomNumbers(seed);
  return floats([1, samples], (i) => {
    const seconds = i / 16000;
    const voiced = Math.floor(seconds * 5) % 3 === 2 ? 0 : 0.3;
    const pitch = 2 * Math.PI * (120 + 40 * Math.sin(seconds * 9)) * seconds;
    return voiced * (Math.sin(pitch) + 0.5 * Math.sin(2 * pitch) + 0.3 * Math.sin(5 * pitch)) + 0.02 * (next() - 0.5);
  });
}

/** An input for a declared { type, dims }: `dims` must be whole. Integers are small and non-negative. */
export function anyInput({ type, dims }, seed = 1) {
  const next = randomNumbers(seed);
  const makers = {
    float32: () => noise(dims, seed),
    float64: () => ({ type, dims, data: Float64Array.from({ length: elementCount(dims) }, () => 2 * next() - 1) }),
    int64: () => int64s(dims, () => Math.floor(next() * 2)),
    int32: () => ({ type, dims, data: Int32Array.from({ length: elementCount(dims) }, () => Math.floor(next() * 2)) }),
    uint8: () => ({ type, dims, data: Uint8Array.from({ length: elementCount(dims) }, () => Math.floor(next() * 256)) }),
    int8: () => ({ type, dims, data: Int8Array.from({ length: elementCount(dims) }, () => Math.floor(next() * 256)) }),
    bool: () => ({ type, dims, data: Uint8Array.from({ length: elementCount(dims) }, () => (next() < 0.5 ? 0 : 1)) }),
  };
  if (!makers[type]) throw new Error(`no input maker for element type ${type}`);
  return makers[type]();
}
