#include "base/value_type.hpp"

#include <algorithm>

namespace kinglet {

std::string ValueType::text() const {
  const std::string inner = item != nullptr ? item->text() : "undefined";
  switch (kind) {
    case Kind::kTensor: return std::string(dtype_name(dtype));
    case Kind::kSequence: return "sequence(" + inner + ")";
    case Kind::kMap: return "map(" + std::string(dtype_name(dtype)) + ", " + inner + ")";
    case Kind::kOptional: return "optional(" + inner + ")";
    case Kind::kUnknown: break;
  }
  return "undefined";
}

bool ValueType::accepts(const Tensor& value) const {
  const auto fits_item = [&](const Tensor& t) { return item == nullptr || item->accepts(t); };
  switch (kind) {
    case Kind::kTensor: return !is_container(value.dtype()) && (dtype == DType::kUndefined || dtype == value.dtype());
    case Kind::kSequence: return value.dtype() == DType::kSequence && std::ranges::all_of(value.items(), fits_item);
    case Kind::kMap:
      if (value.dtype() != DType::kMap) return false;
      if (dtype != DType::kUndefined && value.items()[0].dtype() != dtype) return false;
      // Values of a map are scalars, kept together in one vector of their type.
      return fits_item(value.items()[1]);
    case Kind::kOptional: return value.dtype() == DType::kNone || fits_item(value);
    case Kind::kUnknown: break;
  }
  return true;
}

DType ValueType::stored() const {
  switch (kind) {
    case Kind::kTensor: return dtype;
    case Kind::kSequence: return DType::kSequence;
    case Kind::kMap: return DType::kMap;
    default: return DType::kUndefined;
  }
}

}  // namespace kinglet
