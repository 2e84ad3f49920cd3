#include "ops/quantized/dynamic_quantization.hpp"

#include <algorithm>
#include <cmath>

namespace kinglet::ops {

DynamicRange dynamic_range(kernels::Range range) {
  DynamicRange out;
  if (range.low == range.high) return out;
  out.scale = (range.high - range.low) / 255;
  const float zero = std::nearbyint(std::clamp(-range.low / out.scale, 0.0f, 255.0f));
  out.zero = static_cast<uint8_t>(std::isnan(zero) ? 0 : zero);
  return out;
}

DynamicRange dynamic_range(const float* x, size_t n) { return dynamic_range(kernels::range_with_zero(x, n)); }

void quantize(const DynamicRange& range, const float* x, size_t n, uint8_t* codes) {
  kernels::quantize(x, codes, n, range.scale, range.zero, 0, 255);
}

}  // namespace kinglet::ops
