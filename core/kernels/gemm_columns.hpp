#pragma once
// gemm for a range of columns: how threads split a product of few rows.

#include "kernels/gemm.hpp"

namespace kinglet::kernels {

/// As gemm, for columns [begin, end) of C alone; `begin` is a multiple of kPanelWidth, and pointers are to column 0.
void gemm_columns(size_t m, size_t n, size_t k, const float* a, ptrdiff_t lda, const float* packed_b, float* c,
                  ptrdiff_t ldc, const Epilogue& epilogue, size_t begin, size_t end);

}  // namespace kinglet::kernels
