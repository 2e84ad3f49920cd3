#pragma once
// Spatial sizes brought to three dimensions, and the walk over output positions. Internal to kernels/.

#include <array>
#include <cstddef>

#include "kernels/conv.hpp"

namespace kinglet::kernels {

/// Dimensions are aligned at the last one; the missing first ones have size 1. Signed, because pads move
/// positions below 0.
struct Geometry {
  using Sizes = std::array<ptrdiff_t, kMaxSpatialRank>;
  Sizes in = {1, 1, 1}, out = {1, 1, 1}, kernel = {1, 1, 1}, stride = {1, 1, 1}, dilation = {1, 1, 1},
        pad = {0, 0, 0};

  /// From a ConvShape or a PoolShape.
  template <class Shape>
  explicit Geometry(const Shape& shape) {
    for (size_t i = 0; i < shape.rank; ++i) {
      const size_t to = kMaxSpatialRank - shape.rank + i;
      in[to] = static_cast<ptrdiff_t>(shape.in[i]);
      out[to] = static_cast<ptrdiff_t>(shape.out[i]);
      kernel[to] = static_cast<ptrdiff_t>(shape.kernel[i]);
      stride[to] = static_cast<ptrdiff_t>(shape.stride[i]);
      dilation[to] = static_cast<ptrdiff_t>(shape.dilation[i]);
      pad[to] = shape.pad_begin[i];
    }
  }

  ptrdiff_t in_pixels() const { return in[0] * in[1] * in[2]; }
  ptrdiff_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
};

/// An output line of the batch.
struct Line {
  ptrdiff_t image, z, y;

  Line(const Geometry& g, size_t index) {
    const auto i = static_cast<ptrdiff_t>(index);
    y = i % g.out[1];
    z = i / g.out[1] % g.out[0];
    image = i / (g.out[1] * g.out[0]);
  }
};

/// The input line (as the index of its first pixel in the batch) under kernel row (kz, ky), or -1 in the
/// padding.
inline ptrdiff_t input_line(const Geometry& g, const Line& line, ptrdiff_t kz, ptrdiff_t ky) {
  const ptrdiff_t z = line.z * g.stride[0] - g.pad[0] + kz * g.dilation[0];
  const ptrdiff_t y = line.y * g.stride[1] - g.pad[1] + ky * g.dilation[1];
  if (z < 0 || z >= g.in[0] || y < 0 || y >= g.in[1]) return -1;
  return ((line.image * g.in[0] + z) * g.in[1] + y) * g.in[2];
}

constexpr ptrdiff_t ceil_div(ptrdiff_t a, ptrdiff_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }

}  // namespace kinglet::kernels
