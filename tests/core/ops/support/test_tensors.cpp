#include "ops/support/test_tensors.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "ops/convert.hpp"

namespace kinglet::test {
namespace {

template <class T>
Tensor from_list(const Shape& shape, std::initializer_list<T> values) {
  return Tensor::from<T>(shape, std::span(values.begin(), values.size()));
}

}  // namespace

Tensor make(DType dtype, const Shape& shape, const std::vector<double>& values) {
  Tensor t(dtype, shape);
  if (t.count() != values.size()) throw std::logic_error("make: the values do not fill the shape");
  if (is_small_float(dtype) || packed_per_byte(dtype) > 1) {
    ops::convert(DType::kFloat64, values.data(), dtype, t.raw(), values.size());
    return t;
  }
  dispatch(dtype, NumericAndBoolTypes{}, [&]<class T>() {
    for (size_t i = 0; i < values.size(); ++i) {
      if constexpr (std::is_arithmetic_v<T>) {
        t.data<T>()[i] = static_cast<T>(values[i]);
      } else {
        t.data<T>()[i] = T(static_cast<float>(values[i]));
      }
    }
  });
  return t;
}

Tensor f32(const Shape& shape, std::initializer_list<float> values) { return from_list(shape, values); }
Tensor f64(const Shape& shape, std::initializer_list<double> values) { return from_list(shape, values); }
Tensor i32(const Shape& shape, std::initializer_list<int32_t> values) { return from_list(shape, values); }
Tensor i64(const Shape& shape, std::initializer_list<int64_t> values) { return from_list(shape, values); }
Tensor u8(const Shape& shape, std::initializer_list<uint8_t> values) { return from_list(shape, values); }
Tensor boolean(const Shape& shape, std::initializer_list<bool> values) { return from_list(shape, values); }
Tensor strings(const Shape& shape, std::initializer_list<std::string> values) { return from_list(shape, values); }

Tensor iota(const Shape& shape, float first, float step) {
  Tensor t(DType::kFloat32, shape);
  for (size_t i = 0; i < t.count(); ++i) t.data<float>()[i] = first + step * static_cast<float>(i);
  return t;
}

std::vector<double> to_doubles(const Tensor& t) {
  std::vector<double> out;
  if (is_small_float(t.dtype()) || packed_per_byte(t.dtype()) > 1) {
    out.resize(t.count());
    ops::convert(t.dtype(), t.raw(), DType::kFloat64, out.data(), out.size());
    return out;
  }
  dispatch(t.dtype(), NumericAndBoolTypes{}, [&]<class T>() {
    for (const T& v : t.values<T>()) out.push_back(static_cast<double>(v));
  });
  return out;
}

std::string difference(const Tensor& got, const Tensor& want, double tolerance) {
  if (got.dtype() != want.dtype()) return text("type {}, wanted {}", got.dtype(), want.dtype());
  if (got.shape() != want.shape()) return text("shape {}, wanted {}", got.shape(), want.shape());
  if (got.dtype() == DType::kString) {
    for (size_t i = 0; i < got.count(); ++i) {
      const std::string &a = got.data<std::string>()[i], &b = want.data<std::string>()[i];
      if (a != b) return text("[{}] = '{}', wanted '{}'", i, a, b);
    }
    return "";
  }
  if (got.dtype() == DType::kComplex64 || got.dtype() == DType::kComplex128) {
    return std::memcmp(got.raw(), want.raw(), got.bytes()) == 0 ? "" : "complex elements differ";
  }
  if (got.dtype() == DType::kInt64 || got.dtype() == DType::kUint64) {
    for (size_t i = 0; i < got.count(); ++i) {
      const auto a = reinterpret_cast<const int64_t*>(got.raw())[i], b = reinterpret_cast<const int64_t*>(want.raw())[i];
      if (a != b) return text("[{}] = {}, wanted {}", i, a, b);
    }
    return "";
  }
  const std::vector<double> a = to_doubles(got), b = to_doubles(want);
  for (size_t i = 0; i < a.size(); ++i) {
    if ((std::isnan(a[i]) && std::isnan(b[i])) || a[i] == b[i]) continue;
    if (!(std::abs(a[i] - b[i]) <= tolerance * std::max(1.0, std::abs(b[i])))) {
      return text("[{}] = {}, wanted {}", i, a[i], b[i]);
    }
  }
  return "";
}

}  // namespace kinglet::test
