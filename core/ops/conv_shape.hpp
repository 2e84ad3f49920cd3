#pragma once
// The shapes of a convolution (ONNX Conv, QLinearConv, ConvInteger).

#include "ops/spatial.hpp"

namespace kinglet::ops {

/// The output of images `x` and weights `w` [M, C / groups, kernel...]; throws kShape when the two do not fit.
SymShape convolved_shape(const Spatial& spatial, int64_t groups, const SymShape& x, const SymShape& w);

/// The kernels' view of it; `kernel` are the dims of the weights after their first two.
kernels::ConvShape conv_shape(const Spatial& spatial, int64_t groups, const Image& x, int64_t out_channels,
                              std::span<const int64_t> kernel);

/// What packing weights of shape `w` looks at, where nothing else is known. `spatial` has its kernel.
kernels::ConvShape conv_shape_for_packing(const Spatial& spatial, int64_t groups, const Shape& w);

}  // namespace kinglet::ops
