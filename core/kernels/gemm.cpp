#include "kernels/gemm.hpp"

#include <algorithm>

#include "kernels/finish.hpp"
#include "kernels/gemm_block.hpp"
#include "kernels/simd.hpp"

namespace kinglet::kernels {
namespace {

using simd::f32x4;

/// Floats of B that stay in the second cache while all rows pass over them, and with few rows: these should
/// rather be done with B soon, so that it comes from memory in one stream.
constexpr size_t kGroupFloats = 24 * 1024, kFewRowsGroupFloats = 96 * 1024;

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

  /// row_index() of a row less than kTileRows behind `row`, with one division for all of them.
  KINGLET_INLINE const float* piece(size_t row, size_t tap, size_t r) const {
    const size_t next_group = row % kTileRows + r < kTileRows ? 0 : (taps - 1) * kTileRows;
    return rows[row_index(row, tap, taps) + next_group + r] + offset;
  }
};

/// Panels that few rows pass over at once: memory gives more when it is read in several streams, and one panel's few sums
/// would wait for the multipliers.
constexpr size_t together(size_t tile_rows) { return tile_rows == 1 ? 4 : tile_rows <= 3 ? 2 : 1; }

/// MR rows from `row` by P panels, which are whole unless it is one.
template <size_t MR, size_t P, class Rows>
KINGLET_INLINE void gemm_f32_tile(const GemmBlock& block, const Finish& end, const Rows& rows, size_t row,
                                  size_t panel) {
  constexpr size_t kPanelVectors = kPanelWidth / simd::kLanes, kVectors = P * kPanelVectors;
  constexpr size_t kSums = MR * kVectors;
  const size_t column = panel * kPanelWidth;
  const size_t columns = std::min(block.n - column, P * kPanelWidth);
  const bool whole = P > 1 || columns == kPanelWidth;
  float* const c = block.c + static_cast<ptrdiff_t>(row) * block.ldc + column;
  const auto lanes = [&](size_t j) { return columns - std::min(columns, j * simd::kLanes); };

  f32x4 acc[kSums] = {};
  const float* const addend = block.first ? block.epilogue->residual : block.c;
  if (addend != nullptr) {
    const ptrdiff_t stride = block.first ? block.epilogue->residual_stride : block.ldc;
    const float* p = addend + static_cast<ptrdiff_t>(row) * stride + column;
    for (size_t r = 0; r < MR; ++r, p += stride) {
      for (size_t j = 0; j < kVectors; ++j)
        acc[r * kVectors + j] = whole ? simd::load(p + j * 4) : simd::load_partial(p + j * 4, lanes(j));
    }
  }

  const size_t panel_stride =
      block.panel_stride != 0 ? block.panel_stride : rows.taps * rows.depth * kPanelWidth;
  const float* b[P];
  for (size_t i = 0; i < P; ++i) b[i] = block.packed_b + (panel + i) * panel_stride;
  for (size_t tap = 0; tap < rows.taps; ++tap) {
    const float* a[MR];
    for (size_t r = 0; r < MR; ++r) a[r] = rows.piece(row, tap, r);
    for (size_t p = 0; p < rows.depth; ++p) {
      f32x4 bv[kVectors];
      for (size_t j = 0; j < kVectors; ++j) bv[j] = simd::load(b[j / kPanelVectors] + j % kPanelVectors * 4);
      for (size_t i = 0; i < P; ++i) b[i] += kPanelWidth;
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
      const f32x4 v = whole ? simd::load(bias + j * 4) : simd::load_partial(bias + j * 4, lanes(j));
      for (size_t r = 0; r < MR; ++r) acc[r * kVectors + j] += v;
    }
  }
  finish(end, acc);
  for (size_t r = 0; r < MR; ++r) {
    float* const out = c + static_cast<ptrdiff_t>(r) * block.ldc;
    for (size_t j = 0; j < kVectors; ++j) {
      if (whole) {
        simd::store(out + j * 4, acc[r * kVectors + j]);
      } else {
        simd::store_partial(out + j * 4, acc[r * kVectors + j], lanes(j));
      }
    }
  }
}

struct Panels {
  size_t from, to;
};

/// MR rows from `row` by some panels.
template <size_t MR, class Rows>
KINGLET_APART void gemm_f32_tiles(const GemmBlock& block, const Finish& end, const Rows& rows, size_t row,
                                  Panels panels) {
  constexpr size_t kTogether = together(MR);
  size_t panel = panels.from;
  if constexpr (kTogether > 1) {
    const size_t whole = std::min(panels.to, block.n / kPanelWidth);
    for (; panel + kTogether <= whole; panel += kTogether) gemm_f32_tile<MR, kTogether>(block, end, rows, row, panel);
  }
  for (; panel < panels.to; ++panel) gemm_f32_tile<MR, 1>(block, end, rows, row, panel);
}

template <class Rows>
void run_tiles(size_t tile_rows, const GemmBlock& block, const Finish& end, const Rows& rows, size_t row,
               Panels panels) {
  switch (tile_rows) {
    case 1: return gemm_f32_tiles<1>(block, end, rows, row, panels);
    case 2: return gemm_f32_tiles<2>(block, end, rows, row, panels);
    case 3: return gemm_f32_tiles<3>(block, end, rows, row, panels);
    case 4: return gemm_f32_tiles<4>(block, end, rows, row, panels);
    case 5: return gemm_f32_tiles<std::min<size_t>(5, kTileRows)>(block, end, rows, row, panels);
    default: return gemm_f32_tiles<kTileRows>(block, end, rows, row, panels);
  }
}

/// A tile of rows stays in the first cache while a group of panels passes over it, the group in the second
/// while all rows do. Rows are shared out evenly: tiles of four and three are quicker than of six and of one.
template <class Rows>
void run_block(const GemmBlock& block, const Rows& rows) {
  const Activation activation = block.epilogue->activation;
  const Finish end = block.last ? make_finish(activation) : Finish{};
  const size_t panels = (block.n + kPanelWidth - 1) / kPanelWidth;
  const size_t tiles = (block.m + kTileRows - 1) / kTileRows;
  const size_t panel_floats = std::max<size_t>(1, rows.taps * rows.depth * kPanelWidth);
  const size_t few_panels = std::max<size_t>(1, (tiles <= 3 ? kFewRowsGroupFloats : kGroupFloats) / panel_floats);
  const size_t group = tiles == 1 ? panels : few_panels;
  for (size_t from = 0; from < panels; from += group) {
    const size_t to = std::min(panels, from + group);
    for (size_t tile = 0, row = 0; tile < tiles; ++tile) {
      const size_t tile_rows = block.m / tiles + (tile < block.m % tiles ? 1 : 0);
      run_tiles(tile_rows, block, end, rows, row, {from, to});
      row += tile_rows;
    }
  }
  if (block.last && !finishes_in_registers(activation.kind)) {
    if (block.ldc == static_cast<ptrdiff_t>(block.n)) return apply(activation, block.c, block.m * block.n);
    for (size_t i = 0; i < block.m; ++i)
      apply(activation, block.c + static_cast<ptrdiff_t>(i) * block.ldc, block.n);
  }
}

/// Four rows of half a panel, from four columns that are contiguous.
void pack_transposed(float* packed, const float* columns, ptrdiff_t column_stride) {
  f32x4 v[4];
  for (ptrdiff_t j = 0; j < 4; ++j) v[j] = simd::load(columns + j * column_stride);
  simd::transpose(v[0], v[1], v[2], v[3]);
  for (size_t i = 0; i < 4; ++i) simd::store(packed + i * kPanelWidth, v[i]);
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
      size_t i = 0;
      if (columns == kPanelWidth && row_stride == 1) {
        for (; i + 4 <= depth; i += 4, from += 4, packed += 4 * kPanelWidth) {
          for (size_t j = 0; j < kPanelWidth; j += 4)
            pack_transposed(packed + j, from + static_cast<ptrdiff_t>(j) * column_stride, column_stride);
        }
      }
      for (; i < depth; ++i, from += row_stride, packed += kPanelWidth) {
        for (size_t j = 0; j < columns; ++j) packed[j] = from[static_cast<ptrdiff_t>(j) * column_stride];
        for (size_t j = columns; j < kPanelWidth; ++j) packed[j] = 0.0f;
      }
    }
  }
}

void gemm_by(const PackedB& b, size_t m, size_t n, size_t k, const float* a, ptrdiff_t lda, float* c,
             ptrdiff_t ldc, const Epilogue& epilogue) {
  for (size_t row = 0; row < m; row += kRowBlock) {
    const Epilogue rows_epilogue = part_of(epilogue, row, 0);
    const auto offset = static_cast<ptrdiff_t>(row);
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
