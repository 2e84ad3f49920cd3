#pragma once
// What convolutions and poolings share: kernel, strides, dilations, pads, auto_pad (ONNX Conv, ConvTranspose, *Pool),
// and where the channels of an image are.

#include "kernels/conv.hpp"
#include "ops/op.hpp"

namespace kinglet::ops {

struct Spatial {
  enum class AutoPad : uint8_t { kNotSet, kValid, kSameUpper, kSameLower };
  std::vector<int64_t> kernel;                   ///< empty: take the weights' dims
  std::vector<int64_t> strides, dilations, pads;  ///< empty: ones, ones, zeros; pads are begins, then ends
  AutoPad auto_pad = AutoPad::kNotSet;
  bool ceil_mode = false;
  bool channels_last = false;

  int64_t stride(size_t i) const { return strides.empty() ? 1 : strides[i]; }
  int64_t dilation(size_t i) const { return dilations.empty() ? 1 : dilations[i]; }
  /// Size of the dilated kernel along dim i.
  int64_t reach(size_t i) const { return (kernel[i] - 1) * dilation(i) + 1; }
};

/// Reads the attributes; throws kModel when lengths differ or a number is out of range.
Spatial parse_spatial(const NodeView& n);

/// Sets the kernel from weights [_, _, k...] where the attribute was not given; throws kShape where the two differ or
/// the attributes' lengths are not `rank`.
Spatial with_kernel(const Spatial& s, size_t rank, std::span<const int64_t> weights_kernel);

/// Begin and end pads of dim i, auto_pad resolved.
struct Pads {
  int64_t begin = 0, end = 0;
};
Pads pads_of(const Spatial& s, size_t i, int64_t in);

/// Output size of dim i; throws kShape when the kernel does not fit.
int64_t output_size(const Spatial& s, size_t i, int64_t in);

/// An image's dims apart: [batch, channels, size...] from [N, C, ...] or, channels_last, [N, ..., C].
struct ImageDims {
  Dim batch, channels;
  std::vector<Dim> size;
};
ImageDims split_image(const SymShape& shape, bool channels_last);
SymShape join_image(const ImageDims& dims, bool channels_last);

/// split_image for known dims, in the terms of the kernels. Throws kShape when rank is not 3 to 5.
struct Image {
  size_t batch = 1, channels = 0, rank = 0, pixels = 1;
  kernels::SpatialSizes size = {1, 1, 1};
};
Image image_of(const Shape& shape, bool channels_last);

}  // namespace kinglet::ops
