// GroupQueryAttention of com.microsoft - the attention of decoders: grouped heads, packed or separate
// projections, rotary embedding inside, a cache that grows or has room, a local window, softcap, and sinks.

#include <algorithm>
#include <cmath>

#include "kernels/normalize.hpp"
#include "ops/convert.hpp"
#include "ops/elementwise.hpp"
#include "ops/in_f32.hpp"
#include "ops/shape_inputs.hpp"
#include "ops/transformer/rotary.hpp"

namespace kinglet::ops {
namespace {

enum Input : size_t {
  kQuery,
  kKey,
  kValue,
  kPastKey,
  kPastValue,
  kLastKeys,
  kTotalLength,
  kCos,
  kSin,
  kPositions,
  kAttentionBias,
  kSinks,
  kKeyScale,
  kValueScale,
  kQueryNorm,
  kKeyNorm,
  kQueryLengths
};
enum Output : size_t { kY, kPresentKey, kPresentValue, kProducts };

struct GroupQueryAttention {
  int64_t heads, kv_heads;
  std::optional<float> scale;
  float softcap;
  int64_t window;
  bool is_causal, rotates, interleaved, has_smooth_softmax;
  int64_t products;  // 0: none, 1: before the softmax, 2: after
  float q_epsilon, k_epsilon;
};

GroupQueryAttention parse(const NodeView& n) {
  GroupQueryAttention op{};
  op.heads = n.attr_int("num_heads");
  op.kv_heads = n.attr_int("kv_num_heads");
  if (op.heads < 1 || op.kv_heads < 1 || op.heads > INT32_MAX || op.heads % op.kv_heads != 0) {
    throw_error(ErrorCode::kModel, "{} query heads do not share {} heads", op.heads, op.kv_heads);
  }
  const float scale = n.attr_float("scale", 0);
  if (scale != 0) op.scale = scale;
  op.softcap = n.attr_float("softcap", 0);
  op.window = n.attr_int("local_window_size", -1);
  op.is_causal = n.attr_int("causal", 1) != 0;
  op.rotates = n.attr_int("do_rotary", 0) != 0;
  op.interleaved = n.attr_int("rotary_interleaved", 0) != 0;
  op.has_smooth_softmax = n.attr_int("smooth_softmax", 0) > 0;
  op.products = n.attr_int("qk_output", 0);
  const float epsilon = n.attr_float("qk_norm_epsilon", 1e-6f);
  op.q_epsilon = n.attr_float("q_norm_epsilon", epsilon);
  op.k_epsilon = n.attr_float("k_norm_epsilon", epsilon);
  if (n.has_input(kKeyScale) || n.has_input(kValueScale) || n.attr_int("sliding_window_cache", 0) != 0) {
    throw_error(ErrorCode::kModel, "a quantized cache and sliding_window_cache are not supported");
  }
  if (n.has_input(kKey) != n.has_input(kValue) || n.has_input(kPastKey) != n.has_input(kPastValue) ||
      n.has_input(kQueryNorm) != n.has_input(kKeyNorm)) {
    throw_error(ErrorCode::kModel,
                "an input for keys is given without the one for values, or one norm without the other");
  }
  return op;
}

Dim head_size_of(const GroupQueryAttention& op, const SymShape& q, bool packed) {
  Requires::require(!q.has_rank() || q.rank() == 3, "expected a query of rank 3, got {}", q);
  if (!q.has_rank() || !q[2].known()) return {};
  const int64_t heads = packed ? op.heads + 2 * op.kv_heads : op.heads;
  Requires::require(q[2].value() % heads == 0, "{} does not divide into {} heads", q, heads);
  return q[2].value() / heads;
}

/// Rows of the present: room for all keys.
Dim present_rows(const InferContext& c) {
  Dim past = 0;
  if (c.has(kPastKey)) {
    const SymShape& s = c.shape(kPastKey);
    c.require(!s.has_rank() || s.rank() == 4, "expected a cache of rank 4, got {}", s);
    past = s.has_rank() ? s[2] : Dim();
  }
  const std::optional<std::vector<int64_t>> total = known_ints(c, kTotalLength);
  if (!past.known() || !total || total->empty()) return {};
  c.require(total->front() >= 0 && total->front() <= INT32_MAX, "a total length of {}", total->front());
  return std::max(past.value(), total->front());
}

void infer(const GroupQueryAttention& op, InferContext& c) {
  const TypeSet types = kFloats & ~type_set(DType::kFloat64);
  const DType type = common_type(c, kQuery, kPastValue + 1, types);
  for (const size_t i : {kCos, kSin, kAttentionBias, kSinks, kQueryNorm, kKeyNorm}) {
    if (c.has(i)) check_type(c.dtype(i), types);
  }
  const SymShape& q = c.shape(kQuery);
  const Dim size = head_size_of(op, q, !c.has(kKey)), batch = q.has_rank() ? q[0] : Dim(),
            rows = q.has_rank() ? q[1] : Dim();
  const SymShape present({batch, op.kv_heads, present_rows(c), size});
  c.out(kY, type, SymShape({batch, rows, size.known() ? Dim(multiply(size.value(), op.heads)) : Dim()}));
  c.out(kPresentKey, type, present);
  c.out(kPresentValue, type, present);
  const std::optional<std::vector<int64_t>> total = known_ints(c, kTotalLength);
  c.out(kProducts, type,
        SymShape({batch, op.heads, rows, total && !total->empty() ? Dim(total->front()) : Dim()}));
}

struct Sizes {
  size_t batch, rows, heads, kv_heads, head;
};

/// Rows [batch, rows, heads * head] of float32 under strides.
struct Rows {
  const float* data;
  HeadStrides at;
};

/// A head's norm and turn, where the model asks for them.
Rows embed(RunContext& c, const Sizes& s, size_t heads, Rows x, const float* norm, float epsilon,
           const Rotary* rotary, std::span<const int64_t> positions) {
  if (norm == nullptr && rotary == nullptr) return x;
  float* const y = c.scratch<float>(s.batch * s.rows * heads * s.head);
  const HeadStrides at = rows_first(heads, s.rows, s.head);
  if (norm != nullptr) {
    for (size_t i = 0; i < s.batch * s.rows * heads; ++i) {
      const size_t h = i % heads, row = i / heads;
      const float* const from =
          x.data + static_cast<ptrdiff_t>(row) * x.at.row + static_cast<ptrdiff_t>(h) * x.at.head;
      kernels::rms_norm(from, y + i * s.head, 1, s.head, norm, epsilon);
    }
    x = {y, at};
  }
  if (rotary != nullptr) rotate(*rotary, positions, s.batch, heads, s.rows, s.head, x.data, x.at, y, at);
  return {y, at};
}

/// The cache with the new rows, from row starts[b] on: output `index`, or in scratch.
Tensor extended_cache(RunContext& c, const Sizes& s, size_t past, size_t index, int64_t room,
                      const Rows& fresh, std::span<const int64_t> starts) {
  const DType type = c.in(kQuery).dtype();
  const Shape shape{static_cast<int64_t>(s.batch), static_cast<int64_t>(s.kv_heads), room,
                    static_cast<int64_t>(s.head)};
  check_addressable(type, shape);
  c.require(!c.wants(index) || c.out(index).shape() == shape, "caches of {} and {} differ in length",
            c.wants(index) ? c.out(index).shape() : shape, shape);
  Tensor cache(type, shape,
               c.wants(index) ? c.out(index).raw() : c.scratch<std::byte>(shape.count() * dtype_size(type)));
  const Tensor* const old = c.has(past) ? &c.in(past) : nullptr;
  const bool fits = old == nullptr || (old->rank() == 4 && old->dim(0) == shape[0] &&
                                       old->dim(1) == shape[1] && old->dim(3) == shape[3]);
  c.require(fits, "a cache {} does not go with {}", old == nullptr ? Shape() : old->shape(), shape);
  // What was there before the new rows, and zeros behind.
  const size_t row = s.head * dtype_size(type),
               before = old == nullptr ? 0 : static_cast<size_t>(old->dim(2)),
               after = static_cast<size_t>(room);
  for (size_t i = 0; i < s.batch * s.kv_heads; ++i) {
    const size_t kept = std::min(before, static_cast<size_t>(starts[i / s.kv_heads]));
    std::byte* const to = cache.raw() + i * after * row;
    if (kept > 0) std::copy_n(old->raw() + i * before * row, kept * row, to);
    std::fill_n(to + kept * row, (after - kept) * row, std::byte{0});
  }
  const void* rows = fresh.data;
  HeadStrides at = fresh.at;
  if (type != DType::kFloat32) {
    // Dense first, so that one conversion does.
    const size_t width = s.kv_heads * s.head, count = s.batch * s.rows;
    float* const dense = c.scratch<float>(count * width);
    for (size_t i = 0; i < count; ++i)
      std::copy_n(fresh.data + static_cast<ptrdiff_t>(i) * fresh.at.row, width, dense + i * width);
    std::byte* const narrow_rows = c.scratch<std::byte>(count * width * dtype_size(type));
    convert(DType::kFloat32, dense, type, narrow_rows, count * width);
    rows = narrow_rows;
    at = rows_first(s.kv_heads, s.rows, s.head);
  }
  write_cache(cache, rows, at, s.rows, 0, starts);
  return cache;
}

/// Where each batch's new rows begin and its keys end, and the position of each row.
struct Positions {
  std::vector<int64_t> starts, ends, rows;
};

Positions positions_of(RunContext& c, const Sizes& s, int64_t room) {
  Positions p;
  p.ends = to_int64s(c.in(kLastKeys));
  c.require(p.ends.size() == s.batch, "expected {} lengths, got {}", s.batch, c.in(kLastKeys).shape());
  std::vector<int64_t> lengths;
  if (c.has(kQueryLengths)) {
    lengths = to_int64s(c.in(kQueryLengths));
    c.require(lengths.size() == s.batch, "expected {} lengths, got {}", s.batch, c.in(kQueryLengths).shape());
  }
  for (size_t b = 0; b < s.batch; ++b) {
    c.require(p.ends[b] >= 0 && p.ends[b] < room, "a last key of {} does not fit a cache of {} rows",
              p.ends[b], room);
    ++p.ends[b];
    const int64_t most = std::min(static_cast<int64_t>(s.rows), p.ends[b]);
    const int64_t length = lengths.empty() ? most : lengths[b];
    c.require(length >= 0 && length <= most, "{} new rows of {} do not fit", length, p.ends[b]);
    p.starts.push_back(p.ends[b] - length);
  }
  for (size_t i = 0; i < s.batch * s.rows; ++i)
    p.rows.push_back(p.starts[i / s.rows] + static_cast<int64_t>(i % s.rows));
  return p;
}

/// The row of the rotary caches for each new row.
std::vector<int64_t> rotary_rows(RunContext& c, const Sizes& s, const Positions& p, int64_t cache_rows) {
  std::vector<int64_t> rows = p.rows;
  if (c.has(kPositions)) {
    const std::vector<int64_t> given = to_int64s(c.in(kPositions));
    c.require(!given.empty() && (given.size() == s.batch * s.rows || given.size() == 1),
              "positions {} do not go with {} rows", c.in(kPositions).shape(), s.rows);
    for (size_t i = 0; i < rows.size(); ++i)
      rows[i] = given.size() == rows.size() ? given[i] : add(given[0], static_cast<int64_t>(i % s.rows));
  }
  // Rows of padding have positions past the keys' end; any angle will do for them.
  for (size_t i = 0; i < rows.size(); ++i) {
    if (p.rows[i] >= p.ends[i / s.rows]) rows[i] = std::clamp<int64_t>(rows[i], 0, cache_rows - 1);
  }
  check_rows(rows, cache_rows);
  return rows;
}

void run(const GroupQueryAttention& op, RunContext& c) {
  const Tensor& query = c.in(kQuery);
  const bool packed = !c.has(kKey);
  Sizes s{static_cast<size_t>(query.dim(0)), static_cast<size_t>(query.dim(1)), static_cast<size_t>(op.heads),
          static_cast<size_t>(op.kv_heads),
          static_cast<size_t>(head_size_of(op, query.shape(), packed).value())};
  const size_t q_width = s.heads * s.head, kv_width = s.kv_heads * s.head;
  const auto rows_of = [&](const float* data, size_t width) {
    return Rows{data,
                {static_cast<ptrdiff_t>(s.rows * width), static_cast<ptrdiff_t>(s.head),
                 static_cast<ptrdiff_t>(width)}};
  };
  const float* const data = as_f32(c, query);
  const size_t width = packed ? q_width + 2 * kv_width : q_width;
  Rows q = rows_of(data, width), k, v;
  if (packed) {
    k = rows_of(data + q_width, width);
    v = rows_of(data + q_width + kv_width, width);
  } else {
    for (const size_t i : {kKey, kValue}) {
      const Shape wanted{query.dim(0), query.dim(1), static_cast<int64_t>(kv_width)};
      c.require(c.in(i).shape() == wanted, "expected keys and values {}, got {}", wanted, c.in(i).shape());
    }
    k = rows_of(as_f32(c, c.in(kKey)), kv_width);
    v = rows_of(as_f32(c, c.in(kValue)), kv_width);
  }

  const std::vector<int64_t> total = to_int64s(c.in(kTotalLength));
  c.require(total.size() == 1, "expected one total length, got {}", c.in(kTotalLength).shape());
  const int64_t room =
      std::max(total[0], c.has(kPastKey) && c.in(kPastKey).rank() == 4 ? c.in(kPastKey).dim(2) : 0);
  const Positions positions = positions_of(c, s, room);

  const auto norm_of = [&](size_t i) -> const float* {
    if (!c.has(i)) return nullptr;
    c.require(c.in(i).count() == s.head, "expected {} weights of a norm, got {}", s.head, c.in(i).shape());
    return as_f32(c, c.in(i));
  };
  std::optional<Rotary> rotary;
  std::vector<int64_t> turns;
  if (op.rotates) {
    rotary = rotary_of(c, c.in(kCos), c.in(kSin), s.head, op.interleaved);
    c.require(c.in(kCos).rank() == 2, "expected a rotary cache of rank 2, got {}", c.in(kCos).shape());
    turns = rotary_rows(c, s, positions, c.in(kCos).dim(0));
  }
  const Rotary* const turn = rotary ? &*rotary : nullptr;
  q = embed(c, s, s.heads, q, norm_of(kQueryNorm), op.q_epsilon, turn, turns);
  k = embed(c, s, s.kv_heads, k, norm_of(kKeyNorm), op.k_epsilon, turn, turns);
  const Tensor keys = extended_cache(c, s, kPastKey, kPresentKey, room, k, positions.starts);
  const Tensor values = extended_cache(c, s, kPastValue, kPresentValue, room, v, positions.starts);

  AttentionCall call;
  call.batch = s.batch;
  call.heads = s.heads;
  call.kv_heads = s.kv_heads;
  call.queries = s.rows;
  call.keys = static_cast<size_t>(room);
  call.head_size = call.value_size = s.head;
  call.q = q.data;
  call.q_at = q.at;
  call.k = as_f32(c, keys);
  call.v = as_f32(c, values);
  call.k_at = call.v_at = heads_first(s.kv_heads, call.keys, s.head);
  call.scale = op.scale ? static_cast<double>(*op.scale)
                        : 1 / std::sqrt(static_cast<double>(std::max<size_t>(1, s.head)));
  call.softcap = op.softcap > 0 ? static_cast<double>(op.softcap) : 0.0;
  call.positions = positions.starts;
  call.last_keys = positions.ends;
  if (op.is_causal) call.right = 0;
  if (op.window > 0) call.left = op.window - 1;
  if (c.has(kAttentionBias)) {
    const Tensor& bias = c.in(kAttentionBias);
    call.mask_at = mask_strides(bias.shape(), s.batch, s.heads, s.rows);
    c.require(bias.shape().back() >= *std::max_element(positions.ends.begin(), positions.ends.end()) ||
                  s.batch == 0,
              "a bias {} is too short", bias.shape());
    call.mask = as_f32(c, bias);
    call.mask_keys = static_cast<size_t>(bias.shape().back());
  }
  std::vector<float> zeros;
  if (c.has(kSinks)) {
    c.require(c.in(kSinks).count() == s.heads, "expected {} sinks, got {}", s.heads, c.in(kSinks).shape());
    call.sinks = as_f32(c, c.in(kSinks));
  } else if (op.has_smooth_softmax) {
    zeros.assign(s.heads, 0.0f);
    call.sinks = zeros.data();
  }
  F32Output out(c, c.out(kY));
  call.y = out.data();
  call.y_at = rows_first(s.heads, s.rows, s.head);
  float* const products = c.wants(kProducts) && op.products != 0
                              ? c.scratch<float>(s.batch * s.heads * s.rows * call.keys)
                              : nullptr;
  call.scores = products;
  call.stage =
      op.products == 1 ? kernels::Attention::Stage::kMasked : kernels::Attention::Stage::kProbabilities;
  attend(c, call);
  out.store();
  if (!c.wants(kProducts)) return;
  F32Output kept(c, c.out(kProducts));
  const auto columns = static_cast<size_t>(std::max<int64_t>(0, total[0]));
  for (size_t i = 0; i < s.batch * s.heads * s.rows; ++i) {
    for (size_t j = 0; j < columns; ++j) {
      const float product = products != nullptr ? products[i * call.keys + j] : 0.0f;
      kept.data()[i * columns + j] =
          std::isinf(product) && product < 0 ? 0.0f : product;  // a hidden key's is 0
    }
  }
  kept.store();
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", GroupQueryAttention,
              op<GroupQueryAttention, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
