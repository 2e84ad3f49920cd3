// B as gemm.hpp has it packed: block after block of its depth, in each panel after panel.

#include <algorithm>

#include "kernels/gemm_block.hpp"
#include "kernels/simd.hpp"

namespace kinglet::kernels {
namespace {

using simd::f32x4;

/// Four rows of half a panel, from four columns that are contiguous.
void pack_transposed(float* packed, const float* columns, ptrdiff_t column_stride) {
  f32x4 v[4];
  for (ptrdiff_t j = 0; j < 4; ++j) v[j] = simd::load(columns + j * column_stride);
  simd::transpose(v[0], v[1], v[2], v[3]);
  for (size_t i = 0; i < 4; ++i) simd::store(packed + i * kPanelWidth, v[i]);
}

}  // namespace

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

}  // namespace kinglet::kernels
