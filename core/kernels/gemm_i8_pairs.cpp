#include <algorithm>

#include "kernels/gemm_i8_block.hpp"
#include "kernels/read_ahead.hpp"
#include "kernels/strassen_i8.hpp"

namespace kinglet::kernels {
namespace {

using simd::i16x8;
using simd::i32x4;

/// Numbers of packed A that a block of rows has at most.
constexpr size_t kBlockNumbers = 48 * 1024;
constexpr size_t kMostRows = 96;

struct Block {
  size_t n, pairs;
  const int8_t* packed_b;
  void* c;
  ptrdiff_t ldc;
  const Int8Epilogue& epilogue;

  const int8_t* panel_of_b(size_t panel) const { return packed_b + panel * pairs * 2 * kInt8Columns; }
};

/// MR rows, fewer than a tile, times NP panels.
template <size_t MR, size_t NP>
KINGLET_INLINE void few_rows_tile(const Block& block, const int16_t* a, const int32_t* sums, size_t panel,
                                  const Int8Finish* finish) {
  i32x4 acc[MR * NP * 2] = {};
  const int8_t* b[NP];
  for (size_t q = 0; q < NP; ++q) b[q] = block.panel_of_b(panel + q);
  for (size_t p = 0; p < block.pairs; ++p) {
    i16x8 bv[NP * 2];
    for (size_t j = 0; j < NP * 2; ++j) bv[j] = simd::load_extend(b[j / 2] + j % 2 * 8);
    for (size_t q = 0; q < NP; ++q) b[q] += 2 * kInt8Columns;
    for (size_t r = 0; r < MR; ++r) {
      const i16x8 av = simd::load_splat_pair(a + r * 2);
      for (size_t j = 0; j < NP * 2; ++j) acc[r * NP * 2 + j] = simd::add(acc[r * NP * 2 + j], simd::dot(av, bv[j]));
    }
    a += 2 * kPairRows;
  }
  const int32_t* const row_sums = block.epilogue.b_zero != nullptr ? sums : nullptr;
  for (size_t q = 0; q < NP; ++q) {
    i32x4 stored[MR * 2];
    for (size_t i = 0; i < MR * 2; ++i) stored[i] = acc[i / 2 * NP * 2 + q * 2 + i % 2];
    finish[q].store_rows(stored, MR, row_sums, block.c, static_cast<ptrdiff_t>((panel + q) * kInt8Columns), block.ldc);
  }
}

/// Fewer rows need more panels for as many independent sums.
template <size_t MR, size_t NP>
KINGLET_APART void few_rows(const Block& block, const int16_t* a, const int32_t* sums) {
  const size_t panels = round_up(block.n, kInt8Columns) / kInt8Columns;
  Int8Finish finish[NP];
  size_t panel = 0;
  for (; panel + NP <= panels; panel += NP) {
    for (size_t q = 0; q < NP; ++q) finish[q] = Int8Finish(block.epilogue, (panel + q) * kInt8Columns, block.n, nullptr, 0);
    few_rows_tile<MR, NP>(block, a, sums, panel, finish);
  }
  for (; panel < panels; ++panel) {
    finish[0] = Int8Finish(block.epilogue, panel * kInt8Columns, block.n, nullptr, 0);
    few_rows_tile<MR, 1>(block, a, sums, panel, finish);
  }
}

/// A tile of rows times `pairs` rows of a panel, which `load` gives as two vectors: the next at each call.
template <class Load>
KINGLET_INLINE void multiply_tile(size_t pairs, const int16_t* a, int32_t* sums, Load load) {
  i32x4 acc[kPairRows * 2] = {};
  for (; pairs != 0; --pairs, a += 2 * kPairRows) {
    i16x8 low, high;
    load(low, high);
    for (size_t r = 0; r < kPairRows; ++r) {
      const i16x8 v = simd::load_splat_pair(a + r * 2);
      acc[r * 2] = simd::add(acc[r * 2], simd::dot(v, low));
      acc[r * 2 + 1] = simd::add(acc[r * 2 + 1], simd::dot(v, high));
    }
  }
  // Through memory: what an epilogue keeps in registers would push these sums out of them.
  std::memcpy(sums, acc, sizeof acc);
}

/// A tile times a panel, which is written in 16 bit numbers for the tiles that follow.
KINGLET_APART void multiply_and_widen(size_t pairs, const int16_t* a, const int8_t* panel, int16_t* widened, int32_t* sums) {
  multiply_tile(pairs, a, sums, [&](i16x8& low, i16x8& high) KINGLET_INLINE_LAMBDA {
    low = simd::load_extend(panel);
    high = simd::load_extend(panel + kInt8Columns);
    simd::store(widened, low);
    simd::store(widened + kInt8Columns, high);
    panel += 2 * kInt8Columns;
    widened += 2 * kInt8Columns;
  });
}

KINGLET_APART void multiply_codes(size_t pairs, const int16_t* a, const int8_t* panel, int32_t* sums) {
  multiply_tile(pairs, a, sums, [&](i16x8& low, i16x8& high) KINGLET_INLINE_LAMBDA {
    low = simd::load_extend(panel);
    high = simd::load_extend(panel + kInt8Columns);
    panel += 2 * kInt8Columns;
  });
}

/// Tiles of rows that are multiplied by a few panels in turn, so that they stay in the first cache.
constexpr size_t kChunkTiles = 6;
constexpr size_t kTileSums = kPairRows * kInt8Columns;

/// The floats of a chunk of rows, activated while they lie together.
void store_activated(Activation activation, const Int8Finish& finish, const i32x4* sums, size_t rows, const int32_t* row_sums,
                     float* c, ptrdiff_t ldc, size_t columns) {
  float block[kChunkTiles * kPairRows * kInt8Columns] = {};
  finish.store_rows(sums, rows, row_sums, block, 0, kInt8Columns);
  apply(activation, block, rows * kInt8Columns);
  for (size_t r = 0; r < rows; ++r, c += ldc) {
    const float* const from = block + r * kInt8Columns;
    if (columns == kInt8Columns) {
      std::memcpy(c, from, kInt8Columns * sizeof(float));
    } else {
      std::memcpy(c, from, columns * sizeof(float));
    }
  }
}

/// The sums of up to a chunk of rows to C, whose first row is `c`.
KINGLET_INLINE void store_chunk(const Int8Epilogue& epilogue, const Int8Finish& finish, size_t column, size_t n,
                                const i32x4* sums, size_t rows, const int32_t* a_sums, void* c, ptrdiff_t index, ptrdiff_t ldc) {
  if (epilogue.activation.kind == Activation::Kind::kNone) return finish.store_rows(sums, rows, a_sums, c, index, ldc);
  store_activated(epilogue.activation, finish, sums, rows, a_sums, static_cast<float*>(c) + index, ldc, std::min(kInt8Columns, n - column));
}

/// All of them in 32 bits that wrap.
int32_t add_lanes(i32x4 v, int32_t start) {
  const auto u = simd::bits<simd::u32x4>(v);
  return static_cast<int32_t>(u[0] + u[1] + u[2] + u[3] + static_cast<uint32_t>(start));
}

template <class Code>
void pack_rows(int16_t* packed, const uint8_t* const (&rows)[kPairRows], size_t count,
               const int32_t (&zeros)[kPairRows], int32_t* sums) {
  const Code* row[kPairRows];
  i16x8 zero[kPairRows];
  i32x4 sum[kPairRows] = {};
  for (size_t r = 0; r < kPairRows; ++r) {
    row[r] = reinterpret_cast<const Code*>(rows[r]);
    zero[r] = simd::splat16(static_cast<int16_t>(zeros[r]));
  }
  const i16x8 ones = simd::splat16(1);
  size_t i = 0;
  for (; i + 8 <= count; i += 8, packed += 8 * kPairRows) {
    i32x4 v[kPairRows];
    for (size_t r = 0; r < kPairRows; ++r) {
      const i16x8 x = simd::load_extend(row[r] + i) - zero[r];
      if (sums != nullptr) sum[r] = simd::add(sum[r], simd::dot(x, ones));
      v[r] = simd::bits<i32x4>(x);
    }
    simd::transpose(v[0], v[1], v[2], v[3]);
    std::memcpy(packed, v, sizeof v);
  }
  for (; i < count; i += 2, packed += 2 * kPairRows) {
    for (size_t r = 0; r < kPairRows; ++r) {
      const auto first = static_cast<int16_t>(row[r][i] - zeros[r]);
      const auto second = static_cast<int16_t>(i + 1 < count ? row[r][i + 1] - zeros[r] : 0);
      packed[r * 2] = first;
      packed[r * 2 + 1] = second;
      sum[r][0] += first + second;
    }
  }
  if (sums == nullptr) return;
  for (size_t r = 0; r < kPairRows; ++r) sums[r] = add_lanes(sum[r], sums[r]);
}

}  // namespace

size_t pair_block_rows(size_t m, size_t k) {
  if (const size_t rows = strassen_i8_block_rows(m, k); rows != 0) return rows;
  const size_t rows = std::clamp(kBlockNumbers / std::max<size_t>(round_up(k, 2), 1), kPairRows, kMostRows);
  return round_up(std::min(rows, m), kPairRows);
}

void pack_pairs(int16_t* packed, const uint8_t* const (&rows)[kPairRows], size_t count, bool is_signed,
                const int32_t (&zeros)[kPairRows], int32_t* sums) {
  (is_signed ? pack_rows<int8_t> : pack_rows<uint8_t>)(packed, rows, count, zeros, sums);
}

KINGLET_APART void multiply_tiles(size_t tiles, size_t pairs, const int16_t* packed_a, size_t tile_numbers, const int16_t* panel, int32_t* sums) {
  for (size_t tile = 0; tile < tiles; ++tile, packed_a += tile_numbers, sums += kPairRows * kInt8Columns) {
    const int16_t* b = panel;
    multiply_tile(pairs, packed_a, sums, [&](i16x8& low, i16x8& high) KINGLET_INLINE_LAMBDA {
      low = simd::bits<i16x8>(simd::load_bytes(b));
      high = simd::bits<i16x8>(simd::load_bytes(b + kInt8Columns));
      b += 2 * kInt8Columns;
    });
  }
}

size_t pair_scratch_bytes(size_t m, size_t k) {
  const size_t panels = panels_at_once(k) * round_up(k, 2) * kInt8Columns * sizeof(int16_t);
  return std::max(panels, strassen_i8_scratch_bytes(m, k));
}

void store_panel(const Int8Epilogue& epilogue, size_t column, size_t n, const int32_t* sums, size_t rows, const int32_t* a_sums,
                 void* c, ptrdiff_t ldc) {
  const Int8Finish finish(epilogue, column, n, nullptr, 0);
  constexpr size_t kChunkRows = kChunkTiles * kPairRows;
  for (size_t row = 0; row < rows; row += kChunkRows) {
    store_chunk(epilogue, finish, column, n, reinterpret_cast<const i32x4*>(sums + row * kInt8Columns), std::min(kChunkRows, rows - row),
                a_sums != nullptr ? a_sums + row : nullptr, c, static_cast<ptrdiff_t>(row) * ldc + static_cast<ptrdiff_t>(column), ldc);
  }
}

void multiply_pairs(size_t m, size_t n, size_t k, const int16_t* packed_a, const int32_t* a_sums,
                    const int8_t* packed_b, int16_t* widened, void* c, ptrdiff_t ldc, const Int8Epilogue& epilogue) {
  if (const size_t rows = strassen_i8_rows(m, n, k); rows != 0) {
    multiply_strassen_i8(rows, n, k, packed_a, a_sums, packed_b, widened, c, ldc, epilogue);
    if (rows == m) return;
    m -= rows;
    packed_a += rows * round_up(k, 2);
    a_sums += epilogue.b_zero != nullptr ? rows : 0;
    c = static_cast<std::byte*>(c) + static_cast<ptrdiff_t>(rows * element_bytes(epilogue.output)) * ldc;
  }
  const Block block{n, round_up(k, 2) / 2, packed_b, c, ldc, epilogue};
  if (m < kPairRows) {
    switch (m) {
      case 1: few_rows<1, 2>(block, packed_a, a_sums); break;
      case 2: few_rows<2, 2>(block, packed_a, a_sums); break;
      case 3: few_rows<3, 1>(block, packed_a, a_sums); break;
      default: break;
    }
    return activate_rows(epilogue, m, n, c, ldc);
  }
  const size_t panels = round_up(n, kInt8Columns) / kInt8Columns, numbers = block.pairs * 2 * kInt8Columns;
  const size_t most = panels_at_once(k);
  ReadAhead ahead(packed_b, panels * numbers);
  for (size_t first = 0; first < panels; first += most) {
    const size_t count = std::min(most, panels - first);
    ahead.pages((first + count) * numbers);
    Int8Finish finish[kMostPanels];
    for (size_t q = 0; q < count; ++q) finish[q] = Int8Finish(epilogue, (first + q) * kInt8Columns, n, nullptr, 0);
    for (size_t row = 0; row < m; row += kChunkTiles * kPairRows) {
      const size_t rows = std::min(kChunkTiles * kPairRows, m - row), tiles = round_up(rows, kPairRows) / kPairRows;
      const int16_t* const a = packed_a + row * block.pairs * 2;
      for (size_t q = 0; q < count; ++q) {
        i32x4 sums[kChunkTiles * kPairRows * 2];
        auto* const to = reinterpret_cast<int32_t*>(sums);
        const int8_t* const panel = block.panel_of_b(first + q);
        int16_t* const numbers_of_panel = widened + q * numbers;
        // The first tile reads codes, the others the numbers that it leaves.
        size_t done = 0;
        if (m <= kPairRows) {
          multiply_codes(block.pairs, a, panel, to);
          done = 1;
        } else if (row == 0) {
          multiply_and_widen(block.pairs, a, panel, numbers_of_panel, to);
          done = 1;
        }
        const size_t of_tile = block.pairs * 2 * kPairRows;
        multiply_tiles(tiles - done, block.pairs, a + done * of_tile, of_tile, numbers_of_panel, to + done * kTileSums);
        const size_t column = (first + q) * kInt8Columns;
        store_chunk(epilogue, finish[q], column, n, sums, rows, epilogue.b_zero != nullptr ? a_sums + row : nullptr, c,
                    static_cast<ptrdiff_t>(row) * ldc + static_cast<ptrdiff_t>(column), ldc);
      }
    }
  }
}

}  // namespace kinglet::kernels
