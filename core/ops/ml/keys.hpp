#pragma once
// Lookup of elements in a list: what LabelEncoder, OneHotEncoder and the vocabularies are made of.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "ops/op.hpp"

namespace kinglet::ops::ml {

inline constexpr size_t kNoKey = SIZE_MAX;

/// Keys of type T and where they stand in their list; found by binary search.
template <class T>
class SortedKeys {
 public:
  SortedKeys() = default;
  /// Of equal keys the last one is found.
  explicit SortedKeys(std::vector<T> keys) {
    keys_.reserve(keys.size());
    for (T& key : keys) keys_.emplace_back(std::move(key), keys_.size());
    std::sort(keys_.begin(), keys_.end());
    const auto same_key = [](const auto& a, const auto& b) { return a.first == b.first; };
    keys_.erase(keys_.begin(), std::unique(keys_.rbegin(), keys_.rend(), same_key).base());
  }

  size_t find(const T& key) const {
    const auto at = std::lower_bound(keys_.begin(), keys_.end(), key,
                                     [](const auto& entry, const T& wanted) { return entry.first < wanted; });
    return at != keys_.end() && at->first == key ? at->second : kNoKey;
  }

 private:
  std::vector<std::pair<T, size_t>> keys_;
};

/// Keys that are elements of a tensor: strings, integers, or floats (then every NaN is the same key, and -0
/// is 0).
class TensorKeys {
 public:
  TensorKeys() = default;
  explicit TensorKeys(const Tensor& keys);
  /// For each element of x its index in the list of keys, or kNoKey. Throws kModel when x has another type.
  std::vector<size_t> find(const Tensor& x) const;

 private:
  DType dtype_ = DType::kUndefined;
  SortedKeys<std::string> strings_;
  SortedKeys<int64_t> numbers_;
};

/// The one of the attributes {prefix}_strings, {prefix}_int64s, {prefix}_floats and {prefix}_tensor that is
/// there, as a vector; an invalid tensor when none is. Throws kModel when there are several.
Tensor list_attribute(const NodeView& n, const std::string& prefix);

struct MapParts {
  const Tensor &keys, &values;  ///< vectors of one length
};

/// Throws kModel when t is no map from keys to single elements.
MapParts map_parts(const Tensor& t);

Tensor vector_of(std::vector<std::string> values);
Tensor vector_of(std::vector<int64_t> values);

}  // namespace kinglet::ops::ml
