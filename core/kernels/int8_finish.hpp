#pragma once
// From int32 sums to what an Int8Epilogue asks for. Internal to kernels/.

#include <algorithm>
#include <cstring>

#include "kernels/gemm_i8.hpp"
#include "kernels/simd_int.hpp"

namespace kinglet::kernels {

/// Columns of B that lie together in the packed form.
inline constexpr size_t kInt8Columns = 8;

/// The epilogue of one panel of columns; the arrays are whole panels.
class Int8Finish {
 public:
  Int8Finish() = default;
  /// `sums` are those of the columns of packed B, or null; `a_zero` times them is taken off.
  Int8Finish(const Int8Epilogue& e, size_t column, size_t n, const int32_t* sums, int32_t a_zero);

  /// store_row for `rows` rows whose sums are two vectors each.
  void store_rows(const simd::i32x4* sums, size_t rows, const int32_t* a_sums, void* c, ptrdiff_t index,
                  ptrdiff_t ldc) const;

  /// Stores the sums of a row of the panel as elements `index` and on; `a_sum` is that of A's row less its zero points.
  inline __attribute__((always_inline)) void store_row(simd::i32x4 first, simd::i32x4 second, int32_t a_sum, void* c,
                                                       ptrdiff_t index) const {
    simd::i32x4 v[2] = {first, second};
    for (size_t j = 0; j < 2; ++j) v[j] = simd::add(v[j], simd::load(offset_ + j * 4));
    if (has_b_zero_) {
      for (size_t j = 0; j < 2; ++j) v[j] = simd::sub(v[j], simd::mul(simd::splat(a_sum), simd::load(b_zero_ + j * 4)));
    }
    if (output_ == Int8Epilogue::Output::kInt32) return store(v, c, index);
    simd::f32x4 x[2];
    for (size_t j = 0; j < 2; ++j) x[j] = simd::to_float(v[j]) * simd::load(scale_ + j * 4);
    if (has_addend_) {
      for (size_t j = 0; j < 2; ++j) x[j] = x[j] + simd::load(addend_ + j * 4);
    }
    if (output_ == Int8Epilogue::Output::kFloat) return store(x, c, index);
    for (size_t j = 0; j < 2; ++j) {
      v[j] = simd::round_small(simd::clamp_above(simd::clamp_below(x[j], low_), high_), bias_);
    }
    auto* const to = static_cast<uint8_t*>(c) + index;
    const bool is_signed = output_ == Int8Epilogue::Output::kInt8;
    if (count_ == kInt8Columns) return is_signed ? simd::store_codes<int8_t>(to, v[0], v[1]) : simd::store_codes<uint8_t>(to, v[0], v[1]);
    uint8_t bytes[kInt8Columns];
    simd::store_bytes(bytes, v[0], v[1]);
    std::memcpy(to, bytes, count_);
  }

 private:
  template <class V>
  void store(const V (&v)[2], void* c, ptrdiff_t index) const {
    std::byte* const to = static_cast<std::byte*>(c) + index * 4;
    if (count_ == kInt8Columns) {
      std::memcpy(to, v, sizeof v);
    } else {
      std::memcpy(to, v, count_ * 4);
    }
  }

  Int8Epilogue::Output output_ = Int8Epilogue::Output::kInt32;
  bool has_b_zero_ = false, has_addend_ = false;
  size_t count_ = 0;
  simd::i32x4 bias_ = {};
  simd::f32x4 low_ = {}, high_ = {};
  int32_t b_zero_[kInt8Columns] = {}, offset_[kInt8Columns] = {};
  float scale_[kInt8Columns] = {}, addend_[kInt8Columns] = {};
};

}  // namespace kinglet::kernels
