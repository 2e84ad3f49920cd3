#include "kernels/gemm_columns.hpp"

#include "kernels/gemm_block.hpp"

namespace kinglet::kernels {

void gemm_columns(size_t m, size_t n, size_t k, const float* a, ptrdiff_t lda, const float* packed_b, float* c,
                  ptrdiff_t ldc, const Epilogue& epilogue, size_t begin, size_t end) {
  const DepthSplit split(k);
  const PackedB columns{
      .data = packed_b, .split = split, .block_stride = split.step * packed_columns(n), .column = begin};
  gemm_by(columns, m, end - begin, k, a, lda, c + begin, ldc, part_of(epilogue, 0, begin));
}

}  // namespace kinglet::kernels
