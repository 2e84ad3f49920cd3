#pragma once
// Between f32 and codes of one byte: int8, uint8, and the 4 and 2 bit integers, which take a byte each in memory.

#include <cstddef>
#include <cstdint>

namespace kinglet::kernels {

/// y[i] = clamp(round(x[i] / scale) + zero, low, high), halves to even, as a byte. A NaN is taken as 0.
void quantize(const float* x, uint8_t* y, size_t n, float scale, int32_t zero, int32_t low, int32_t high);

/// y[i] = (x[i] - zero) * scale.
void dequantize(const void* x, bool is_signed, float* y, size_t n, float scale, int32_t zero);

/// Least and greatest number, 0 among them.
struct Range {
  float low = 0, high = 0;
};
Range range_with_zero(const float* x, size_t n);

}  // namespace kinglet::kernels
