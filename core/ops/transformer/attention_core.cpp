#include "ops/transformer/attention_core.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/gemm.hpp"
#include "ops/move.hpp"
#include "ops/parallel.hpp"

namespace kinglet::ops {
namespace {

/// No position is beyond this, so that sums of three fit ptrdiff_t on any machine.
constexpr int64_t kFarthest = kernels::Attention::kUnbounded / 2;

ptrdiff_t bounded(int64_t position) {
  return static_cast<ptrdiff_t>(std::clamp<int64_t>(position, -kFarthest, kFarthest));
}

ptrdiff_t offset(const HeadStrides& at, size_t batch, size_t head) {
  return static_cast<ptrdiff_t>(batch) * at.batch + static_cast<ptrdiff_t>(head) * at.head;
}

/// The part of a call that the heads of one group of one batch are.
kernels::Attention group_of(const AttentionCall& call, size_t b, size_t group) {
  const size_t heads = call.heads / call.kv_heads, head = group * heads;
  const auto at = [](const void* p, ptrdiff_t i) { return static_cast<const float*>(p) + i; };
  kernels::Attention a;
  a.heads = heads;
  a.queries = call.queries;
  a.keys = call.keys;
  a.head_size = call.head_size;
  a.value_size = call.value_size;
  a.q = at(call.q, offset(call.q_at, b, head));
  a.k = at(call.k, offset(call.k_at, b, group));
  a.v = at(call.v, offset(call.v_at, b, group));
  a.y = static_cast<float*>(call.y) + offset(call.y_at, b, head);
  a.q_head = call.q_at.head;
  a.q_row = call.q_at.row;
  a.k_row = call.k_at.row;
  a.v_row = call.v_at.row;
  a.y_head = call.y_at.head;
  a.y_row = call.y_at.row;
  if (call.mask != nullptr) {
    a.mask = at(call.mask, offset(call.mask_at, b, head));
    a.mask_head = call.mask_at.head;
    a.mask_row = call.mask_at.row;
  }
  a.scale = static_cast<float>(call.scale);
  a.softcap = static_cast<float>(call.softcap);
  const auto key = [&](std::span<const int64_t> keys, size_t otherwise) {
    return keys.empty()
               ? otherwise
               : static_cast<size_t>(std::clamp<int64_t>(keys[b], 0, static_cast<int64_t>(call.keys)));
  };
  a.first_key = key(call.first_keys, 0);
  a.last_key = std::min(key(call.last_keys, call.keys), call.mask_keys);
  const ptrdiff_t position = call.positions.empty() ? 0 : bounded(call.positions[b]);
  if (call.left >= 0) a.low = position - bounded(call.left);
  if (call.right >= 0) a.high = position + bounded(call.right) + 1;
  if (call.sinks != nullptr) a.sinks = call.sinks + head;
  if (call.scores != nullptr) {
    const size_t matrix = call.queries * call.keys;
    a.scores = static_cast<float*>(call.scores) + (b * call.heads + head) * matrix;
    a.scores_head = static_cast<ptrdiff_t>(matrix);
    a.stage = call.stage;
  }
  return a;
}

/// One row of float64: `s` is room for the scores of all keys.
void attend_row(const AttentionCall& call, const kernels::Attention& range, size_t b, size_t head, size_t i,
                double* s) {
  using Stage = kernels::Attention::Stage;
  const size_t group = head / (call.heads / call.kv_heads);
  const auto row = [&](const void* p, const HeadStrides& at, size_t h, size_t r) {
    return static_cast<const double*>(p) + offset(at, b, h) + static_cast<ptrdiff_t>(r) * at.row;
  };
  double* const kept = call.scores == nullptr ? nullptr
                                              : static_cast<double*>(call.scores) +
                                                    ((b * call.heads + head) * call.queries + i) * call.keys;
  const auto keep = [&](Stage stage, size_t j) {
    if (kept != nullptr && call.stage == stage) kept[j] = s[j];
  };
  const double* const q = row(call.q, call.q_at, head, i);
  const double* const mask = call.mask == nullptr ? nullptr : row(call.mask, call.mask_at, head, i);
  constexpr double kHidden = -std::numeric_limits<double>::infinity();
  double most = kHidden;
  for (size_t j = 0; j < call.keys; ++j) {
    const double* const k = row(call.k, call.k_at, group, j);
    double sum = 0;
    for (size_t d = 0; d < call.head_size; ++d) sum += q[d] * k[d];
    s[j] = sum * call.scale;
    keep(Stage::kScaled, j);
    if (call.softcap != 0) s[j] = call.softcap * std::tanh(s[j] / call.softcap);
    keep(Stage::kCapped, j);
    const auto away = static_cast<ptrdiff_t>(j) - static_cast<ptrdiff_t>(i);
    const bool seen = j >= range.first_key && j < range.last_key && away >= range.low && away < range.high;
    const double bias = !seen ? kHidden : mask != nullptr ? mask[j] : 0.0;
    s[j] = bias == kHidden ? bias : s[j] + bias;
    keep(Stage::kMasked, j);
    if (s[j] > most) most = s[j];
  }
  double total = 0;
  for (size_t j = 0; j < call.keys; ++j) total += s[j] = std::exp(s[j] - (most == kHidden ? 0 : most));
  double* const y =
      static_cast<double*>(call.y) + offset(call.y_at, b, head) + static_cast<ptrdiff_t>(i) * call.y_at.row;
  std::fill_n(y, call.value_size, 0.0);
  for (size_t j = 0; j < call.keys; ++j) {
    if (total != 0) s[j] /= total;
    keep(Stage::kProbabilities, j);
    if (s[j] == 0) continue;
    const double* const v = row(call.v, call.v_at, group, j);
    for (size_t d = 0; d < call.value_size; ++d) y[d] += s[j] * v[d];
  }
}

/// Parts that the queries of a group are cut into, so that there is something for each thread. Every part packs all keys
/// and values again: it should have many rows.
size_t query_parts(size_t threads, size_t groups, size_t queries) {
  constexpr size_t kLeastQueries = 96, kPartsPerThread = 3;
  if (threads == 1 || groups >= kPartsPerThread * threads) return 1;
  const size_t wanted = (kPartsPerThread * threads + groups - 1) / groups;
  return std::max<size_t>(1, std::min(wanted, queries / kLeastQueries));
}

/// The part of `a` that the queries from `first` on are.
kernels::Attention queries_of(kernels::Attention a, size_t first, size_t count) {
  const auto shift = static_cast<ptrdiff_t>(first);
  a.queries = count;
  a.q += shift * a.q_row;
  a.y += shift * a.y_row;
  if (a.mask != nullptr) a.mask += shift * a.mask_row;
  if (a.scores != nullptr) a.scores += first * a.keys;
  if (a.low != -kernels::Attention::kUnbounded) a.low += shift;
  if (a.high != kernels::Attention::kUnbounded) a.high += shift;
  return a;
}

}  // namespace

HeadStrides heads_first(size_t heads, size_t rows, size_t size) {
  return {static_cast<ptrdiff_t>(heads * rows * size), static_cast<ptrdiff_t>(rows * size),
          static_cast<ptrdiff_t>(size)};
}

HeadStrides rows_first(size_t heads, size_t rows, size_t size, size_t packed) {
  const size_t row = heads * size * packed;
  return {static_cast<ptrdiff_t>(rows * row), static_cast<ptrdiff_t>(size), static_cast<ptrdiff_t>(row)};
}

void attend(RunContext& c, const AttentionCall& call) {
  if (call.batch * call.heads * call.queries == 0) return;
  if (call.type == DType::kFloat64) {
    double* const s = c.scratch<double>(call.keys);
    for (size_t b = 0; b < call.batch; ++b) {
      const kernels::Attention range = group_of(call, b, 0);
      for (size_t i = 0; i < call.heads * call.queries; ++i)
        attend_row(call, range, b, i / call.queries, i % call.queries, s);
    }
    return;
  }
  const kernels::Attention first = group_of(call, 0, 0);
  const ThreadScratch scratch = thread_scratch(c, kernels::attention_scratch_floats(first) * sizeof(float));
  const size_t groups = call.batch * call.kv_heads, parts = query_parts(threads(), groups, call.queries);
  const size_t queries = (call.queries + parts - 1) / parts;
  const size_t work = first.heads * queries * call.keys * (call.head_size + call.value_size);
  parallel(groups * parts, worth_a_thread(work), [&](size_t begin, size_t end, size_t worker) {
    for (size_t i = begin; i < end; ++i) {
      const size_t group = i / parts, query = i % parts * queries;
      if (query >= call.queries) continue;
      const kernels::Attention a = group_of(call, group / call.kv_heads, group % call.kv_heads);
      kernels::attention(queries_of(a, query, std::min(queries, call.queries - query)), scratch.as<float>(worker));
    }
  });
}

void weigh_values(RunContext& c, const AttentionCall& call, const void* weights) {
  const size_t packed_size = kernels::packed_b_size(call.keys, call.value_size);
  float* const packed = call.type == DType::kFloat32 ? c.scratch<float>(packed_size) : nullptr;
  for (size_t i = 0; i < call.batch * call.heads; ++i) {
    const size_t b = i / call.heads, head = i % call.heads;
    const ptrdiff_t from = offset(call.v_at, b, head / (call.heads / call.kv_heads)),
                    to = offset(call.y_at, b, head);
    if (call.type == DType::kFloat32) {
      kernels::pack_b(packed, call.keys, call.value_size, static_cast<const float*>(call.v) + from,
                      call.v_at.row, 1);
      kernels::gemm(call.queries, call.value_size, call.keys,
                    static_cast<const float*>(weights) + i * call.queries * call.keys,
                    static_cast<ptrdiff_t>(call.keys), packed, static_cast<float*>(call.y) + to,
                    call.y_at.row);
      continue;
    }
    for (size_t r = 0; r < call.queries; ++r) {
      const double* const w = static_cast<const double*>(weights) + (i * call.queries + r) * call.keys;
      double* const y = static_cast<double*>(call.y) + to + static_cast<ptrdiff_t>(r) * call.y_at.row;
      std::fill_n(y, call.value_size, 0.0);
      for (size_t j = 0; j < call.keys; ++j) {
        const double* const v =
            static_cast<const double*>(call.v) + from + static_cast<ptrdiff_t>(j) * call.v_at.row;
        for (size_t d = 0; d < call.value_size; ++d) y[d] += w[j] * v[d];
      }
    }
  }
}

const void* as_bias(RunContext& c, const Tensor& mask, DType type) {
  if (mask.dtype() != DType::kBool) return as_type(c, mask, type);
  const bool* const visible = mask.data<bool>();
  const auto fill = [&]<class T>(T* bias) {
    for (size_t i = 0; i < mask.count(); ++i)
      bias[i] = visible[i] ? T(0) : -std::numeric_limits<T>::infinity();
    return bias;
  };
  return type == DType::kFloat64 ? static_cast<const void*>(fill(c.scratch<double>(mask.count())))
                                 : static_cast<const void*>(fill(c.scratch<float>(mask.count())));
}

void write_cache(Tensor& cache, const void* fresh, const HeadStrides& at, size_t rows, size_t start,
                 std::span<const int64_t> starts) {
  const HeadStrides to = heads_first(static_cast<size_t>(cache.dim(1)), static_cast<size_t>(cache.dim(2)),
                                     static_cast<size_t>(cache.dim(3)));
  const auto width = static_cast<ptrdiff_t>(dtype_size(cache.dtype()));
  for (size_t b = 0; b < static_cast<size_t>(cache.dim(0)); ++b) {
    const int64_t first =
        std::clamp<int64_t>(starts.empty() ? static_cast<int64_t>(start) : starts[b], 0, cache.dim(2));
    const CopyAxis axes[] = {{cache.dim(1), to.head, at.head},
                             {std::min(static_cast<int64_t>(rows), cache.dim(2) - first), to.row, at.row},
                             {cache.dim(3), 1, 1}};
    copy_strided(cache.dtype(), axes, cache.raw() + (offset(to, b, 0) + first * to.row) * width,
                 static_cast<const std::byte*>(fresh) + offset(at, b, 0) * width);
  }
}

Tensor joined_cache(RunContext& c, size_t index, const Tensor* past, const Tensor& fresh,
                    const HeadStrides& at, const Shape& shape) {
  check_addressable(fresh.dtype(), shape);
  Tensor cache(
      fresh.dtype(), shape,
      c.wants(index) ? c.out(index).raw() : c.scratch<std::byte>(shape.count() * dtype_size(fresh.dtype())));
  const auto rows = static_cast<size_t>(shape[2]), heads = static_cast<size_t>(shape[1]),
             size = static_cast<size_t>(shape[3]);
  const size_t before = past == nullptr ? 0 : static_cast<size_t>(past->dim(2));
  if (past != nullptr) write_cache(cache, past->raw(), heads_first(heads, before, size), before, 0);
  write_cache(cache, fresh.raw(), at, rows - before, before);
  return cache;
}

HeadStrides mask_strides(const Shape& mask, size_t batch, size_t heads, size_t queries) {
  const size_t wanted[] = {batch, heads, queries};
  ptrdiff_t strides[3] = {};
  bool fits = mask.rank() >= 1 && mask.rank() <= 4;
  size_t stride = fits ? static_cast<size_t>(mask.back()) : 0;
  for (size_t i = 3; fits && i-- > 0;) {
    if (i + mask.rank() < 4) break;
    const auto own = static_cast<size_t>(mask[i + mask.rank() - 4]);
    fits = own == wanted[i] || own == 1;
    strides[i] = own == 1 ? 0 : static_cast<ptrdiff_t>(stride);
    stride *= own;
  }
  Requires::require(fits, "mask {} does not broadcast to [{},{},{},keys]", mask, batch, heads, queries);
  return {strides[0], strides[1], strides[2]};
}

}  // namespace kinglet::ops
