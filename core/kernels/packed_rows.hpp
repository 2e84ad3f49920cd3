#pragma once
// Which rows of B lie together when gemm.hpp packs it row by row.

#include "kernels/gemm_block.hpp"

namespace kinglet::kernels {

/// Packed B[k, n] is the packed form of its first so many rows, then that of the next, and so on.
inline size_t packed_b_rows(size_t k) { return DepthSplit(k).step; }

}  // namespace kinglet::kernels
