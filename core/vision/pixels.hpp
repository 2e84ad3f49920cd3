#pragma once
// Reading one pixel.

#include <cstdint>

namespace kinglet::vision {

/// RGBA bytes to blue, green, red in [0, 255], laid over white by alpha.
inline void load_bgr(const uint8_t* rgba, float* bgr) {
  const float alpha = static_cast<float>(rgba[3]) * (1.0f / 255);
  const float paper = 255 - 255 * alpha;
  bgr[0] = static_cast<float>(rgba[2]) * alpha + paper;
  bgr[1] = static_cast<float>(rgba[1]) * alpha + paper;
  bgr[2] = static_cast<float>(rgba[0]) * alpha + paper;
}

}  // namespace kinglet::vision
