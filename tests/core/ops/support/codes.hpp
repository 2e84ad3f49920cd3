#pragma once
// Weights of 8 bits for the tests of quantized operators.

#include "ops/support/test_tensors.hpp"

namespace kinglet::test {

/// Codes that spread over the range of int8 or uint8.
inline Tensor spread(DType type, const Shape& shape, int64_t step) {
  std::vector<double> values;
  for (size_t i = 0; i < shape.count(); ++i) {
    const auto code = static_cast<int64_t>(i) * step % 256;
    values.push_back(static_cast<double>(type == DType::kInt8 ? code - 128 : code));
  }
  return make(type, shape, values);
}

}  // namespace kinglet::test
