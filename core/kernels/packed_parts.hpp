#pragma once
// Packing B for gemm.hpp part by part, over its own memory: which rows of B lie together, and what panels that were packed one
// by one become.

#include "kernels/gemm_block.hpp"

namespace kinglet::kernels {

/// Packed B[k, n] is the packed form of its first so many rows, then that of the next, and so on.
inline size_t packed_b_rows(size_t k) { return DepthSplit(k).step; }

/// Floats of scratch for join_panels.
size_t join_panels_scratch_size(size_t k, size_t n);

/// Packed B[k, n], in place, from its panels of kPanelWidth columns one after the other, each as pack_b packs it alone. `n` is a
/// multiple of kPanelWidth. Where the depth is one block, that is the same.
void join_panels(float* packed, size_t k, size_t n, float* scratch);

}  // namespace kinglet::kernels
