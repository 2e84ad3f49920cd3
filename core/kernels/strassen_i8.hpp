#pragma once
// Strassen's product (Strassen, "Gaussian Elimination is not Optimal", 1969), one level deep, for packed rows of 16 bit numbers
// and packed B of 8 bit codes: seven products of halves where there are eight. Sums and differences of codes have room in 16
// bits, so all of it is exact. Internal to kernels/.

#include "kernels/gemm_i8.hpp"

namespace kinglet::kernels {

/// Rows of a block that suits it, or 0 where a product of m rows is better off without.
size_t strassen_i8_block_rows(size_t m, size_t k);

/// How many of the first of m rows gain by it: all whole pairs of tiles, or none.
size_t strassen_i8_rows(size_t m, size_t n, size_t k);

/// Bytes of scratch for a block of m rows.
size_t strassen_i8_scratch_bytes(size_t m, size_t k);

/// multiply_pairs for m rows that strassen_i8_rows names.
void multiply_strassen_i8(size_t m, size_t n, size_t k, const int16_t* packed_a, const int32_t* a_sums, const int8_t* packed_b,
                          int16_t* scratch, void* c, ptrdiff_t ldc, const Int8Epilogue& epilogue);

}  // namespace kinglet::kernels
