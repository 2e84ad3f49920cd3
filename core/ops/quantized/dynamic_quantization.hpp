#pragma once
// uint8 quantization by a tensor's own range, as DynamicQuantizeLinear does it.

#include <cstddef>
#include <cstdint>

#include "kernels/quantize.hpp"

namespace kinglet::ops {

struct DynamicRange {
  float scale = 1;
  uint8_t zero = 0;
};

/// 0 is among the numbers that are represented exactly. Where all are 0, the scale is 1.
DynamicRange dynamic_range(kernels::Range range);
DynamicRange dynamic_range(const float* x, size_t n);

void quantize(const DynamicRange& range, const float* x, size_t n, uint8_t* codes);

}  // namespace kinglet::ops
