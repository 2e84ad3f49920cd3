#include "kernels/matmul_nbits.hpp"

#include <algorithm>

#include "kernels/gemm.hpp"
#include "kernels/simd.hpp"

namespace kinglet::kernels {
namespace {

using simd::f32x4;
using simd::i32x4;
using simd::u32x4;

/// From so many rows on, a tile of weights is made f32 once for all of them.
constexpr size_t kTileFromRows = 9;
/// Columns of such a tile: it stays in the second cache for K up to a few thousand.
constexpr size_t kTileColumns = 32;
/// Bytes that one vector takes in.
constexpr size_t kChunkBytes = 16;

/// A vector of weights is four words; element i of each is what mask i leaves. So lane l of step i is element
/// l * per_word + i of the chunk, and the rows of A are brought into that order.
struct Chunks {
  size_t bits, per_word, per_chunk;
  bool whole;  // chunks do not cross blocks, and one block has one scale

  explicit Chunks(const NBits& w)
      : bits(w.bits),
        per_word(32 / w.bits),
        per_chunk(128 / w.bits),
        whole(w.block >= per_chunk && w.groups == nullptr) {}
};

size_t padded_k(const NBits& w) { return w.blocks() * w.block; }

float zero_of(const NBits& w, size_t column, size_t block) {
  if (w.zeros != nullptr) return w.zeros[column * w.blocks() + block];
  if (w.packed_zeros == nullptr) return static_cast<float>(1u << (w.bits - 1));
  const size_t per_byte = 8 / w.bits, row = (w.blocks() + per_byte - 1) / per_byte;
  const unsigned byte = w.packed_zeros[column * row + block / per_byte];
  return static_cast<float>(byte >> block % per_byte * w.bits & ((1u << w.bits) - 1));
}

float scale_of(const NBits& w, size_t column, size_t block) { return w.scales[column * w.blocks() + block]; }

/// Column `column` from block `block` on.
const uint8_t* weights_at(const NBits& w, size_t column, size_t block) {
  return w.weights + (column * w.blocks() + block) * (w.block * w.bits / 8);
}

u32x4 load_words(const uint8_t* p) {
  u32x4 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

/// a[k] in the order of the chunks, zeros behind it. With `scaled`, element i of a word is divided by 2^(i *
/// bits): that makes up for weights that stay where they are in the word. The last one is shifted down
/// instead, past the sign.
KINGLET_APART void reorder_row(const NBits& w, const Chunks& chunks, bool scaled, const float* a, float* out) {
  for (size_t start = 0; start < padded_k(w); start += chunks.per_chunk, out += chunks.per_chunk) {
    float factor = 1.0f;
    for (size_t i = 0; i < chunks.per_word; ++i) {
      const bool last = i + 1 == chunks.per_word;
      for (size_t lane = 0; lane < 4; ++lane) {
        const size_t k = start + lane * chunks.per_word + i;
        out[i * 4 + lane] = k < w.k ? a[k] * (scaled && !last ? factor : 1.0f) : 0.0f;
      }
      factor /= static_cast<float>(1u << chunks.bits);
    }
  }
}

struct Masks {
  int32_t of[16];

  explicit Masks(size_t bits) {
    for (size_t i = 0; i < 16; ++i)
      of[i] = i * bits < 32 ? static_cast<int32_t>(((1u << bits) - 1) << i * bits) : 0;
  }
};

/// The rows of A as the tiles read them.
struct ReorderedRows {
  const float* a;     // [m, padded_k]
  const float* sums;  // [m, blocks]: of a block's elements
};

/// R rows from `row` with C columns from `column`.
template <size_t R, size_t C>
KINGLET_APART void nbits_tile(const NBits& w, const Chunks& chunks, const Masks& masks, const ReorderedRows& rows,
                size_t row, size_t column, float* y, const float* bias) {
  const size_t per_block = w.block / chunks.per_chunk, blocks = w.blocks();
  const auto top = static_cast<int>(32 - w.bits);
  const float* a[R];
  for (size_t r = 0; r < R; ++r) a[r] = rows.a + (row + r) * padded_k(w);
  const uint8_t* b[C];
  for (size_t c = 0; c < C; ++c) b[c] = weights_at(w, column + c, 0);
  f32x4 total[R * C] = {};
  float shift[R * C] = {};
  for (size_t block = 0; block < blocks; ++block) {
    f32x4 sum[R * C] = {};
    for (size_t chunk = 0; chunk < per_block; ++chunk) {
      u32x4 words[C];
      for (size_t c = 0; c < C; ++c, b[c - 1] += kChunkBytes) words[c] = load_words(b[c]);
      const auto add = [&](const f32x4(&x)[C]) KINGLET_INLINE_LAMBDA {
        for (size_t r = 0; r < R; ++r, a[r - 1] += 4) {
          const f32x4 v = simd::load(a[r]);
          for (size_t c = 0; c < C; ++c) sum[r * C + c] = simd::madd(v, x[c], sum[r * C + c]);
        }
      };
      for (size_t i = 0; i + 1 < chunks.per_word; ++i) {
        const u32x4 mask = simd::bits<u32x4>(simd::load_splat(&masks.of[i]));
        f32x4 x[C];
        for (size_t c = 0; c < C; ++c) x[c] = simd::to_float(simd::bits<i32x4>(words[c] & mask));
        add(x);
      }
      f32x4 x[C];
      for (size_t c = 0; c < C; ++c) x[c] = simd::to_float(simd::bits<i32x4>(words[c] >> top));
      add(x);
    }
    for (size_t c = 0; c < C; ++c) {
      const float scale = scale_of(w, column + c, block), zero = scale * zero_of(w, column + c, block);
      for (size_t r = 0; r < R; ++r) {
        total[r * C + c] = simd::madd(sum[r * C + c], simd::splat(scale), total[r * C + c]);
        shift[r * C + c] += zero * rows.sums[(row + r) * blocks + block];
      }
    }
  }
  for (size_t r = 0; r < R; ++r) {
    for (size_t c = 0; c < C; ++c) {
      const float sum = simd::sum_lanes(total[r * C + c]) - shift[r * C + c];
      y[(row + r) * w.n + column + c] = bias != nullptr ? sum + bias[column + c] : sum;
    }
  }
}

template <size_t R, size_t C>
void nbits_rows(const NBits& w, const Chunks& chunks, const Masks& masks, const ReorderedRows& rows,
                size_t row, float* y, const float* bias) {
  size_t column = 0;
  for (; column + C <= w.n; column += C) nbits_tile<R, C>(w, chunks, masks, rows, row, column, y, bias);
  for (; column < w.n; ++column) nbits_tile<R, 1>(w, chunks, masks, rows, row, column, y, bias);
}

/// Four columns of f32 weights in the order of the chunks: tile[k][column], rows `stride` apart. Columns from
/// `last` on repeat the one before.
KINGLET_APART void dequantize_chunks(const NBits& w, const Chunks& chunks, size_t column, size_t last, float* tile,
                       size_t stride) {
  const u32x4 mask = simd::splat((uint32_t{1} << w.bits) - 1);
  for (size_t block = 0; block < w.blocks(); ++block) {
    f32x4 scale[4], zero[4];
    const uint8_t* b[4];
    for (size_t c = 0; c < 4; ++c) {
      const size_t at = std::min(column + c, last - 1);
      scale[c] = simd::splat(scale_of(w, at, block));
      zero[c] = simd::splat(zero_of(w, at, block));
      b[c] = weights_at(w, at, block);
    }
    for (size_t chunk = 0; chunk < w.block / chunks.per_chunk; ++chunk) {
      u32x4 words[4];
      for (size_t c = 0; c < 4; ++c) words[c] = load_words(b[c] + chunk * kChunkBytes);
      for (size_t i = 0; i < chunks.per_word; ++i, tile += 4 * stride) {
        f32x4 x[4];
        for (size_t c = 0; c < 4; ++c) {
          x[c] = (simd::to_float(simd::bits<i32x4>(words[c] & mask)) - zero[c]) * scale[c];
          words[c] = words[c] >> static_cast<int>(w.bits);
        }
        simd::transpose(x[0], x[1], x[2], x[3]);
        for (size_t r = 0; r < 4; ++r) simd::store(tile + r * stride, x[r]);
      }
    }
  }
}

/// One column of f32 weights in their own order.
KINGLET_APART void dequantize_plain(const NBits& w, size_t column, float* tile, size_t stride) {
  const uint8_t* const from = weights_at(w, column, 0);
  const size_t per_byte = 8 / w.bits;
  const unsigned mask = (1u << w.bits) - 1;
  for (size_t k = 0; k < w.k; ++k, tile += stride) {
    const size_t block = w.groups != nullptr ? static_cast<size_t>(w.groups[k]) : k / w.block;
    const unsigned q = from[k / per_byte] >> k % per_byte * w.bits & mask;
    *tile = (static_cast<float>(q) - zero_of(w, column, block)) * scale_of(w, column, block);
  }
}

/// sums[r, block] of the elements of A's rows.
KINGLET_APART void sum_blocks(const NBits& w, size_t m, const float* a, float* sums) {
  for (size_t i = 0; i < m * w.blocks(); ++i) {
    const size_t start = i % w.blocks() * w.block;
    float sum = 0.0f;
    for (size_t k = start; k < std::min(start + w.block, w.k); ++k) sum += a[i / w.blocks() * w.k + k];
    sums[i] = sum;
  }
}

struct Scratch {
  size_t rows, sums, tile, packed, end;
  bool tiles;  // by tiles of f32 weights
};

Scratch layout(const NBits& w, const Chunks& chunks, size_t m) {
  Scratch s{};
  s.tiles = m >= kTileFromRows || !chunks.whole;
  s.sums = chunks.whole ? m * padded_k(w) : 0;
  s.tile = s.sums + (s.tiles ? 0 : m * w.blocks());
  s.packed = s.tile + (s.tiles ? kTileColumns * padded_k(w) : 0);
  s.end = s.packed + (s.tiles ? packed_b_size(padded_k(w), kTileColumns) : 0);
  return s;
}

}  // namespace

size_t matmul_nbits_scratch_floats(const NBits& w, size_t m) { return layout(w, Chunks(w), m).end; }

void matmul_nbits(const NBits& w, size_t m, const float* a, float* y, const float* bias, float* scratch) {
  const Chunks chunks(w);
  const Scratch at = layout(w, chunks, m);
  if (chunks.whole) {
    for (size_t r = 0; r < m; ++r)
      reorder_row(w, chunks, !at.tiles, a + r * w.k, scratch + at.rows + r * padded_k(w));
  }
  if (at.tiles) {
    const size_t depth = chunks.whole ? padded_k(w) : w.k;
    for (size_t column = 0; column < w.n; column += kTileColumns) {
      const size_t last = std::min(w.n, column + kTileColumns);
      float* const tile = scratch + at.tile;
      for (size_t c = column; c < last; c += chunks.whole ? 4 : 1) {
        if (chunks.whole) {
          dequantize_chunks(w, chunks, c, last, tile + (c - column), kTileColumns);
        } else {
          dequantize_plain(w, c, tile + (c - column), kTileColumns);
        }
      }
      pack_b(scratch + at.packed, depth, last - column, tile, static_cast<ptrdiff_t>(kTileColumns), 1);
      gemm(m, last - column, depth, chunks.whole ? scratch + at.rows : a, static_cast<ptrdiff_t>(depth),
           scratch + at.packed, y + column, static_cast<ptrdiff_t>(w.n),
           {.bias = bias == nullptr ? nullptr : bias + column});
    }
    return;
  }
  float* const sums = scratch + at.sums;
  sum_blocks(w, m, a, sums);
  const ReorderedRows rows{scratch + at.rows, sums};
  const Masks masks(w.bits);
  size_t row = 0;
  for (; row + 4 <= m; row += 4) nbits_rows<4, 1>(w, chunks, masks, rows, row, y, bias);
  for (; row + 2 <= m; row += 2) nbits_rows<2, 2>(w, chunks, masks, rows, row, y, bias);
  if (row < m) nbits_rows<1, 4>(w, chunks, masks, rows, row, y, bias);
}

}  // namespace kinglet::kernels
