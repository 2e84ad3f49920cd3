#pragma once
// The inner product of gemm_i8 and conv_i8: packed rows of A times packed B. Internal to kernels/.
//
// Packed A lies tile after tile of kInt8Rows rows; in a tile two values of k of the first row, of the second, ..., then
// the next two. So a tile is one stream, and two values of a row are one 32 bit load for the pairwise product.

#include <cstring>

#include "kernels/gemm_i8.hpp"
#include "kernels/simd_int.hpp"

namespace kinglet::kernels {

inline constexpr size_t kInt8Rows = 4;
inline constexpr size_t kInt8Columns = 8;

/// k rounded up to whole pairs.
constexpr size_t even(size_t k) { return (k + 1) / 2 * 2; }

/// Rows whose packed form stays in the second cache; a whole number of tiles.
size_t int8_block_rows(size_t m, size_t k);

/// Appends `count` codes (even, unless they are the last) of each row of a tile to its packed form. `sums`, where set,
/// gets each row's sum added.
void pack_piece_i8(int16_t* packed, const uint8_t* const (&rows)[kInt8Rows], size_t count, bool is_signed,
                   const int32_t (&zeros)[kInt8Rows], int32_t* sums);

/// C[m, n] from m packed rows; `a_sums` is read when the epilogue has b_zero.
void gemm_i8_block(size_t m, size_t n, size_t k, const int16_t* packed_a, const int32_t* a_sums,
                   const int8_t* packed_b, void* c, ptrdiff_t ldc, const Int8Epilogue& epilogue);

}  // namespace kinglet::kernels
