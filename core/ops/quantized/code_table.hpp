#pragma once
// Functions of one 8 bit code, as a table of all 256.

#include <array>
#include <cmath>

#include "kernels/quantize.hpp"
#include "ops/quantized/quantization.hpp"

namespace kinglet::ops {

/// How codes of a type stand for numbers.
struct CodeScale {
  float scale = 1;
  int32_t zero = 0;
  bool is_signed = false;
};

/// From a scale input and the zero point input after it, for codes of `type`.
inline CodeScale code_scale(RunContext& c, size_t scale_input, DType type) {
  return {scale_of(c, scale_input), zero_of(c, scale_input + 1), is_signed_byte(type)};
}

inline void quantize(const CodeScale& to, const float* x, void* y, size_t n) {
  const int32_t low = to.is_signed ? -128 : 0;
  kernels::quantize(x, static_cast<uint8_t*>(y), n, to.scale, to.zero, low, low + 255);
}

inline void dequantize(const CodeScale& from, const void* x, float* y, size_t n) {
  kernels::dequantize(x, from.is_signed, y, n, from.scale, from.zero);
}

class CodeTable {
 public:
  /// The code under `to` of f(the number that a code means under `from`).
  template <class F>
  CodeTable(const CodeScale& from, const CodeScale& to, F f) {
    float numbers[256];
    for (size_t i = 0; i < 256; ++i) codes_[i] = static_cast<uint8_t>(i);
    dequantize(from, codes_.data(), numbers, 256);
    for (float& x : numbers) x = f(x);
    quantize(to, numbers, codes_.data(), 256);
  }

  /// y may be x.
  void apply(const void* x, void* y, size_t n) const {
    for (size_t i = 0; i < n; ++i) static_cast<uint8_t*>(y)[i] = codes_[static_cast<const uint8_t*>(x)[i]];
  }

 private:
  std::array<uint8_t, 256> codes_;
};

}  // namespace kinglet::ops
