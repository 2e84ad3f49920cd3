#pragma once
// The loops of the reductions: any set of dims of any numeric type, accumulated in float64 or 64-bit integers.

#include <array>

#include "base/tensor.hpp"

namespace kinglet::ops {

/// What is accumulated over the reduced elements.
enum class Fold : uint8_t { kSum, kSumAbs, kSumSquares, kProduct, kMax, kMin, kLogSumExp };
/// What the accumulated value becomes.
enum class Finish : uint8_t { kNone, kMean, kSqrt, kLog };

/// Which dims of a tensor are reduced.
using AxisSet = std::array<bool, kMaxRank>;

/// y = the fold of x over `axes`; y has the kept dims, in order (dims of 1 do not matter). No element gives the
/// identity: 0, 1, the type's least or greatest value; a mean of none is NaN, or 0 of an integer type.
void fold_tensor(Fold fold, Finish finish, const Tensor& x, const AxisSet& axes, Tensor& y);

}  // namespace kinglet::ops
