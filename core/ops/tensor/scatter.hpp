#pragma once
// What ScatterND and ScatterElements do with an element that is already there.

#include "ops/op.hpp"

namespace kinglet::ops {

enum class Reduction : uint8_t { kNone, kAdd, kMul, kMax, kMin };

/// The attribute `reduction`. Throws kModel for another name.
Reduction parse_reduction(const NodeView& n);

/// target[i] = target[i] (reduction) update[i] for `count` elements. Sums and products of integers wrap
/// around, a NaN on either side stays. Throws kModel when the type has no arithmetic, unless the reduction is
/// kNone.
void combine(Reduction reduction, DType type, void* target, const void* update, size_t count);

}  // namespace kinglet::ops
