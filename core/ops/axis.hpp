#pragma once
// Operators along one axis: a tensor as [outer, n, inner].

#include "ops/op.hpp"

namespace kinglet::ops {

struct AxisView {
  size_t outer, n, inner;

  AxisView(const Shape& shape, size_t axis)
      : outer(shape.count(0, axis)), n(static_cast<size_t>(shape[axis])), inner(shape.count(axis + 1, shape.rank())) {}
};

/// Throws kShape unless `axis` fits a rank that is known.
inline void check_axis(const SymShape& shape, int64_t axis) {
  if (shape.has_rank()) normalize_axis(axis, shape.rank());
}

/// A PermuteFn body for the int attribute `axis`.
bool permute_axis(Node& node, std::span<const int64_t> perm, int64_t otherwise);

}  // namespace kinglet::ops
