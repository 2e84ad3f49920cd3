#pragma once
// What every attention operator comes down to: batches of heads under strides, keys and values shared by
// groups of heads, windows and caches. float32 runs on kernels/attention.hpp, float64 in plain loops.

#include "kernels/attention.hpp"
#include "ops/transformer/in_type.hpp"

namespace kinglet::ops {

/// Elements from a batch, head or row to the next.
struct HeadStrides {
  ptrdiff_t batch = 0, head = 0, row = 0;
};
/// Of [batch, heads, rows, size].
HeadStrides heads_first(size_t heads, size_t rows, size_t size);
/// Of [batch, rows, heads * size], or of `packed` such blocks in a row.
HeadStrides rows_first(size_t heads, size_t rows, size_t size, size_t packed = 1);

struct AttentionCall {
  DType type = DType::kFloat32;  ///< of all elements: float32 or float64
  size_t batch = 0, heads = 0, kv_heads = 0, queries = 0, keys = 0, head_size = 0, value_size = 0;
  const void *q = nullptr, *k = nullptr, *v = nullptr;
  void* y = nullptr;
  HeadStrides q_at, k_at, v_at, y_at;

  /// Added to the scores; a key past `mask_keys` is hidden.
  const void* mask = nullptr;
  HeadStrides mask_at;
  size_t mask_keys = SIZE_MAX;

  double scale = 1;
  double softcap = 0;
  /// Query i of batch b stands at key position positions[b] + i and sees `left` keys before it and `right`
  /// after it; negative: all. Where a span is empty, positions are 0 and all keys count.
  int64_t left = -1, right = -1;
  std::span<const int64_t> positions, first_keys, last_keys;
  const float* sinks = nullptr;  ///< a logit a head that has no value

  void* scores = nullptr;  ///< [batch, heads, queries, keys] of `stage`, where wanted
  kernels::Attention::Stage stage = kernels::Attention::Stage::kScaled;
};

void attend(RunContext& c, const AttentionCall& call);
/// The last part of it alone: call.y from weights [batch, heads, queries, keys].
void weigh_values(RunContext& c, const AttentionCall& call, const void* weights);

/// A mask of any type as what is added to scores: where bool, false becomes -inf and true 0.
const void* as_bias(RunContext& c, const Tensor& mask, DType type);

/// Writes rows [batch, heads, rows, size] under `at` into a cache [batch, heads, >= start + rows, size] from
/// row `start` on; rows past the cache's end are left out. `starts`, where not empty, holds a start for each
/// batch.
void write_cache(Tensor& cache, const void* fresh, const HeadStrides& at, size_t rows, size_t start,
                 std::span<const int64_t> starts = {});
/// The cache after the rows of `past` (may be null) and `fresh`: output `index` where it is wanted, else in
/// scratch.
Tensor joined_cache(RunContext& c, size_t index, const Tensor* past, const Tensor& fresh,
                    const HeadStrides& at, const Shape& shape);

/// The strides of a mask that broadcasts to [batch, heads, queries, keys]; throws kShape when it does not.
/// The last dim is the mask's own.
HeadStrides mask_strides(const Shape& mask, size_t batch, size_t heads, size_t queries);

}  // namespace kinglet::ops
