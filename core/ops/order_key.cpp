#include "ops/order_key.hpp"

#include <algorithm>
#include <bit>

#include "ops/convert.hpp"

namespace kinglet::ops {

uint64_t order_key(DType type, const std::byte* element) {
  const DType wide = wide_type(type);
  if (wide == DType::kFloat32 || wide == DType::kFloat64) {
    double value;
    convert(type, element, DType::kFloat64, &value, 1);
    if (value != value) return UINT64_MAX;
    const auto bits = std::bit_cast<uint64_t>(value + 0.0);  // + 0.0 makes -0 equal to 0
    return bits >> 63 != 0 ? ~bits : bits | (uint64_t{1} << 63);
  }
  uint64_t bits;
  convert(type, element, DType::kUint64, &bits, 1);
  return wide == DType::kInt64 ? bits ^ (uint64_t{1} << 63) : bits;
}

void sort_indices(std::span<size_t> indices, IndexLess less, const void* context) {
  std::sort(indices.begin(), indices.end(), [&](size_t a, size_t b) {
    if (less(context, a, b)) return true;
    return !less(context, b, a) && a < b;
  });
}

}  // namespace kinglet::ops
