#pragma once
// Tensors along one axis: put together, and cut.

#include <span>

#include "ops/op.hpp"

namespace kinglet::ops {

/// out = the parts joined along `axis`; the other dims and the types are equal.
void join(std::span<const Tensor* const> parts, size_t axis, Tensor& out);

/// out = the part of `in` that starts at index `begin` of `axis` and is as long as out's dim there.
void cut(const Tensor& in, size_t axis, size_t begin, Tensor& out);

}  // namespace kinglet::ops
