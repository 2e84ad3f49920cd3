#include "ops/transformer/padding_mask.hpp"

#include <algorithm>

#include "ops/move.hpp"

namespace kinglet::ops {
namespace {

/// What the padding adds to key j of query i of batch b.
class Padding {
 public:
  Padding(const Tensor& mask, const AttentionCall& call, float hidden)
      : values_(mask), call_(call), hidden_(hidden) {
    const auto batch = static_cast<int64_t>(call.batch), keys = static_cast<int64_t>(call.keys);
    const Shape& s = mask.shape();
    ends_ = s.rank() == 1;
    begins_ = ends_ && s[0] == 2 * batch;
    by_query_ = s.rank() == 3;
    const bool fits =
        ends_ ? s[0] == batch || begins_
              : s == Shape{batch, keys} || s == Shape{batch, static_cast<int64_t>(call.queries), keys};
    Requires::require(fits, "a padding mask {} does not go with {} batches and {} keys", s, batch, keys);
  }

  bool by_query() const { return by_query_; }

  void add_to(float* row, size_t b, size_t i) const {
    const size_t start = by_query_ ? (b * call_.queries + i) * call_.keys : b * call_.keys;
    for (size_t j = 0; j < call_.keys; ++j) {
      const auto key = static_cast<int64_t>(j);
      const bool seen =
          ends_ ? key < values_[b] && (!begins_ || key >= values_[call_.batch + b]) : values_[start + j] != 0;
      if (!seen) row[j] += hidden_;
    }
  }

 private:
  Indices values_;
  const AttentionCall& call_;
  float hidden_;
  bool ends_ = false, begins_ = false, by_query_ = false;
};

}  // namespace

void set_mask(RunContext& c, AttentionCall& call, const Tensor* padding, float hidden, const Tensor* bias) {
  const float* added = nullptr;
  HeadStrides added_at;
  if (bias != nullptr) {
    c.require(bias->rank() == 4 && bias->dim(3) == static_cast<int64_t>(call.keys),
              "expected a bias for {} keys, got {}", call.keys, bias->shape());
    added_at = mask_strides(bias->shape(), call.batch, call.heads, call.queries);
    added = static_cast<const float*>(as_type(c, *bias, DType::kFloat32));
    call.mask = added;
    call.mask_at = added_at;
  }
  if (padding == nullptr) return;
  const Padding hides(*padding, call, hidden);
  const size_t heads = added_at.head != 0 ? call.heads : 1,
               rows = hides.by_query() || added_at.row != 0 ? call.queries : 1;
  const HeadStrides at = heads_first(heads, rows, call.keys);
  float* const mask = c.scratch<float>(call.batch * heads * rows * call.keys);
  for (size_t n = 0; n < call.batch * heads * rows; ++n) {
    const size_t i = n % rows, h = n / rows % heads, b = n / rows / heads;
    float* const row = mask + n * call.keys;
    if (added == nullptr) {
      std::fill_n(row, call.keys, 0.0f);
    } else {
      std::copy_n(added + static_cast<ptrdiff_t>(b) * added_at.batch +
                      static_cast<ptrdiff_t>(h) * added_at.head + static_cast<ptrdiff_t>(i) * added_at.row,
                  call.keys, row);
    }
    hides.add_to(row, b, i);
  }
  call.mask = mask;
  call.mask_at = {at.batch, heads == 1 ? 0 : at.head, rows == 1 ? 0 : at.row};
}

}  // namespace kinglet::ops
