#pragma once
// Tensors from values that a test writes down, and their comparison.

#include <initializer_list>
#include <string>
#include <vector>

#include "base/tensor.hpp"

namespace kinglet::test {

/// Tensors from a list of values, row-major; `make` rounds the values to any numeric type.
Tensor make(DType dtype, const Shape& shape, const std::vector<double>& values);
Tensor f32(const Shape& shape, std::initializer_list<float> values);
Tensor f64(const Shape& shape, std::initializer_list<double> values);
Tensor i32(const Shape& shape, std::initializer_list<int32_t> values);
Tensor i64(const Shape& shape, std::initializer_list<int64_t> values);
Tensor u8(const Shape& shape, std::initializer_list<uint8_t> values);
Tensor boolean(const Shape& shape, std::initializer_list<bool> values);
Tensor strings(const Shape& shape, std::initializer_list<std::string> values);
/// float32 values first, first + step, ...
Tensor iota(const Shape& shape, float first = 0, float step = 1);

/// "" when type, shape and elements agree, else what differs first. Numbers may differ by
/// tolerance * max(1, |want|); NaN agrees with NaN.
std::string difference(const Tensor& got, const Tensor& want, double tolerance = 0);

/// The elements of a numeric or bool tensor as doubles (int64 beyond 2^53 loses bits).
std::vector<double> to_doubles(const Tensor& t);

}  // namespace kinglet::test
