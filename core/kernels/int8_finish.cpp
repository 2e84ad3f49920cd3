#include "kernels/int8_finish.hpp"

namespace kinglet::kernels {

Int8Finish::Int8Finish(const Int8Epilogue& e, size_t column, size_t n, const int32_t* sums, int32_t a_zero)
    : output_(e.output), has_b_zero_(e.b_zero != nullptr), has_addend_(e.addend != nullptr),
      count_(std::min(n - column, kInt8Columns)), bias_(simd::rounding_bias(e.zero)) {
  const auto take = [&](auto* to, const auto* from) {
    for (size_t j = 0; j < kInt8Columns; ++j) to[j] = from != nullptr && j < count_ ? from[column + j] : 0;
  };
  take(b_zero_, e.b_zero);
  take(offset_, e.bias);
  take(scale_, e.scale);
  take(addend_, e.addend);
  for (size_t j = 0; sums != nullptr && j < kInt8Columns; ++j) {
    const uint32_t product = static_cast<uint32_t>(a_zero) * static_cast<uint32_t>(sums[column + j]);
    offset_[j] = static_cast<int32_t>(static_cast<uint32_t>(offset_[j]) - product);
  }
  const int32_t lowest = e.output == Int8Epilogue::Output::kInt8 ? -128 : 0;
  low_ = simd::splat(static_cast<float>(lowest - e.zero));
  high_ = simd::splat(static_cast<float>(lowest + 255 - e.zero));
}

void Int8Finish::store_rows(const simd::i32x4* sums, size_t rows, const int32_t* a_sums, void* c, ptrdiff_t index,
                            ptrdiff_t ldc) const {
  const bool floats = output_ == Int8Epilogue::Output::kFloat;
  if (count_ != kInt8Columns || has_b_zero_ || output_ == Int8Epilogue::Output::kInt32 || (has_addend_ && !floats)) {
    for (size_t r = 0; r < rows; ++r, sums += 2, index += ldc) {
      store_row(sums[0], sums[1], a_sums != nullptr ? a_sums[r] : 0, c, index);
    }
    return;
  }
  // Without asking at every row, and with the arrays in registers.
  using simd::f32x4;
  const simd::i32x4 offset[2] = {simd::load(offset_), simd::load(offset_ + 4)};
  const f32x4 scale[2] = {simd::load(scale_), simd::load(scale_ + 4)};
  // No fused multiply-add: both binaries round alike, to the same codes.
  const auto number = [&](size_t r, size_t j) KINGLET_INLINE_LAMBDA {
    return simd::to_float(simd::add(sums[r * 2 + j], offset[j])) * scale[j];
  };
  if (floats) {
    const f32x4 addend[2] = {simd::load(addend_), simd::load(addend_ + 4)};
    float* to = static_cast<float*>(c) + index;
    for (size_t r = 0; r < rows; ++r, to += ldc) {
      for (size_t j = 0; j < 2; ++j) simd::store(to + j * 4, number(r, j) + addend[j]);
    }
    return;
  }
  const auto code = [&](size_t r, size_t j) KINGLET_INLINE_LAMBDA {
    return simd::round_small(simd::clamp_above(simd::clamp_below(number(r, j), low_), high_), bias_);
  };
  uint8_t* to = static_cast<uint8_t*>(c) + index;
  if (output_ == Int8Epilogue::Output::kInt8) {
    for (size_t r = 0; r < rows; ++r, to += ldc) simd::store_codes<int8_t>(to, code(r, 0), code(r, 1));
  } else {
    for (size_t r = 0; r < rows; ++r, to += ldc) simd::store_codes<uint8_t>(to, code(r, 0), code(r, 1));
  }
}

}  // namespace kinglet::kernels
