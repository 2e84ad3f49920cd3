#pragma once
// Elements of any numeric type brought to one order.

#include <cstddef>
#include <cstdint>

#include "base/dtype.hpp"

namespace kinglet::ops {

/// An element as a number whose unsigned order is that of the elements: -0 is 0, NaN the greatest. Throws kModel when
/// the type is not numeric nor bool.
uint64_t order_key(DType type, const std::byte* element);

}  // namespace kinglet::ops
