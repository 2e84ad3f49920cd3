#include "ops/ml/keys.hpp"

#include <bit>
#include <cmath>

#include "ops/convert.hpp"

namespace kinglet::ops::ml {
namespace {

/// Numbers as keys: integers as they are, floats by the bits of their double.
std::vector<int64_t> to_keys(const Tensor& t) {
  std::vector<int64_t> keys(t.count());
  if (!is_float(t.dtype())) {
    convert(t.dtype(), t.raw(), DType::kInt64, keys.data(), keys.size());
    return keys;
  }
  std::vector<double> values(t.count());
  convert(t.dtype(), t.raw(), DType::kFloat64, values.data(), values.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (std::isnan(values[i])) values[i] = NAN;
    if (values[i] == 0) values[i] = 0;  // -0
    keys[i] = std::bit_cast<int64_t>(values[i]);
  }
  return keys;
}

template <class T>
std::vector<size_t> find_all(const SortedKeys<T>& keys, std::span<const T> values) {
  std::vector<size_t> out;
  out.reserve(values.size());
  for (const T& value : values) out.push_back(keys.find(value));
  return out;
}

}  // namespace

TensorKeys::TensorKeys(const Tensor& keys) : dtype_(keys.dtype()) {
  if (dtype_ == DType::kString) {
    const auto values = keys.values<std::string>();
    strings_ = SortedKeys<std::string>({values.begin(), values.end()});
  } else {
    numbers_ = SortedKeys<int64_t>(to_keys(keys));
  }
}

std::vector<size_t> TensorKeys::find(const Tensor& x) const {
  if (x.dtype() != dtype_) throw_error(ErrorCode::kModel, "{} keys for {} elements", dtype_, x.dtype());
  if (dtype_ == DType::kString) return find_all(strings_, x.values<std::string>());
  return find_all<int64_t>(numbers_, to_keys(x));
}

MapParts map_parts(const Tensor& t) {
  const bool is_map = t.dtype() == DType::kMap && t.count() == 2;
  if (!is_map || is_container(t.items()[1].dtype()) || t.items()[0].count() != t.items()[1].count()) {
    throw_error(ErrorCode::kModel, "needs a map from keys to elements, got {}", t.dtype());
  }
  return {t.items()[0], t.items()[1]};
}

Tensor vector_of(std::vector<std::string> values) {
  return Tensor::from<std::string>({static_cast<int64_t>(values.size())}, values);
}

Tensor vector_of(std::vector<int64_t> values) {
  return Tensor::from<int64_t>({static_cast<int64_t>(values.size())}, values);
}

Tensor list_attribute(const NodeView& n, const std::string& prefix) {
  Tensor out;
  size_t found = 0;
  for (const std::string kind : {"_strings", "_int64s", "_floats", "_tensor"}) {
    const std::string name = prefix + kind;
    if (!n.has(name)) continue;
    ++found;
    if (kind == "_strings") {
      out = vector_of(n.attr_strings(name, {}));
    } else if (kind == "_int64s") {
      out = vector_of(n.attr_ints(name));
    } else if (kind == "_floats") {
      const std::vector<float> values = n.attr_floats(name, {});
      out = Tensor::from<float>({static_cast<int64_t>(values.size())}, values);
    } else {
      out = n.attr_tensor(name);
    }
  }
  if (found > 1) throw_error(ErrorCode::kModel, "only one of the attributes {}_* may be there", prefix);
  return out;
}

}  // namespace kinglet::ops::ml
