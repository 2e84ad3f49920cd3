#pragma once
// The inner products of gemm_i8 and conv_i8. Internal to kernels/.
//
// Packed B lies panel after panel of kInt8Columns columns; in a panel kInt8Step values of k of the first column, of the
// second, ..., then the next values; after the panels the sums of the columns.

#include "kernels/gemm_i8.hpp"
#include "kernels/int8_finish.hpp"

namespace kinglet::kernels {

constexpr size_t round_up(size_t n, size_t step) { return (n + step - 1) / step * step; }

/// Values of k that are multiplied by one instruction.
constexpr size_t int8_step(Int8Kernel kernel) { return kernel == Int8Kernel::kPairs ? 2 : 4; }

/// The sums of the columns.
inline const int32_t* column_sums(const int8_t* packed_b, size_t k, size_t n, Int8Kernel kernel) {
  return reinterpret_cast<const int32_t*>(packed_b + round_up(k, int8_step(kernel)) * round_up(n, kInt8Columns));
}

// ---- kPairs: A's rows become 16 bit numbers less their zero point ----
//
// Packed A lies tile after tile of kPairRows rows; in a tile two values of k of the first row, of the second, ..., then
// the next two. So a tile is one stream, and two values of a row are one 32 bit load for the pairwise product.

inline constexpr size_t kPairRows = 4;

/// Rows whose packed form stays in the second cache; a whole number of tiles.
size_t pair_block_rows(size_t m, size_t k);

/// Appends `count` codes (even, unless they are the last) of each row of a tile to its packed form. `sums`, where set,
/// gets each row's sum added.
void pack_pairs(int16_t* packed, const uint8_t* const (&rows)[kPairRows], size_t count, bool is_signed,
                const int32_t (&zeros)[kPairRows], int32_t* sums);

/// The epilogue's activation over m rows of C.
void activate_rows(const Int8Epilogue& epilogue, size_t m, size_t n, void* c, ptrdiff_t ldc);

/// sums[row, column], which is aligned to 16, of whole tiles of packed rows, each `tile_numbers` after the one before, times
/// a panel of B in 16 bit numbers.
void multiply_tiles(size_t tiles, size_t pairs, const int16_t* packed_a, size_t tile_numbers, const int16_t* panel, int32_t* sums);

/// What the epilogue makes of sums[row, column] of the panel at `column`; row 0 of C is at `c`.
void store_panel(const Int8Epilogue& epilogue, size_t column, size_t n, const int32_t* sums, size_t rows, const int32_t* a_sums,
                 void* c, ptrdiff_t ldc);

inline constexpr size_t kMostPanels = 4;
/// Panels of B in 16 bit numbers that stay in the first cache together.
constexpr size_t panels_at_once(size_t k) {
  const size_t bytes = round_up(k, 2) * kInt8Columns * sizeof(int16_t);
  return bytes == 0 ? 1 : std::clamp<size_t>(16 * 1024 / bytes, 1, kMostPanels);
}
/// Bytes of the scratch of multiply_pairs for a block of `m` rows.
size_t pair_scratch_bytes(size_t m, size_t k);

/// C[m, n] from m packed rows; `a_sums` is read when the epilogue has b_zero. `scratch` is aligned to 16.
void multiply_pairs(size_t m, size_t n, size_t k, const int16_t* packed_a, const int32_t* a_sums,
                    const int8_t* packed_b, int16_t* scratch, void* c, ptrdiff_t ldc, const Int8Epilogue& epilogue);

// ---- the others: A's rows are bytes where they lie ----

inline constexpr size_t kDotRows = 6;

/// What unsigned or signed codes of A are xor-ed with for this kernel; their zero points move by its sign.
constexpr uint8_t flip_for(Int8Kernel kernel, bool is_signed) {
  return is_signed == (kernel == Int8Kernel::kDotSigned) ? 0 : 0x80;
}
constexpr int32_t moved_zero(Int8Kernel kernel, bool is_signed, int32_t zero) {
  return flip_for(kernel, is_signed) == 0 ? zero : is_signed ? zero + 128 : zero - 128;
}

/// n bytes xor-ed with 0x80.
void flip_bytes(uint8_t* to, const uint8_t* from, size_t n);

/// Row i of A is `taps` pieces of `depth` bytes each: at start + i * stride where taps is 1 and rows null, else at
/// rows[dot_row_index(i, t, taps)] + offset. Depth is a multiple of 4 unless taps is 1.
struct DotRows {
  const uint8_t* start = nullptr;
  ptrdiff_t stride = 0;
  const uint8_t* const* rows = nullptr;
  size_t offset = 0;
  size_t taps = 1;
  size_t depth = 0;
};
constexpr size_t dot_row_index(size_t row, size_t tap, size_t taps) {
  return (row / kDotRows * taps + tap) * kDotRows + row % kDotRows;
}

/// C[m, n]; all rows have the zero point a_zero, and `sums` has room for m numbers.
void multiply_dots(size_t m, size_t n, Int8Kernel kernel, const DotRows& a, int32_t a_zero, int32_t* sums,
                   const int8_t* packed_b, void* c, ptrdiff_t ldc, const Int8Epilogue& epilogue);

}  // namespace kinglet::kernels
