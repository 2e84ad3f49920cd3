#pragma once
// Matrix product with fewer multiplications, over the same packed B as gemm: Strassen's recursion in the form
// of S. Winograd ("On multiplication of 2x2 matrices", 1971), 7 products of halves and 15 sums for 8 products.
// Where the halves are too small to pay for the sums this is gemm.

#include <cstddef>

#include "kernels/gemm.hpp"

namespace kinglet::kernels {

/// Floats of scratch that a product of these sizes wants; 0 where gemm is as fast.
size_t strassen_scratch_size(size_t m, size_t n, size_t k, bool residual);

/// As gemm, but for rounding: errors are up to some 10 times those of gemm (4 times on average) and go with
/// the largest values of A and B, not with those of the row and column alone; and an infinity in one row of A
/// makes others NaN. `scratch`: strassen_scratch_size(m, n, k, epilogue.residual != nullptr) floats.
void strassen(size_t m, size_t n, size_t k, const float* a, ptrdiff_t lda, const float* packed_b, float* c,
              ptrdiff_t ldc, const Epilogue& epilogue, float* scratch);

/// The same for columns [begin, end) of C alone: `begin` is a multiple of kPanelWidth, pointers are to column 0, and
/// the scratch is that of a product with end - begin columns.
void strassen_columns(size_t m, size_t n, size_t k, const float* a, ptrdiff_t lda, const float* packed_b, float* c,
                      ptrdiff_t ldc, const Epilogue& epilogue, float* scratch, size_t begin, size_t end);

}  // namespace kinglet::kernels
