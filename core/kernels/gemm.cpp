#include "kernels/gemm.hpp"

#include <algorithm>

#include "kernels/finish.hpp"
#include "kernels/gemm_block.hpp"
#include "kernels/simd.hpp"

namespace kinglet::kernels {
namespace {

using simd::f32x4;

#define KINGLET_INLINE inline __attribute__((always_inline))

/// Where a tile's rows of A are; a tile asks for each piece once.
struct DirectRows {
  const float* a;
  ptrdiff_t lda;
  size_t depth;
  static constexpr size_t taps = 1;

  KINGLET_INLINE const float* piece(size_t row, size_t, size_t r) const {
    return a + static_cast<ptrdiff_t>(row + r) * lda;
  }
};

struct IndirectRows {
  const float* const* rows;
  size_t offset;
  size_t taps;
  size_t depth;

  KINGLET_INLINE const float* piece(size_t row, size_t tap, size_t r) const {
    return rows[row_index(row, tap, taps) + r] + offset;
  }
};

/// MR rows from `row`, NP panels from `panel`.
template <size_t MR, size_t NP, class Rows>
KINGLET_INLINE void gemm_f32_tile(const GemmBlock& block, const Finish& end, const Rows& rows, size_t row,
                                  size_t panel) {
  constexpr size_t kVectors = NP * 2;
  const size_t column = panel * kPanelWidth;
  const size_t columns = std::min(block.n - column, NP * kPanelWidth);
  const bool whole = columns == NP * kPanelWidth;
  float* const c = block.c + static_cast<ptrdiff_t>(row) * block.ldc + column;

  f32x4 acc[MR * kVectors] = {};
  const float* const addend = block.first ? block.epilogue->residual : block.c;
  if (addend != nullptr) {
    const ptrdiff_t stride = block.first ? block.epilogue->residual_stride : block.ldc;
    const float* p = addend + static_cast<ptrdiff_t>(row) * stride + column;
    for (size_t r = 0; r < MR; ++r, p += stride) {
      for (size_t j = 0; j < kVectors; ++j) {
        const f32x4 v =
            whole ? simd::load(p + j * 4) : simd::load_partial(p + j * 4, columns - std::min(columns, j * 4));
        acc[r * kVectors + j] = v;
      }
    }
  }

  const float* b[NP];
  const size_t panel_stride =
      block.panel_stride != 0 ? block.panel_stride : rows.taps * rows.depth * kPanelWidth;
  for (size_t q = 0; q < NP; ++q) b[q] = block.packed_b + (panel + q) * panel_stride;
  for (size_t tap = 0; tap < rows.taps; ++tap) {
    const float* a[MR];
    for (size_t r = 0; r < MR; ++r) a[r] = rows.piece(row, tap, r);
    for (size_t p = 0; p < rows.depth; ++p) {
      f32x4 bv[kVectors];
      for (size_t j = 0; j < kVectors; ++j) bv[j] = simd::load(b[j / 2] + j % 2 * 4);
      for (size_t q = 0; q < NP; ++q) b[q] += kPanelWidth;
      for (size_t r = 0; r < MR; ++r) {
        const f32x4 av = simd::load_splat(a[r] + p);
        for (size_t j = 0; j < kVectors; ++j)
          acc[r * kVectors + j] = simd::madd(av, bv[j], acc[r * kVectors + j]);
      }
    }
  }

  // Last, because products that are added to a large bias one by one lose their low bits.
  if (block.last && block.epilogue->bias != nullptr) {
    const float* const bias = block.epilogue->bias + column;
    for (size_t j = 0; j < kVectors; ++j) {
      const f32x4 v = whole ? simd::load(bias + j * 4)
                            : simd::load_partial(bias + j * 4, columns - std::min(columns, j * 4));
      for (size_t r = 0; r < MR; ++r) acc[r * kVectors + j] = acc[r * kVectors + j] + v;
    }
  }
  finish(end, acc);
  for (size_t r = 0; r < MR; ++r) {
    float* const out = c + static_cast<ptrdiff_t>(r) * block.ldc;
    for (size_t j = 0; j < kVectors; ++j) {
      if (whole) {
        simd::store(out + j * 4, acc[r * kVectors + j]);
      } else {
        simd::store_partial(out + j * 4, acc[r * kVectors + j], columns - std::min(columns, j * 4));
      }
    }
  }
}

/// MR rows from `row` over all panels, NP at a time; the panels that are left one by one.
template <size_t MR, size_t NP, class Rows>
void gemm_f32_rows(const GemmBlock& block, const Finish& end, const Rows& rows, size_t row) {
  const size_t panels = (block.n + kPanelWidth - 1) / kPanelWidth;
  size_t panel = 0;
  for (; panel + NP <= panels; panel += NP) gemm_f32_tile<MR, NP>(block, end, rows, row, panel);
  if constexpr (NP > 1) {
    for (; panel < panels; ++panel) gemm_f32_tile<MR, 1>(block, end, rows, row, panel);
  }
}

/// All rows but the last m % kTileRows, panel by panel, so that a panel of B stays in the first cache.
template <class Rows>
void gemm_f32_panels(const GemmBlock& block, const Finish& end, const Rows& rows) {
  for (size_t panel = 0; panel * kPanelWidth < block.n; ++panel) {
    for (size_t row = 0; row + kTileRows <= block.m; row += kTileRows)
      gemm_f32_tile<kTileRows, 1>(block, end, rows, row, panel);
  }
}

template <class Rows>
void run_block(const GemmBlock& block, const Rows& rows) {
  const Activation activation = block.epilogue->activation;
  const Finish end = block.last ? make_finish(activation) : Finish{};
  gemm_f32_panels(block, end, rows);
  // One or two rows need more columns for as many independent sums as the multiplier's latency wants.
  const size_t row = block.m / kTileRows * kTileRows;
  switch (block.m % kTileRows) {
    case 1: gemm_f32_rows<1, 4>(block, end, rows, row); break;
    case 2: gemm_f32_rows<2, 2>(block, end, rows, row); break;
    case 3: gemm_f32_rows<3, 1>(block, end, rows, row); break;
    case 4: gemm_f32_rows<4, 1>(block, end, rows, row); break;
    case 5: gemm_f32_rows<5, 1>(block, end, rows, row); break;
    default: break;
  }
  if (block.last && !finishes_in_registers(activation.kind)) {
    if (block.ldc == static_cast<ptrdiff_t>(block.n)) return apply(activation, block.c, block.m * block.n);
    for (size_t i = 0; i < block.m; ++i)
      apply(activation, block.c + static_cast<ptrdiff_t>(i) * block.ldc, block.n);
  }
}

}  // namespace

void gemm_block(const GemmBlock& block, const float* a, ptrdiff_t lda, size_t depth) {
  run_block(block, DirectRows{a, lda, depth});
}

void gemm_block(const GemmBlock& block, const float* const* rows, size_t offset, size_t taps, size_t depth) {
  run_block(block, IndirectRows{rows, offset, taps, depth});
}

size_t packed_b_size(size_t k, size_t n) { return packed_columns(n) * k; }

void pack_b(float* packed, size_t k, size_t n, const float* b, ptrdiff_t row_stride,
            ptrdiff_t column_stride) {
  const DepthSplit split(k);
  for (size_t start = 0; start < k; start += split.step) {
    const size_t depth = std::min(split.step, k - start);
    for (size_t column = 0; column < n; column += kPanelWidth) {
      const size_t columns = std::min(n - column, kPanelWidth);
      const float* from =
          b + static_cast<ptrdiff_t>(start) * row_stride + static_cast<ptrdiff_t>(column) * column_stride;
      if (columns == kPanelWidth && column_stride == 1) {
        for (size_t i = 0; i < depth; ++i, from += row_stride, packed += kPanelWidth) {
          simd::store(packed, simd::load(from));
          simd::store(packed + 4, simd::load(from + 4));
        }
        continue;
      }
      for (size_t i = 0; i < depth; ++i, from += row_stride, packed += kPanelWidth) {
        for (size_t j = 0; j < columns; ++j) packed[j] = from[static_cast<ptrdiff_t>(j) * column_stride];
        for (size_t j = columns; j < kPanelWidth; ++j) packed[j] = 0.0f;
      }
    }
  }
}

void gemm_by(const PackedB& b, size_t m, size_t n, size_t k, const float* a, ptrdiff_t lda, float* c,
             ptrdiff_t ldc, const Epilogue& epilogue) {
  for (size_t row = 0; row < m; row += kRowBlock) {
    Epilogue rows_epilogue = epilogue;
    const auto offset = static_cast<ptrdiff_t>(row);
    if (epilogue.residual != nullptr) rows_epilogue.residual += offset * epilogue.residual_stride;
    for (size_t i = 0; i < b.split.blocks; ++i) {
      const size_t start = std::min(i * b.split.step, k);
      gemm_block({.m = std::min(kRowBlock, m - row),
                  .n = n,
                  .packed_b = b.data + i * b.block_stride,
                  .panel_stride = b.panel_stride,
                  .c = c + offset * ldc,
                  .ldc = ldc,
                  .first = i == 0,
                  .last = i + 1 == b.split.blocks,
                  .epilogue = &rows_epilogue},
                 a + offset * lda + start, lda, std::min(b.split.step, k - start));
    }
  }
}

void gemm(size_t m, size_t n, size_t k, const float* a, ptrdiff_t lda, const float* packed_b, float* c,
          ptrdiff_t ldc, const Epilogue& epilogue) {
  const DepthSplit split(k);
  gemm_by({packed_b, split, split.step * packed_columns(n)}, m, n, k, a, lda, c, ldc, epilogue);
}

}  // namespace kinglet::kernels
