// Attention - scaled dot-product attention of 3-D or 4-D inputs with grouped heads, masks, windows, and a
// cache that is the operator's own (past and present) or the model's (nonpad_kv_seqlen) (ONNX Attention 23,
// 24, 25). With mask_broadcasts, which the pass fuse_attention sets, a mask of one key stands for all keys.

#include <algorithm>
#include <cmath>

#include "ops/elementwise.hpp"
#include "ops/shape_inputs.hpp"
#include "ops/transformer/attention_core.hpp"

namespace kinglet::ops {
namespace {

enum Input : size_t { kQ, kK, kV, kMask, kPastKey, kPastValue, kNonpadKeys };
enum Output : size_t { kY, kPresentKey, kPresentValue, kScores };

struct Attention {
  int64_t q_heads = 0, kv_heads = 0;  // of 3-D inputs
  std::optional<float> scale;
  float softcap = 0;
  int64_t left = -1, right = -1;
  bool is_causal = false;
  int64_t scores_stage = 0;
  bool mask_broadcasts = false;
};

Attention parse(const NodeView& n) {
  Attention op;
  op.q_heads = n.attr_int("q_num_heads", 0);
  op.kv_heads = n.attr_int("kv_num_heads", 0);
  if (n.has("scale")) op.scale = n.attr_float("scale");
  op.softcap = n.attr_float("softcap", 0);
  op.left = n.attr_int("left_window_size", -1);
  op.right = n.attr_int("right_window_size", -1);
  op.is_causal = n.attr_int("is_causal", 0) != 0;
  op.scores_stage = n.attr_int("qk_matmul_output_mode", 0);
  op.mask_broadcasts = n.attr_int("mask_broadcasts", 0) != 0;
  if (op.scores_stage < 0 || op.scores_stage > 3) {
    throw_error(ErrorCode::kModel, "attribute '{}' is {}", "qk_matmul_output_mode", op.scores_stage);
  }
  if (n.has_input(kPastKey) != n.has_input(kPastValue)) {
    throw_error(ErrorCode::kModel, "past_key and past_value are given together or not at all");
  }
  return op;
}

/// [batch, heads, rows, size] of an input in either form.
SymShape split_heads(const SymShape& s, int64_t heads) {
  if (!s.has_rank()) return SymShape::of_rank(4);
  if (s.rank() == 4) return s;
  Requires::require(s.rank() == 3 && heads > 0, "expected rank 4, or 3 with the number of heads, got {}", s);
  Requires::require(!s[2].known() || s[2].value() % heads == 0, "{} does not divide into {} heads", s, heads);
  return SymShape({s[0], heads, s[1], s[2].known() ? Dim(s[2].value() / heads) : Dim()});
}

/// `past` more rows than `fresh`.
SymShape joined_shape(const InferContext& c, const SymShape& fresh, size_t past) {
  SymShape joined = fresh;
  if (!c.has(past)) return joined;
  const SymShape& before = c.shape(past);
  c.require(!before.has_rank() || before.rank() == 4, "expected a cache of rank 4, got {}", before);
  const bool known = before.has_rank() && before[2].known() && fresh[2].known();
  joined[2] = known ? Dim(add(before[2].value(), fresh[2].value())) : Dim();
  return joined;
}

void infer(const Attention& op, InferContext& c) {
  for (const size_t i : {kQ, kK, kV}) check_type(c.dtype(i), kFloats);
  const SymShape q = split_heads(c.shape(kQ), op.q_heads);
  const SymShape k = split_heads(c.shape(kK), op.kv_heads), v = split_heads(c.shape(kV), op.kv_heads);
  const SymShape present_k = joined_shape(c, k, kPastKey), present_v = joined_shape(c, v, kPastValue);
  SymShape y;
  if (c.shape(kQ).has_rank() && c.shape(kQ).rank() == 4) {
    y = SymShape({q[0], q[1], q[2], v[3]});
  } else if (c.shape(kQ).has_rank()) {
    y = SymShape({q[0], q[2], v[3].known() ? Dim(multiply(v[3].value(), op.q_heads)) : Dim()});
  }
  c.out(kY, c.dtype(kQ), y);
  c.out(kPresentKey, c.dtype(kK), present_k);
  c.out(kPresentValue, c.dtype(kV), present_v);
  c.out(kScores, c.dtype(kQ), SymShape({q[0], q[1], q[2], present_k[2]}));
}

struct Heads {
  Shape shape;  // [batch, heads, rows, size]
  HeadStrides at;
};

Heads heads_of(const Tensor& t, int64_t heads) {
  const Shape s = split_heads(t.shape(), heads).concrete();
  const auto n = static_cast<size_t>(s[1]), rows = static_cast<size_t>(s[2]),
             size = static_cast<size_t>(s[3]);
  return {s, t.rank() == 4 ? heads_first(n, rows, size) : rows_first(n, rows, size)};
}

/// Keys or values with what came before them.
struct Cache {
  Shape shape;
  HeadStrides at;
  const void* data;
};

Cache cache_of(RunContext& c, size_t input, size_t past, size_t output, const Heads& heads, DType type) {
  const Tensor& fresh = c.in(input);
  if (!c.has(past) && !c.wants(output)) return {heads.shape, heads.at, as_type(c, fresh, type)};
  Shape shape = heads.shape;
  if (c.has(past)) {
    const Tensor& before = c.in(past);
    const bool fits = before.dtype() == fresh.dtype() && before.rank() == 4 && before.dim(0) == shape[0] &&
                      before.dim(1) == shape[1] && before.dim(3) == shape[3];
    c.require(fits, "a cache {} {} does not go with {}", before.dtype(), before.shape(), shape);
    shape[2] = add(shape[2], before.dim(2));
  }
  const Tensor joined = joined_cache(c, output, c.has(past) ? &c.in(past) : nullptr, fresh, heads.at, shape);
  const HeadStrides at = heads_first(static_cast<size_t>(shape[1]), static_cast<size_t>(shape[2]),
                                     static_cast<size_t>(shape[3]));
  return {shape, at, as_type(c, joined, type)};
}

/// Rows of one key become rows of `keys` times that.
const void* spread_mask(RunContext& c, const float* mask, size_t rows, size_t keys) {
  float* const spread = c.scratch<float>(rows * keys);
  for (size_t i = 0; i < rows; ++i) std::fill_n(spread + i * keys, keys, mask[i]);
  return spread;
}

void run(const Attention& op, RunContext& c) {
  const Tensor& query = c.in(kQ);
  const Heads q = heads_of(query, op.q_heads), k = heads_of(c.in(kK), op.kv_heads),
              v = heads_of(c.in(kV), op.kv_heads);
  const bool fits = q.shape[0] == k.shape[0] && k.shape[0] == v.shape[0] && k.shape[1] == v.shape[1] &&
                    k.shape[2] == v.shape[2] && q.shape[3] == k.shape[3] && k.shape[1] > 0 &&
                    q.shape[1] % k.shape[1] == 0;
  c.require(fits, "query {}, key {} and value {} do not go together", q.shape, k.shape, v.shape);

  AttentionCall call;
  call.type = computing_type(query.dtype());
  const Cache keys = cache_of(c, kK, kPastKey, kPresentKey, k, call.type);
  const Cache values = cache_of(c, kV, kPastValue, kPresentValue, v, call.type);
  c.require(keys.shape[2] == values.shape[2], "caches {} and {} differ in length", keys.shape, values.shape);
  call.batch = static_cast<size_t>(q.shape[0]);
  call.heads = static_cast<size_t>(q.shape[1]);
  call.kv_heads = static_cast<size_t>(k.shape[1]);
  call.queries = static_cast<size_t>(q.shape[2]);
  call.keys = static_cast<size_t>(keys.shape[2]);
  call.head_size = static_cast<size_t>(q.shape[3]);
  call.value_size = static_cast<size_t>(v.shape[3]);
  call.q = as_type(c, query, call.type);
  call.q_at = q.at;
  call.k = keys.data;
  call.k_at = keys.at;
  call.v = values.data;
  call.v_at = values.at;
  call.scale = op.scale ? static_cast<double>(*op.scale)
                        : 1 / std::sqrt(static_cast<double>(std::max<size_t>(1, call.head_size)));
  call.softcap = op.softcap > 0 ? static_cast<double>(op.softcap) : 0.0;
  call.left = op.left;
  call.right = op.is_causal ? (op.right < 0 ? 0 : std::min<int64_t>(0, op.right)) : op.right;

  if (c.has(kMask)) {
    const Tensor& mask = c.in(kMask);
    Shape shape = mask.shape();
    call.mask = as_bias(c, mask, call.type);
    const bool spreads = op.mask_broadcasts && call.type == DType::kFloat32;
    if (spreads && shape.rank() != 0 && shape.back() == 1 && call.keys != 1) {
      call.mask = spread_mask(c, static_cast<const float*>(call.mask), mask.count(), call.keys);
      shape[shape.rank() - 1] = static_cast<int64_t>(call.keys);
    }
    call.mask_at = mask_strides(shape, call.batch, call.heads, call.queries);
    call.mask_keys = static_cast<size_t>(shape.back());
    const bool all = call.mask_keys == call.keys;
    c.require(all || (call.mask_keys < call.keys && !op.mask_broadcasts), "mask {} does not go with {} keys",
              mask.shape(), call.keys);
  }
  std::vector<int64_t> positions(call.batch, c.has(kPastKey) ? c.in(kPastKey).dim(2) : 0), last_keys;
  if (c.has(kNonpadKeys)) {
    last_keys = to_int64s(c.in(kNonpadKeys));
    c.require(last_keys.size() == call.batch, "expected {} lengths, got {}", call.batch,
              c.in(kNonpadKeys).shape());
    for (size_t b = 0; b < call.batch && !c.has(kPastKey); ++b) {
      positions[b] = std::clamp(last_keys[b], int64_t{0}, keys.shape[2]) - q.shape[2];
    }
  }
  call.positions = positions;
  call.last_keys = last_keys;

  Tensor& y = c.out(kY);
  TypedOutput output(c, y, call.type);
  call.y = output.data();
  call.y_at = y.rank() == 4 ? heads_first(call.heads, call.queries, call.value_size)
                            : rows_first(call.heads, call.queries, call.value_size);
  std::optional<TypedOutput> scores;
  if (c.wants(kScores)) {
    scores.emplace(c, c.out(kScores), call.type);
    call.scores = scores->data();
    call.stage = static_cast<kernels::Attention::Stage>(op.scores_stage);
  }
  attend(c, call);
  output.store();
  if (scores) scores->store();
}

}  // namespace

KINGLET_OP(Attention, op<Attention, parse, infer, run>(since(23)));

}  // namespace kinglet::ops
