#include "kernels/gemm_columns.hpp"

#include <algorithm>

#include "kernels/gemm_block.hpp"

namespace kinglet::kernels {

void gemm_columns(size_t m, size_t n, size_t k, const float* a, ptrdiff_t lda, const float* packed_b, float* c,
                  ptrdiff_t ldc, const Epilogue& epilogue, size_t begin, size_t end) {
  const DepthSplit split(k);
  for (size_t row = 0; row < m; row += kRowBlock) {
    const auto offset = static_cast<ptrdiff_t>(row);
    const Epilogue part = part_of(epilogue, row, begin);
    for (size_t i = 0; i < split.blocks; ++i) {
      const size_t start = std::min(i * split.step, k), depth = std::min(split.step, k - start);
      gemm_block({.m = std::min(kRowBlock, m - row),
                  .n = end - begin,
                  .packed_b = packed_b + start * packed_columns(n) + begin * depth,
                  .c = c + offset * ldc + begin,
                  .ldc = ldc,
                  .first = i == 0,
                  .last = i + 1 == split.blocks,
                  .epilogue = &part},
                 a + offset * lda + start, lda, depth);
    }
  }
}

}  // namespace kinglet::kernels
