#include "kernels/gemm.hpp"

#include <algorithm>

#include "base/inlining.hpp"
#include "kernels/finish.hpp"
#include "kernels/gemm_block.hpp"
#include "kernels/gemm_columns.hpp"
#include "kernels/read_ahead.hpp"
#include "kernels/simd.hpp"

namespace kinglet::kernels {
namespace {

using simd::f32x4;

/// Floats of B that stay in the second cache while all rows pass over them, and with few rows: these should
/// rather be done with B soon, so that it comes from memory in one stream.
constexpr size_t kGroupFloats = 24 * 1024, kFewRowsGroupFloats = 96 * 1024;

/// A's rows: each `depth` floats at a stride, or `taps` pieces of `depth` floats that a table tells. One type for both, and
/// so one function for each size of a tile: what a run calls first is compiled first, and runs slowly meanwhile.
struct Rows {
  const float* a = nullptr;
  ptrdiff_t lda = 0;
  const float* const* table = nullptr;  ///< null: rows at a stride
  size_t offset = 0;
  size_t taps = 1;
  size_t depth = 0;

  /// Where piece `tap` of the rows from `row` starts.
  template <size_t MR>
  KINGLET_INLINE void starts(size_t row, size_t tap, const float* (&out)[MR]) const {
    if (table == nullptr) {
      for (size_t r = 0; r < MR; ++r) out[r] = a + static_cast<ptrdiff_t>(row + r) * lda;
      return;
    }
    // row_index() of rows less than kTileRows behind `row`, with one division for all of them.
    const float* const* const pieces = table + row_index(row, tap, taps);
    const size_t in_group = kTileRows - row % kTileRows, next_group = (taps - 1) * kTileRows;
    for (size_t r = 0; r < MR; ++r) out[r] = pieces[r < in_group ? r : next_group + r] + offset;
  }
};

/// Some panels of B.
struct Panels {
  const float* first;
  size_t stride;
  size_t count;

  Panels from(size_t panel) const { return {first + panel * stride, stride, count - panel}; }
};

/// Where sums start and where they go.
struct Target {
  float* c;
  ptrdiff_t ldc;
  const float* addend;  ///< null: they start at zero
  ptrdiff_t addend_stride;
  const float* bias;  ///< null: none

  Target at(size_t row, size_t column) const {
    const auto r = static_cast<ptrdiff_t>(row);
    const auto j = static_cast<ptrdiff_t>(column);
    return {c + r * ldc + j, ldc, addend != nullptr ? addend + r * addend_stride + j : nullptr, addend_stride,
            bias != nullptr ? bias + j : nullptr};
  }
};

constexpr size_t kPanelVectors = kPanelWidth / simd::kLanes;

/// Panels that few rows pass over at once: one panel's few sums would wait for the multipliers.
constexpr size_t together(size_t tile_rows) { return tile_rows == 2 ? 2 : 1; }

/// HardSwish of stored rows. In the function of the products its constants would take registers from the sums:
/// SpiderMonkey would keep these in memory all along, and be 2.5 times slower.
KINGLET_APART void hard_swish_rows(const Finish& end, float* c, ptrdiff_t ldc, size_t rows, size_t columns) {
  for (size_t r = 0; r < rows; ++r, c += ldc) {
    for (size_t j = 0; j < columns; j += simd::kLanes) {
      f32x4 v[] = {simd::load(c + j)};
      hard_swish(end, v);
      simd::store(c + j, v[0]);
    }
  }
}

/// MR rows from `row` by the first columns: half a panel, or whole ones.
template <size_t MR, size_t kVectors>
KINGLET_INLINE void gemm_f32_tile(const Rows& rows, size_t row, const Panels& panels, const Finish& end,
                                  const Target& target) {
  constexpr size_t P = (kVectors + kPanelVectors - 1) / kPanelVectors;
  f32x4 acc[MR * kVectors] = {};
  if (target.addend != nullptr) {
    const float* p = target.addend;
    for (size_t r = 0; r < MR; ++r, p += target.addend_stride) {
      for (size_t j = 0; j < kVectors; ++j) acc[r * kVectors + j] = simd::load(p + j * 4);
    }
  }

  const float* b[P];
  for (size_t i = 0; i < P; ++i) b[i] = panels.first + i * panels.stride;
  for (size_t tap = 0; tap < rows.taps; ++tap) {
    const float* a[MR];
    rows.starts(row, tap, a);
    const auto step = [&](const f32x4 (&av)[MR], f32x4* sums) KINGLET_INLINE_LAMBDA {
      f32x4 bv[kVectors];
      for (size_t j = 0; j < kVectors; ++j) bv[j] = simd::load(b[j / kPanelVectors] + j % kPanelVectors * 4);
      for (size_t i = 0; i < P; ++i) b[i] += kPanelWidth;
      for (size_t r = 0; r < MR; ++r) {
        for (size_t j = 0; j < kVectors; ++j) sums[r * kVectors + j] = simd::madd(av[r], bv[j], sums[r * kVectors + j]);
      }
    };
    size_t p = 0;
    if constexpr (MR == 1) {
      // Sums of their own for every fourth value of k: one panel's few would wait for the multipliers, and several panels would
      // be several streams, which some memories give more slowly.
      f32x4 apart[3 * kVectors] = {};
      for (; p + 4 <= rows.depth; p += 4) {
        const f32x4 v = simd::load(a[0] + p);
        step({__builtin_shufflevector(v, v, 0, 0, 0, 0)}, acc);
        step({__builtin_shufflevector(v, v, 1, 1, 1, 1)}, apart);
        step({__builtin_shufflevector(v, v, 2, 2, 2, 2)}, apart + kVectors);
        step({__builtin_shufflevector(v, v, 3, 3, 3, 3)}, apart + 2 * kVectors);
      }
      for (size_t i = 0; i < 3 * kVectors; ++i) acc[i % kVectors] += apart[i];
    }
    for (; p < rows.depth; ++p) {
      f32x4 av[MR];
      for (size_t r = 0; r < MR; ++r) av[r] = simd::load_splat(a[r] + p);
      step(av, acc);
    }
  }

  // Last, because products that are added to a large bias one by one lose their low bits.
  if (target.bias != nullptr) {
    for (size_t j = 0; j < kVectors; ++j) {
      const f32x4 v = simd::load(target.bias + j * 4);
      for (size_t r = 0; r < MR; ++r) acc[r * kVectors + j] += v;
    }
  }
  if (end.kind == Finish::Kind::kClamp) clamp(end, acc);
  float* out = target.c;
  for (size_t r = 0; r < MR; ++r, out += target.ldc) {
    for (size_t j = 0; j < kVectors; ++j) simd::store(out + j * 4, acc[r * kVectors + j]);
  }
}

/// MR rows from `row` by panels, of which C has the first kWidth vectors: whole ones, or one half.
template <size_t MR, size_t kWidth>
KINGLET_APART void gemm_f32_tiles(const Rows& rows, size_t row, const Panels& panels, const Finish& end,
                                  const Target& target) {
  constexpr size_t kTogether = kWidth == kPanelVectors ? together(MR) : 1;
  size_t panel = 0;
  if constexpr (kTogether > 1) {
    for (; panel + kTogether <= panels.count; panel += kTogether)
      gemm_f32_tile<MR, kTogether * kWidth>(rows, row, panels.from(panel), end, target.at(0, panel * kPanelWidth));
  }
  for (; panel < panels.count; ++panel)
    gemm_f32_tile<MR, kWidth>(rows, row, panels.from(panel), end, target.at(0, panel * kPanelWidth));
  if (end.kind == Finish::Kind::kHardSwish) {
    hard_swish_rows(end, target.c, target.ldc, MR, panels.count * kWidth * simd::kLanes);
  }
}

template <size_t kWidth = kPanelVectors>
void run_tiles(size_t tile_rows, const Rows& rows, size_t row, const Panels& panels, const Finish& end,
               const Target& target) {
  switch (tile_rows) {
    case 1: return gemm_f32_tiles<1, kWidth>(rows, row, panels, end, target);
    case 2: return gemm_f32_tiles<2, kWidth>(rows, row, panels, end, target);
    case 3: return gemm_f32_tiles<3, kWidth>(rows, row, panels, end, target);
    case 4: return gemm_f32_tiles<4, kWidth>(rows, row, panels, end, target);
    case 5: return gemm_f32_tiles<std::min<size_t>(5, kTileRows), kWidth>(rows, row, panels, end, target);
    default: return gemm_f32_tiles<kTileRows, kWidth>(rows, row, panels, end, target);
  }
}

/// Lines of less than a panel. A call of memcpy for each would take longer.
void copy_lines(float* to, ptrdiff_t to_stride, const float* from, ptrdiff_t from_stride, size_t lines, size_t width) {
  for (size_t i = 0; i < lines; ++i, to += to_stride, from += from_stride) {
#pragma GCC unroll 1
    for (size_t j = 0; j < width; ++j) to[j] = from[j];
  }
}

/// Rows by the last panel, of which C has `columns` only: where these are no half, as a whole one beside C.
KINGLET_APART void run_ragged_tile(size_t tile_rows, const Rows& rows, size_t row, const Panels& panel,
                                   const Finish& end, const Target& target, size_t columns) {
  if (columns == simd::kLanes) return run_tiles<1>(tile_rows, rows, row, panel, end, target);
  constexpr auto kStride = static_cast<ptrdiff_t>(kPanelWidth);
  float sums[kTileRows * kPanelWidth] = {}, bias[kPanelWidth] = {};
  Target whole{sums, kStride, nullptr, kStride, nullptr};
  if (target.addend != nullptr) {
    copy_lines(sums, kStride, target.addend, target.addend_stride, tile_rows, columns);
    whole.addend = sums;
  }
  if (target.bias != nullptr) {
    copy_lines(bias, 0, target.bias, 0, 1, columns);
    whole.bias = bias;
  }
  run_tiles(tile_rows, rows, row, panel, end, whole);
  copy_lines(target.c, target.ldc, sums, kStride, tile_rows, columns);
}

/// A tile of rows stays in the first cache while a group of panels passes over it, the group in the second
/// while all rows do. Rows are shared out evenly: tiles of four and three are quicker than of six and of one.
void run_block(const GemmBlock& block, const Rows& rows) {
  const Epilogue& epilogue = *block.epilogue;
  const Finish end = block.ends_sums ? make_finish(epilogue.activation) : Finish{};
  const size_t whole_panels = block.n / kPanelWidth, ragged = block.n % kPanelWidth;
  const size_t panels = whole_panels + (ragged != 0 ? 1 : 0);
  const size_t tiles = (block.m + kTileRows - 1) / kTileRows;
  const size_t panel_floats = rows.taps * rows.depth * kPanelWidth;
  const size_t group_floats = tiles <= 3 ? kFewRowsGroupFloats : kGroupFloats;
  const size_t group = std::max<size_t>(1, group_floats / std::max<size_t>(1, panel_floats));
  const Panels all{block.packed_b, block.panel_stride != 0 ? block.panel_stride : panel_floats, panels};
  const Target target{block.c, block.ldc, block.begins_sums ? epilogue.residual : block.c,
                      block.begins_sums ? epilogue.residual_stride : block.ldc, block.ends_sums ? epilogue.bias : nullptr};
  ReadAhead ahead(all.first, panels == 0 ? 0 : ((panels - 1) * all.stride + panel_floats) * sizeof(float));
  for (size_t from = 0; from < panels; from += group) {
    const size_t group_end = (from + group) * all.stride * sizeof(float);
    ahead.pages(group_end);
    if (tiles > 1 && !block.b_was_read) ahead.lines(group_end);
    Panels some = all.from(from);
    some.count = std::min(whole_panels - std::min(whole_panels, from), group);
    const bool has_ragged = ragged != 0 && from + group >= panels;
    for (size_t tile = 0, row = 0; tile < tiles; ++tile) {
      const size_t tile_rows = block.m / tiles + (tile < block.m % tiles ? 1 : 0);
      if (some.count != 0) run_tiles(tile_rows, rows, row, some, end, target.at(row, from * kPanelWidth));
      if (has_ragged) {
        run_ragged_tile(tile_rows, rows, row, {all.from(whole_panels).first, all.stride, 1}, end,
                        target.at(row, whole_panels * kPanelWidth), ragged);
      }
      row += tile_rows;
    }
  }
  const Activation activation = epilogue.activation;
  if (block.ends_sums && !finishes_in_registers(activation.kind)) {
    if (block.ldc == static_cast<ptrdiff_t>(block.n)) return apply(activation, block.c, block.m * block.n);
    for (size_t i = 0; i < block.m; ++i)
      apply(activation, block.c + static_cast<ptrdiff_t>(i) * block.ldc, block.n);
  }
}

}  // namespace

void gemm_block(const GemmBlock& block, const float* a, ptrdiff_t lda, size_t depth) {
  run_block(block, {.a = a, .lda = lda, .depth = depth});
}

void gemm_block(const GemmBlock& block, const float* const* rows, size_t offset, size_t taps, size_t depth) {
  run_block(block, {.table = rows, .offset = offset, .taps = taps, .depth = depth});
}

void gemm_by(const PackedB& b, size_t m, size_t n, size_t k, const float* a, ptrdiff_t lda, float* c,
             ptrdiff_t ldc, const Epilogue& epilogue) {
  for (size_t row = 0; row < m; row += kRowBlock) {
    const Epilogue rows_epilogue = part_of(epilogue, row, 0);
    const auto offset = static_cast<ptrdiff_t>(row);
    for (size_t i = 0; i < b.split.blocks; ++i) {
      const size_t start = std::min(i * b.split.step, k), depth = std::min(b.split.step, k - start);
      gemm_block({.m = std::min(kRowBlock, m - row),
                  .n = n,
                  .packed_b = b.data + i * b.block_stride + b.column * depth,
                  .panel_stride = b.panel_stride,
                  .c = c + offset * ldc,
                  .ldc = ldc,
                  .begins_sums = i == 0,
                  .ends_sums = i + 1 == b.split.blocks,
                  .b_was_read = row != 0,
                  .epilogue = &rows_epilogue},
                 a + offset * lda + start, lda, depth);
    }
  }
}

void gemm(size_t m, size_t n, size_t k, const float* a, ptrdiff_t lda, const float* packed_b, float* c,
          ptrdiff_t ldc, const Epilogue& epilogue) {
  gemm_columns(m, n, k, a, lda, packed_b, c, ldc, epilogue, 0, n);
}

}  // namespace kinglet::kernels
