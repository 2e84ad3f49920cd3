#pragma once
// Elements of any numeric type brought to one order, and indices sorted by what they stand for.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/dtype.hpp"

namespace kinglet::ops {

/// An element as a number whose unsigned order is that of the elements: -0 is 0, NaN the greatest. Throws kModel when
/// the type is not numeric nor bool.
uint64_t order_key(DType type, const std::byte* element);

/// Sorts indices by less(context, a, b), a strict weak order; indices of equals by their number. One sort in the binary
/// for all who need one.
using IndexLess = bool (*)(const void* context, size_t a, size_t b);
void sort_indices(std::span<size_t> indices, IndexLess less, const void* context);

}  // namespace kinglet::ops
