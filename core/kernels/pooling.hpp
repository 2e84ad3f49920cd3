#pragma once
// Pooling of channels-last f32 images. Layout and terms: conv.hpp.

#include <array>
#include <cstddef>

#include "kernels/conv.hpp"

namespace kinglet::kernels {

/// The sizes of a pooling; only the first `rank` entries of an array count. `out` is what the operator has
/// computed (floor or ceil mode); a window may reach past `in + pad_end`.
struct PoolShape {
  size_t rank = 2;
  size_t batch = 1;
  size_t channels = 0;
  SpatialSizes in = {1, 1, 1};
  SpatialSizes out = {1, 1, 1};
  SpatialSizes kernel = {1, 1, 1};
  SpatialSizes stride = {1, 1, 1};
  SpatialSizes dilation = {1, 1, 1};
  std::array<ptrdiff_t, kMaxSpatialRank> pad_begin = {0, 0, 0};
  std::array<ptrdiff_t, kMaxSpatialRank> pad_end = {0, 0, 0};
};

size_t output_lines(const PoolShape& shape);

/// Computes output lines [begin, end). A window without any input pixel gives -inf.
void max_pool(const PoolShape& shape, const float* input, ptrdiff_t input_stride, float* output,
              ptrdiff_t output_stride, size_t begin, size_t end);

/// Computes output lines [begin, end). The divisor of a pixel counts the taps inside the input, or, with
/// `count_include_pad`, inside the input and its pads (never past them). A window without any such tap gives
/// 0.
void average_pool(const PoolShape& shape, bool count_include_pad, const float* input, ptrdiff_t input_stride,
                  float* output, ptrdiff_t output_stride, size_t begin, size_t end);

/// x[batch, pixels, channels] -> y[batch, channels], pixels > 0.
void global_max_pool(const float* x, ptrdiff_t x_stride, float* y, size_t batch, size_t pixels,
                     size_t channels);
void global_average_pool(const float* x, ptrdiff_t x_stride, float* y, size_t batch, size_t pixels,
                         size_t channels);

}  // namespace kinglet::kernels
