#pragma once
// Convolution of channels-last images as a matrix product over row pointers: no im2col buffer.
//
// Images lie as [batch, spatial..., channels] with 1 to 3 spatial dimensions. A *pixel* is one spatial
// position of one image, a *line* is all pixels along the last spatial dimension. A pixel's channels are
// contiguous; `*_stride` arguments are the floats from a pixel to the next, so an image can be a range of
// channels of a wider one.

#include <array>
#include <cstddef>

#include "kernels/gemm.hpp"

namespace kinglet::kernels {

inline constexpr size_t kMaxSpatialRank = 3;
using SpatialSizes = std::array<size_t, kMaxSpatialRank>;

/// The sizes of a convolution; only the first `rank` entries of an array count, in the order of the ONNX
/// attributes. Nothing is checked here: the operator has validated that sizes, strides and dilations are not
/// 0, that `groups` divides both channel counts, and that no product of these overflows. Pads may be negative
/// (they crop).
struct ConvShape {
  size_t rank = 2;
  size_t batch = 1;
  size_t groups = 1;
  size_t in_channels = 0;
  size_t out_channels = 0;
  SpatialSizes in = {1, 1, 1};
  SpatialSizes out = {1, 1, 1};
  SpatialSizes kernel = {1, 1, 1};
  SpatialSizes stride = {1, 1, 1};
  SpatialSizes dilation = {1, 1, 1};
  std::array<ptrdiff_t, kMaxSpatialRank> pad_begin = {0, 0, 0};
  bool strassen = false;  ///< pointwise products go by kernels/strassen.hpp where they are large
};

/// Output lines and pixels of the whole batch: the ranges that calls can be split over.
size_t output_lines(const ConvShape& shape);
size_t output_pixels(const ConvShape& shape);

/// Whether pack_conv_weights gives one matrix after the other, each a group's filters as pack_b packs them transposed.
bool packs_as_matrices(const ConvShape& shape);

/// Floats that pack_conv_weights writes. Packing looks at rank, groups, channels and kernel.
size_t packed_conv_weights_size(const ConvShape& shape);

/// Packs weights [out_channels, in_channels / groups, kernel...] (the layout of ONNX Conv).
void pack_conv_weights(float* packed, const ConvShape& shape, const float* weights);

/// Bytes of scratch, aligned to 16, that a call of conv needs; each thread has its own.
size_t conv_scratch_bytes(const ConvShape& shape);

/// Computes output pixels [begin, end). `input` and `output` point at the first pixel of the batch; the
/// residual is laid out like the output, with its own stride.
void conv(const ConvShape& shape, const float* input, ptrdiff_t input_stride, const float* packed_weights,
          float* output, ptrdiff_t output_stride, const Epilogue& epilogue, void* scratch, size_t begin,
          size_t end);

}  // namespace kinglet::kernels
