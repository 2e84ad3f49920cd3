#pragma once
// Matrix product of f32 with B packed once: C[m, n] = activation(A[m, k] * B[k, n] + bias + residual).
//
//   std::vector<float> packed(packed_b_size(k, n));
//   pack_b(packed.data(), k, n, b, n, 1);                       // B row by row; (b, 1, k) for B transposed
//   gemm(m, n, k, a, k, packed.data(), c, n, {.bias = bias});
//
// There is no scratch. Threads split M: rows [i, j) are gemm(j - i, n, k, a + i * lda, ..., c + i * ldc,
// ...), and rows of C do not depend on each other.

#include <cstddef>

#include "kernels/activation.hpp"

namespace kinglet::kernels {

/// What happens to a row of results before it is stored: + bias, + residual, activation, in this order.
struct Epilogue {
  const float* bias = nullptr;      ///< one value a column, or null
  const float* residual = nullptr;  ///< shaped like C (it may be C itself), or null
  ptrdiff_t residual_stride = 0;    ///< floats from a row of the residual to the next
  Activation activation = {};
};

/// That of the part of C that begins at this row and column.
inline Epilogue part_of(Epilogue e, size_t row, size_t column) {
  if (e.bias != nullptr) e.bias += column;
  if (e.residual != nullptr) e.residual += static_cast<ptrdiff_t>(row) * e.residual_stride + static_cast<ptrdiff_t>(column);
  return e;
}

/// Columns of B that lie together in the packed form.
inline constexpr size_t kPanelWidth = 8;

/// Floats that B[k, n] takes when packed: n rounded up to whole panels, times k.
size_t packed_b_size(size_t k, size_t n);

/// Packs B[k, n], whose element (i, j) lies at b[i * row_stride + j * column_stride], into packed_b_size(k,
/// n) floats.
void pack_b(float* packed, size_t k, size_t n, const float* b, ptrdiff_t row_stride, ptrdiff_t column_stride);

/// lda and ldc: floats from a row to the next (columns are contiguous). k = 0 gives bias + residual. C
/// overlaps neither A nor B; it may be the residual.
void gemm(size_t m, size_t n, size_t k, const float* a, ptrdiff_t lda, const float* packed_b, float* c,
          ptrdiff_t ldc, const Epilogue& epilogue = {});

}  // namespace kinglet::kernels
