#pragma once
// Resize of two neighbouring dims by nearest or plain linear interpolation in float32: what images need, by
// kernels.

#include <span>

#include "ops/op.hpp"
#include "ops/image/resize_axis.hpp"

namespace kinglet::ops {

/// `out` = `in` resized as `axes` say (see resize_filtered), or false when this is not such a case: nothing
/// is done then.
bool resize_image(const ResizeMode& mode, std::span<const ResizeAxis> axes, const Tensor& in, Tensor& out,
                  RunContext& c);

}  // namespace kinglet::ops
