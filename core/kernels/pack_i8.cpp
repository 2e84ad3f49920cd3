#include "kernels/pack_i8.hpp"

#include "kernels/gemm_i8_block.hpp"
#include "kernels/simd_int.hpp"

namespace kinglet::kernels {
namespace {

using simd::i16x8;
using simd::i32x4;
using simd::u8x16;

constexpr size_t kRun = 16;  // codes of a column that are packed at once

/// Element j of vector i becomes element i of vector j: three perfect shuffles.
void transpose_pairs(i16x8 (&v)[8]) {
  for (size_t round = 0; round < 3; ++round) {
    i16x8 shuffled[8];
    for (size_t i = 0; i < 4; ++i) {
      shuffled[2 * i] = simd::interleave_low(v[i], v[i + 4]);
      shuffled[2 * i + 1] = simd::interleave_high(v[i], v[i + 4]);
    }
    for (size_t i = 0; i < 8; ++i) v[i] = shuffled[i];
  }
}

/// Runs of kRun codes from `codes` on, for steps of two.
KINGLET_APART size_t pack_column_pairs(int8_t* to, const uint8_t* codes, ptrdiff_t stride, size_t k, u8x16 flip) {
  size_t i = 0;
  for (; i + kRun <= k; i += kRun, codes += kRun, to += kRun * kInt8Columns) {
    i16x8 v[kInt8Columns];
    for (size_t j = 0; j < kInt8Columns; ++j) {
      v[j] = simd::bits<i16x8>(simd::load_bytes(codes + static_cast<ptrdiff_t>(j) * stride) ^ flip);
    }
    transpose_pairs(v);
    for (size_t p = 0; p < 8; ++p) simd::store(reinterpret_cast<int16_t*>(to + p * 16), v[p]);
  }
  return i;
}

/// The same for steps of four.
KINGLET_APART size_t pack_column_fours(int8_t* to, const uint8_t* codes, ptrdiff_t stride, size_t k, u8x16 flip) {
  size_t i = 0;
  for (; i + kRun <= k; i += kRun, codes += kRun, to += kRun * kInt8Columns) {
    for (size_t half = 0; half < kInt8Columns; half += 4) {
      i32x4 v[4];
      for (size_t j = 0; j < 4; ++j) {
        v[j] = simd::bits<i32x4>(simd::load_bytes(codes + static_cast<ptrdiff_t>(half + j) * stride) ^ flip);
      }
      simd::transpose(v[0], v[1], v[2], v[3]);
      for (size_t q = 0; q < 4; ++q) simd::store(reinterpret_cast<int32_t*>(to + q * 32 + half * 4), v[q]);
    }
  }
  return i;
}

/// A code of each of two rows in turn.
i16x8 interleave_rows(const uint8_t* a, const uint8_t* b, u8x16 flip) {
  u8x16 x{}, y{};
  __builtin_memcpy(&x, a, kInt8Columns);
  __builtin_memcpy(&y, b, kInt8Columns);
  return simd::bits<i16x8>(__builtin_shufflevector(x, y, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23) ^ flip);
}

KINGLET_APART size_t pack_row_pairs(int8_t* to, const uint8_t* codes, ptrdiff_t stride, size_t k, u8x16 flip) {
  size_t i = 0;
  for (; i + 2 <= k; i += 2, codes += 2 * stride, to += 2 * kInt8Columns) {
    simd::store(reinterpret_cast<int16_t*>(to), interleave_rows(codes, codes + stride, flip));
  }
  return i;
}

KINGLET_APART size_t pack_row_fours(int8_t* to, const uint8_t* codes, ptrdiff_t stride, size_t k, u8x16 flip) {
  size_t i = 0;
  for (; i + 4 <= k; i += 4, codes += 4 * stride, to += 4 * kInt8Columns) {
    const i16x8 first = interleave_rows(codes, codes + stride, flip);
    const i16x8 second = interleave_rows(codes + 2 * stride, codes + 3 * stride, flip);
    simd::store(reinterpret_cast<int16_t*>(to), simd::interleave_low(first, second));
    simd::store(reinterpret_cast<int16_t*>(to + 16), simd::interleave_high(first, second));
  }
  return i;
}

/// Sums of columns of a packed panel of `bytes`: of its steps of two, or, with `fours`, of four.
KINGLET_APART void sum_columns(const int8_t* panel, size_t bytes, bool fours, int32_t* sums) {
  const i16x8 ones = simd::splat16(1);
  i32x4 parts[4] = {};
  // In steps of two, 16 bytes hold a sum of two codes for every column; in steps of four, 32 hold two such sums.
  for (size_t i = 0; i < bytes; i += 16) {
    i32x4* const to = parts + (fours && i % 32 != 0 ? 2 : 0);
    for (size_t half = 0; half < 2; ++half) {
      to[half] = simd::add(to[half], simd::dot(simd::load_extend(panel + i + half * 8), ones));
    }
  }
  for (size_t j = 0; j < kInt8Columns; ++j) sums[j] = fours ? parts[j / 2][j % 2 * 2] + parts[j / 2][j % 2 * 2 + 1] : parts[j / 4][j % 4];
}

}  // namespace

PanelPacker::PanelPacker(int8_t* packed, size_t k, size_t n, uint8_t flip, Int8Kernel kernel)
    : k_(k),
      step_(int8_step(kernel)),
      flip_(flip),
      panel_(packed),
      sums_(reinterpret_cast<int32_t*>(packed + round_up(k, step_) * round_up(n, kInt8Columns))) {}

void PanelPacker::add_columns(const uint8_t* codes, ptrdiff_t stride, size_t columns) {
  size_t done = 0;
  if (columns == kInt8Columns) {
    const u8x16 flip = u8x16{} + flip_;
    done = step_ == 2 ? pack_column_pairs(panel_, codes, stride, k_, flip) : pack_column_fours(panel_, codes, stride, k_, flip);
  }
  add_codes(done, codes, 1, stride, columns);
  add_sums();
}

void PanelPacker::add_rows(const uint8_t* codes, ptrdiff_t stride, size_t columns) {
  size_t done = 0;
  if (columns == kInt8Columns) {
    const u8x16 flip = u8x16{} + flip_;
    done = step_ == 2 ? pack_row_pairs(panel_, codes, stride, k_, flip) : pack_row_fours(panel_, codes, stride, k_, flip);
  }
  add_codes(done, codes, stride, 1, columns);
  add_sums();
}

/// What whole vectors leave: the codes of k from `first` on.
KINGLET_APART void PanelPacker::add_codes(size_t first, const uint8_t* codes, ptrdiff_t row_stride, ptrdiff_t column_stride, size_t columns) {
  int8_t* to = panel_ + first * kInt8Columns;
  for (size_t i = first; i < k_; i += step_) {
    for (size_t j = 0; j < kInt8Columns; ++j) {
      for (size_t p = i; p < i + step_; ++p) {
        const ptrdiff_t at = static_cast<ptrdiff_t>(p) * row_stride + static_cast<ptrdiff_t>(j) * column_stride;
        *to++ = j < columns && p < k_ ? static_cast<int8_t>(codes[at] ^ flip_) : int8_t{0};
      }
    }
  }
}

void PanelPacker::add_sums() {
  const size_t bytes = round_up(k_, step_) * kInt8Columns;
  sum_columns(panel_, bytes, step_ == 4, sums_);
  panel_ += bytes;
  sums_ += kInt8Columns;
}

}  // namespace kinglet::kernels
