#include <algorithm>

#include "base/inlining.hpp"
#include "kernels/gemm_i8_block.hpp"

namespace kinglet::kernels {
namespace {

using simd::i32x4;
using simd::u8x16;

/// Whether the instruction makes exact sums of bytes of which b's are unsigned or signed.
[[maybe_unused]] bool is_exact(bool is_signed) {
  // The extremes, in pairs whose sum of products overflows 16 bits; not known to the compiler.
  volatile uint8_t extremes[] = {0x80, 0x7f, 0xff, 0x01};
  bool exact = true;
  for (size_t i = 0; i < 256; ++i) {
    u8x16 a, b;
    i32x4 acc = {}, want = {};
    for (size_t j = 0; j < 16; ++j) {
      a[j] = extremes[i >> (j % 2 * 2) & 3];
      b[j] = extremes[i >> (4 + j % 2 * 2) & 3];
      want[j / 4] += static_cast<int8_t>(a[j]) * (is_signed ? static_cast<int8_t>(b[j]) : b[j]);
    }
    acc = simd::dot4(a, b, acc);
    for (size_t lane = 0; lane < simd::kLanes; ++lane) exact = exact && acc[lane] == want[lane];
  }
  return exact;
}

Int8Kernel fastest() {
  if constexpr (simd::kHasDot4) {
    if (is_exact(false)) return Int8Kernel::kDotUnsigned;
    if (is_exact(true)) return Int8Kernel::kDotSigned;
  }
  return Int8Kernel::kPairs;
}

struct Block {
  size_t n;
  const DotRows& a;
  const int32_t* sums;
  const int8_t* packed_b;
  void* c;
  ptrdiff_t ldc;
};

/// MR rows from `row`, NP panels from `panel`.
template <size_t MR, size_t NP>
KINGLET_INLINE void dots_tile(const Block& block, size_t row, size_t panel, const Int8Finish* finish) {
  const DotRows& rows = block.a;
  const size_t whole = rows.depth / 4 * 4, panel_bytes = round_up(rows.taps * rows.depth, 4) * kInt8Columns;
  i32x4 acc[MR * NP * 2] = {};
  const int8_t* b[NP];
  for (size_t q = 0; q < NP; ++q) b[q] = block.packed_b + (panel + q) * panel_bytes;
  const uint8_t* a[MR] = {};
  const auto step = [&](auto load) KINGLET_INLINE_LAMBDA {
    u8x16 bv[NP * 2];
    for (size_t j = 0; j < NP * 2; ++j) bv[j] = simd::load_bytes(b[j / 2] + j % 2 * 16);
    for (size_t q = 0; q < NP; ++q) b[q] += 4 * kInt8Columns;
    for (size_t r = 0; r < MR; ++r) {
      const u8x16 av = load(r);
      for (size_t j = 0; j < NP * 2; ++j) acc[r * NP * 2 + j] = simd::dot4(bv[j], av, acc[r * NP * 2 + j]);
    }
  };
  for (size_t tap = 0; tap < rows.taps; ++tap) {
    for (size_t r = 0; r < MR; ++r) {
      a[r] = rows.rows != nullptr ? rows.rows[dot_row_index(row, tap, rows.taps) + r] + rows.offset
                                  : rows.start + static_cast<ptrdiff_t>(row + r) * rows.stride;
    }
    for (size_t p = 0; p < whole; p += 4) step([&](size_t r) KINGLET_INLINE_LAMBDA { return simd::load_splat_bytes(a[r] + p); });
  }
  if (whole != rows.depth) {
    step([&](size_t r) {
      uint8_t last[4] = {};
      for (size_t i = whole; i < rows.depth; ++i) last[i - whole] = a[r][i];
      return simd::load_splat_bytes(last);
    });
  }
  const int32_t* const sums = block.sums != nullptr ? block.sums + row : nullptr;
  for (size_t q = 0; q < NP; ++q) {
    ptrdiff_t index = static_cast<ptrdiff_t>(row) * block.ldc + static_cast<ptrdiff_t>((panel + q) * kInt8Columns);
    // A copy: loops over `acc` itself would keep it in memory, and every step would store all sums.
    i32x4 stored[MR * 2];
    for (size_t i = 0; i < MR * 2; ++i) stored[i] = acc[i / 2 * NP * 2 + q * 2 + i % 2];
    if constexpr (MR == kDotRows) {
      for (size_t r = 0; r < MR; ++r, index += block.ldc) {
        finish[q].store_row(stored[r * 2], stored[r * 2 + 1], sums != nullptr ? sums[r] : 0, block.c, index);
      }
    } else {
      finish[q].store_rows(stored, MR, sums, block.c, index, block.ldc);
    }
  }
}

/// Whole tiles of rows from 0 by one panel.
KINGLET_APART void whole_tiles(const Block& block, size_t rows, size_t panel, const Int8Finish& finish) {
  for (size_t row = 0; row < rows; row += kDotRows) dots_tile<kDotRows, 1>(block, row, panel, &finish);
}

/// What finishes the sums of the panels.
struct Finishes {
  const Int8Epilogue& epilogue;
  size_t n;
  const int32_t* column_sum;
  int32_t a_zero;

  Int8Finish operator()(size_t panel) const { return {epilogue, panel * kInt8Columns, n, column_sum, a_zero}; }
};

/// The last MR rows, from `row`, by all panels. Fewer rows need more panels for as many independent sums.
template <size_t MR, size_t NP>
KINGLET_APART void rest_of_rows(const Block& block, size_t row, size_t panels, const Finishes& finish_of) {
  Int8Finish finish[NP];
  size_t panel = 0;
  for (; panel + NP <= panels; panel += NP) {
    for (size_t q = 0; q < NP; ++q) finish[q] = finish_of(panel + q);
    dots_tile<MR, NP>(block, row, panel, finish);
  }
  if constexpr (NP > 1) {
    for (; panel < panels; ++panel) {
      finish[0] = finish_of(panel);
      dots_tile<MR, 1>(block, row, panel, finish);
    }
  }
}

/// The sum of a row's bytes.
int32_t row_sum(const DotRows& rows, size_t row, bool is_signed) {
  u8x16 ones;
  std::memset(&ones, 1, sizeof ones);
  i32x4 sums = {};
  uint32_t rest = 0;
  for (size_t tap = 0; tap < rows.taps; ++tap) {
    const uint8_t* const a = rows.rows != nullptr ? rows.rows[dot_row_index(row, tap, rows.taps)] + rows.offset
                                                  : rows.start + static_cast<ptrdiff_t>(row) * rows.stride;
    size_t i = 0;
    for (; i + 16 <= rows.depth; i += 16) sums = simd::dot4(ones, simd::load_bytes(a + i), sums);
    for (; i < rows.depth; ++i) rest += static_cast<uint32_t>(is_signed ? static_cast<int8_t>(a[i]) : a[i]);
  }
  const auto lanes = simd::bits<simd::u32x4>(sums);
  return static_cast<int32_t>(lanes[0] + lanes[1] + lanes[2] + lanes[3] + rest);
}

}  // namespace

Int8Kernel int8_kernel() {
  static const Int8Kernel kernel = fastest();
  return kernel;
}

void flip_bytes(uint8_t* to, const uint8_t* from, size_t n) {
  for (size_t i = 0; i < n; ++i) to[i] = from[i] ^ 0x80;
}

void multiply_dots(size_t m, size_t n, Int8Kernel kernel, const DotRows& a, int32_t a_zero, int32_t* sums,
                   const int8_t* packed_b, void* c, ptrdiff_t ldc, const Int8Epilogue& epilogue) {
  const size_t k = a.taps * a.depth, panels = round_up(n, kInt8Columns) / kInt8Columns;
  if (epilogue.b_zero != nullptr) {
    const uint32_t zeros = static_cast<uint32_t>(a_zero) * static_cast<uint32_t>(k);
    for (size_t i = 0; i < m; ++i) {
      sums[i] = static_cast<int32_t>(static_cast<uint32_t>(row_sum(a, i, kernel == Int8Kernel::kDotSigned)) - zeros);
    }
  }
  const Block block{n, a, epilogue.b_zero != nullptr ? sums : nullptr, packed_b, c, ldc};
  const int32_t* const column_sum = column_sums(packed_b, k, n, kernel);
  const Finishes finish_of{epilogue, n, column_sum, a_zero};
  // Panel by panel, so that a panel of B stays in the first cache.
  const size_t whole = m / kDotRows * kDotRows;
  for (size_t panel = 0; whole != 0 && panel < panels; ++panel) whole_tiles(block, whole, panel, finish_of(panel));
  switch (m % kDotRows) {
    case 1: return rest_of_rows<1, 4>(block, whole, panels, finish_of);
    case 2: return rest_of_rows<2, 2>(block, whole, panels, finish_of);
    case 3: return rest_of_rows<3, 1>(block, whole, panels, finish_of);
    case 4: return rest_of_rows<4, 1>(block, whole, panels, finish_of);
    case 5: return rest_of_rows<5, 1>(block, whole, panels, finish_of);
    default: return;
  }
}

}  // namespace kinglet::kernels
