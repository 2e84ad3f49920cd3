#pragma once
// Between f32 and codes of one byte: int8, uint8, and the 4 and 2 bit integers, which take a byte each in memory.

#include <cstddef>
#include <cstdint>

namespace kinglet::kernels {

/// y[i] = clamp(round(x[i] / scale) + zero, low, high), halves to even, as a byte. A NaN is taken as 0.
void quantize(const float* x, uint8_t* y, size_t n, float scale, int32_t zero, int32_t low, int32_t high);

/// y[i] = (x[i] - zero) * scale.
void dequantize(const void* x, bool is_signed, float* y, size_t n, float scale, int32_t zero);

/// Codes of 2, 4 or 8 bits, the first of a byte in its low bits, become a byte each: y[bytes * 8 / bits].
void unpack_codes(const uint8_t* x, size_t bits, uint8_t* y, size_t bytes);

/// An elementwise operation on codes of one signedness: y[i] = round(float result) as a code, saturated.
struct CodeArithmetic {
  bool is_signed = false;
  bool multiplies = false;
  int32_t a_zero = 0, b_zero = 0;       ///< of a product: (a - a_zero) * (b - b_zero) * a_factor + offset
  float a_factor = 1, b_factor = 1;     ///< of a sum: a * a_factor + b * b_factor + offset
  float offset = 0;                     ///< the zero point of y is in it
};
void code_arithmetic(const CodeArithmetic& op, const void* a, const void* b, void* y, size_t n);

/// Least and greatest number, 0 among them.
struct Range {
  float low = 0, high = 0;
};
Range range_with_zero(const float* x, size_t n);

}  // namespace kinglet::kernels
