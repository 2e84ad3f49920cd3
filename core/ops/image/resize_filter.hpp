#pragma once
// Linear and cubic Resize of any dims, one dim after the other.

#include <span>

#include "ops/op.hpp"
#include "ops/image/resize_axis.hpp"

namespace kinglet::ops {

/// `out` = `in` resized as `axes` say: one for each dim, at least one resized; both tensors hold elements.
/// Outputs that lie outside of the input take `extrapolation`. Integers are computed in floating point and
/// rounded to the nearest. Throws kModel for strings and complex.
void resize_filtered(const ResizeMode& mode, std::span<const ResizeAxis> axes, float extrapolation,
                     const Tensor& in, Tensor& out, RunContext& c);

}  // namespace kinglet::ops
