#pragma once
// Conversion between numeric element types, and the four wide types in which most operators compute:
// float32 (also for the smaller float formats), float64, int64 (signed integers) and uint64 (unsigned ones and bool).
// One loop per wide type instead of one per element type keeps the binary small.

#include <cstddef>

#include "base/dtype.hpp"
#include "base/small_float.hpp"

namespace kinglet::ops {

/// The wide type of a numeric or bool type; throws kModel for another one.
DType wide_type(DType type);

/// Elements of a block that widen() and narrow() are called with, so that buffers fit the stack.
inline constexpr size_t kBlock = 256;

/// n elements of `type` as its wide type: `x` itself when it is wide already, else converted into `buffer`.
const void* widen(DType type, const void* x, void* buffer, size_t n);

/// n elements of the wide type of `type`, as `type`: integers keep their low bits, bool is 0 or 1, half types are
/// rounded to nearest even, smaller floats as `rounding` says. `y` may be `x`.
void narrow(DType type, const void* x, void* y, size_t n, SmallFloatRounding rounding = {});

/// n elements from one numeric or bool type to another, as ONNX Cast says: float to integer goes towards zero, NaN
/// gives 0, and what does not fit 32 bits (64 for the 64-bit types) saturates before the low bits are kept.
/// x and y do not overlap.
void convert(DType from, const void* x, DType to, void* y, size_t n, SmallFloatRounding rounding = {});

}  // namespace kinglet::ops
