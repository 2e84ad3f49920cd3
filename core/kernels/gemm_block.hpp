#pragma once
// The inner product of gemm and conv: one block of rows times one block of packed B. Internal to kernels/.

#include <cstddef>

#include "kernels/gemm.hpp"

namespace kinglet::kernels {

/// A K block is about this deep: its panel of B (8 KB) stays in the first cache beside the rows of A.
inline constexpr size_t kDepthBlock = 256;
/// A depth up to this is not split.
inline constexpr size_t kMaxDepthBlock = 384;
/// Rows whose A stays in the second cache while all panels pass over it.
inline constexpr size_t kRowBlock = 128;

/// C[m, n] (+)= A * B for one K block. With `first`, C starts as bias + residual, else as it is; with `last`, the
/// epilogue's activation ends it.
struct GemmBlock {
  size_t m = 0, n = 0;
  const float* packed_b = nullptr;  ///< at the block's first k in the first panel
  size_t panel_stride = 0;          ///< floats from a panel to the next
  float* c = nullptr;
  ptrdiff_t ldc = 0;
  bool first = true, last = true;
  const Epilogue* epilogue = nullptr;  ///< its residual belongs to the block's first row
};

/// A's rows are `depth` floats at a + i * lda.
void gemm_block(const GemmBlock& block, const float* a, ptrdiff_t lda, size_t depth);

/// A's row i is `taps` pieces of `depth` floats; piece t lies at rows[row_index(i, t, taps)] + offset.
void gemm_block(const GemmBlock& block, const float* const* rows, size_t offset, size_t taps, size_t depth);

/// The rows of a tile lie together, tap after tap.
constexpr size_t row_index(size_t row, size_t tap, size_t taps) { return (row / 4 * taps + tap) * 4 + row % 4; }

/// How many blocks of at most kMaxDepthBlock, and about kDepthBlock, cover `depth`; at least 1.
constexpr size_t depth_blocks(size_t depth) {
  return depth <= kMaxDepthBlock ? 1 : (depth + kDepthBlock - 1) / kDepthBlock;
}

}  // namespace kinglet::kernels
