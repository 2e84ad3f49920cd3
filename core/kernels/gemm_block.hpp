#pragma once
// The inner product of gemm and conv: one block of rows times one block of packed B. Internal to kernels/.

#include <cstddef>

#include "kernels/gemm.hpp"

namespace kinglet::kernels {

/// A K block is about this deep: its panel of B (8 KB) stays in the first cache beside the rows of A.
inline constexpr size_t kDepthBlock = 256;
/// A depth up to this is not split.
inline constexpr size_t kMaxDepthBlock = 384;
/// Rows of a tile of C. Six rows and a panel are twelve sums: with two vectors of B and one of A they take
/// all of the 15 registers that V8 gives out, and are more sums than the multipliers' latency asks for. Where
/// a product and its sum are two instructions, each product needs a register too: six rows would be spilled.
#if defined(__wasm_simd128__) && !defined(__wasm_relaxed_simd__)
inline constexpr size_t kTileRows = 4;
#else
inline constexpr size_t kTileRows = 6;
#endif
/// Rows whose A stays in the second cache while all panels pass over it.
inline constexpr size_t kRowBlock = 132;
static_assert(kRowBlock % kTileRows == 0);

/// C[m, n] (+)= A * B for one K block.
struct GemmBlock {
  size_t m = 0, n = 0;
  const float* packed_b = nullptr;  ///< of this block alone
  size_t panel_stride = 0;          ///< floats from a panel to the next; 0: no gap between them
  float* c = nullptr;
  ptrdiff_t ldc = 0;
  bool begins_sums = true;  ///< the first K block: C starts as the residual, else as it is
  bool ends_sums = true;    ///< the last one: bias and activation end C
  bool b_was_read = false;  ///< packed B was read a moment ago, for the rows before these
  const Epilogue* epilogue = nullptr;  ///< its residual belongs to the block's first row
};

/// A's rows are `depth` floats at a + i * lda.
void gemm_block(const GemmBlock& block, const float* a, ptrdiff_t lda, size_t depth);

/// A's row i is `taps` pieces of `depth` floats; piece t lies at rows[row_index(i, t, taps)] + offset.
void gemm_block(const GemmBlock& block, const float* const* rows, size_t offset, size_t taps, size_t depth);

/// The rows of a tile lie together, tap after tap. A table for rows that are no whole number of tiles has
/// places for the tile that they begin.
constexpr size_t row_index(size_t row, size_t tap, size_t taps) {
  return (row / kTileRows * taps + tap) * kTileRows + row % kTileRows;
}

/// How K is cut: `blocks` of `step` (the last may be smaller), an even number unless it is one, so that
/// halves of K are whole blocks. Packed B lies block after block and in a block panel after panel: it is read
/// in one stream.
struct DepthSplit {
  size_t blocks, step;

  explicit constexpr DepthSplit(size_t depth)
      : blocks(depth <= kMaxDepthBlock ? 1 : (depth + 2 * kMaxDepthBlock - 1) / (2 * kMaxDepthBlock) * 2),
        step((depth + blocks - 1) / blocks) {}
};

/// Columns of B with their padding.
constexpr size_t packed_columns(size_t n) { return (n + kPanelWidth - 1) / kPanelWidth * kPanelWidth; }

/// Packed B, or whole panels and a part of the depth of it.
struct PackedB {
  const float* data;
  DepthSplit split;
  size_t block_stride;      ///< floats from a K block to the next
  size_t panel_stride = 0;  ///< as in GemmBlock
  size_t column = 0;        ///< the first of the part's, where panels have no gap; begins a panel
};

/// gemm by such a part, n columns of it.
void gemm_by(const PackedB& b, size_t m, size_t n, size_t k, const float* a, ptrdiff_t lda, float* c,
             ptrdiff_t ldc, const Epilogue& epilogue);

}  // namespace kinglet::kernels
