#pragma once
// What ScatterND and ScatterElements do with an element that is already there.

#include "ops/op.hpp"

namespace kinglet::ops {

enum class Reduction : uint8_t { kNone, kAdd, kMul, kMax, kMin };

/// The attribute `reduction`. Throws kModel for another name.
Reduction parse_reduction(const NodeView& n);

/// target[i] = target[i] (reduction) update[i] for `count` elements of one type.
using CombineFn = void (*)(void* target, const void* update, size_t count);

/// Throws kModel when the type has no such arithmetic.
CombineFn combine_fn(Reduction reduction, DType type);

}  // namespace kinglet::ops
