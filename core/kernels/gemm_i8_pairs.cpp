#include <algorithm>

#include "kernels/gemm_i8_block.hpp"

namespace kinglet::kernels {
namespace {

using simd::i16x8;
using simd::i32x4;

#define KINGLET_INLINE inline __attribute__((always_inline))

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

/// Tiles of rows from which on it pays to widen a panel of B once.
constexpr size_t kWidenedTiles = 6;

i16x8 load_numbers(const int8_t* p) { return simd::load_extend(p); }
i16x8 load_numbers(const int16_t* p) { return simd::bits<i16x8>(simd::load_bytes(p)); }

/// MR rows of the tile that starts with `row`, times NP panels, of which panel q is at b + q * panel_size.
template <size_t MR, size_t NP, class B>
KINGLET_INLINE void pairs_tile(const Block& block, const int16_t* a, const int32_t* sums, size_t row, size_t panel,
                               const B* first_b, const Int8Finish* finish) {
  i32x4 acc[MR * NP * 2] = {};
  const B* b[NP];
  for (size_t q = 0; q < NP; ++q) b[q] = first_b + q * block.pairs * 2 * kInt8Columns;
  for (size_t p = 0; p < block.pairs; ++p) {
    i16x8 bv[NP * 2];
    for (size_t j = 0; j < NP * 2; ++j) bv[j] = load_numbers(b[j / 2] + j % 2 * 8);
    for (size_t q = 0; q < NP; ++q) b[q] += 2 * kInt8Columns;
    for (size_t r = 0; r < MR; ++r) {
      const i16x8 av = simd::load_splat_pair(a + r * 2);
      for (size_t j = 0; j < NP * 2; ++j) acc[r * NP * 2 + j] = simd::add(acc[r * NP * 2 + j], simd::dot(av, bv[j]));
    }
    a += 2 * kPairRows;
  }
  const int32_t* const row_sums = block.epilogue.b_zero != nullptr ? sums : nullptr;
  for (size_t q = 0; q < NP; ++q) {
    ptrdiff_t index = static_cast<ptrdiff_t>(row) * block.ldc + static_cast<ptrdiff_t>((panel + q) * kInt8Columns);
    if constexpr (MR == kPairRows) {
      for (size_t r = 0; r < MR; ++r, index += block.ldc) {
        finish[q].store_row(acc[r * 2], acc[r * 2 + 1], row_sums != nullptr ? row_sums[r] : 0, block.c, index);
      }
    } else {
      i32x4 stored[MR * 2];
      for (size_t i = 0; i < MR * 2; ++i) stored[i] = acc[i / 2 * NP * 2 + q * 2 + i % 2];
      finish[q].store_rows(stored, MR, row_sums, block.c, index, block.ldc);
    }
  }
}

/// The rows of one tile that are left over, over all panels; fewer rows need more panels for as many sums.
template <size_t MR, size_t NP>
void pairs_rows(const Block& block, const int16_t* a, const int32_t* sums, size_t row) {
  const size_t panels = round_up(block.n, kInt8Columns) / kInt8Columns;
  Int8Finish finish[NP];
  size_t panel = 0;
  for (; panel + NP <= panels; panel += NP) {
    for (size_t q = 0; q < NP; ++q) finish[q] = Int8Finish(block.epilogue, (panel + q) * kInt8Columns, block.n, nullptr, 0);
    pairs_tile<MR, NP>(block, a, sums, row, panel, block.panel_of_b(panel), finish);
  }
  for (; panel < panels; ++panel) {
    finish[0] = Int8Finish(block.epilogue, panel * kInt8Columns, block.n, nullptr, 0);
    pairs_tile<MR, 1>(block, a, sums, row, panel, block.panel_of_b(panel), finish);
  }
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

void widen(const int8_t* from, int16_t* to, size_t n) {
  for (size_t i = 0; i < n; i += 8) simd::store(to + i, simd::load_extend(from + i));
}

}  // namespace

size_t pair_block_rows(size_t m, size_t k) {
  const size_t rows = std::clamp(kBlockNumbers / std::max<size_t>(round_up(k, 2), 1), kPairRows, kMostRows);
  return round_up(std::min(rows, m), kPairRows);
}

void pack_pairs(int16_t* packed, const uint8_t* const (&rows)[kPairRows], size_t count, bool is_signed,
                const int32_t (&zeros)[kPairRows], int32_t* sums) {
  (is_signed ? pack_rows<int8_t> : pack_rows<uint8_t>)(packed, rows, count, zeros, sums);
}

void multiply_pairs(size_t m, size_t n, size_t k, const int16_t* packed_a, const int32_t* a_sums,
                    const int8_t* packed_b, int16_t* widened, void* c, ptrdiff_t ldc, const Int8Epilogue& epilogue) {
  const Block block{n, round_up(k, 2) / 2, packed_b, c, ldc, epilogue};
  const size_t whole = m / kPairRows * kPairRows;
  // Panel by panel, so that a panel of B stays in the first cache.
  for (size_t panel = 0; whole != 0 && panel * kInt8Columns < n; ++panel) {
    const Int8Finish finish(epilogue, panel * kInt8Columns, n, nullptr, 0);
    const auto rows = [&](const auto* b) {
      for (size_t row = 0; row < whole; row += kPairRows) {
        pairs_tile<kPairRows, 1>(block, packed_a + row * block.pairs * 2, a_sums + row, row, panel, b, &finish);
      }
    };
    const int8_t* const b = block.panel_of_b(panel);
    if (whole < kWidenedTiles * kPairRows) {
      rows(b);
    } else {
      widen(b, widened, block.pairs * 2 * kInt8Columns);
      rows(widened);
    }
  }
  const int16_t* const rest = packed_a + whole * block.pairs * 2;
  switch (m % kPairRows) {
    case 1: pairs_rows<1, 2>(block, rest, a_sums + whole, whole); break;
    case 2: pairs_rows<2, 2>(block, rest, a_sums + whole, whole); break;
    case 3: pairs_rows<3, 1>(block, rest, a_sums + whole, whole); break;
    default: break;
  }
}

}  // namespace kinglet::kernels
