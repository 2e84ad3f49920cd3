#include "ops/transformer/projected_attention.hpp"

#include <cmath>

#include "ops/in_f32.hpp"
#include "ops/matrix_product.hpp"
#include "ops/shape_inputs.hpp"
#include "ops/transformer/padding_mask.hpp"

namespace kinglet::ops {

ProjectedAttention parse_projected_attention(const NodeView& n) {
  ProjectedAttention op{n.attr_int("num_heads"),
                        {},
                        n.attr_float("mask_filter_value", -10000.0f),
                        n.attr_int("unidirectional", 0) != 0,
                        n.attr_ints("qkv_hidden_sizes", {})};
  const float scale = n.attr_float("scale", 0);
  if (scale != 0) op.scale = scale;
  if (op.heads < 1) throw_error(ErrorCode::kModel, "attribute '{}' is {}", "num_heads", op.heads);
  bool fits = op.sizes.empty() || (op.sizes.size() == 3 && op.sizes[0] == op.sizes[1]);
  for (const int64_t size : op.sizes) fits = fits && size > 0 && size <= INT32_MAX && size % op.heads == 0;
  if (!fits)
    throw_error(ErrorCode::kModel, "attribute '{}' does not go with {} heads", "qkv_hidden_sizes", op.heads);
  if (n.attr_int("do_rotary", 0) != 0 || n.attr_int("past_present_share_buffer", 0) != 0)
    throw_error(ErrorCode::kModel, "do_rotary and past_present_share_buffer are not supported");
  return op;
}

namespace {

/// Elements of a query or key and of a value, of one head.
struct HeadSizes {
  int64_t key, value;
};
HeadSizes head_sizes(const ProjectedAttention& op, int64_t width) {
  const std::vector<int64_t> sizes = op.sizes.empty() ? std::vector<int64_t>(3, width / 3) : op.sizes;
  const bool fits = sizes[0] + sizes[1] + sizes[2] == width && sizes[0] % op.heads == 0;
  Requires::require(fits, "weights of {} columns do not divide into queries, keys and values of {} heads",
                    width, op.heads);
  return {sizes[0] / op.heads, sizes[2] / op.heads};
}

}  // namespace

void infer_projected_attention(const ProjectedAttention& op, InferContext& c, DType type, size_t past_input) {
  const SymShape &x = c.shape(0), &w = c.shape(1);
  c.require(!x.has_rank() || x.rank() == 3, "expected rank 3, got {}", x);
  c.require(!w.has_rank() || w.rank() == 2, "expected weights of rank 2, got {}", w);
  product_shape(x, w);  // throws where they do not multiply
  const Dim batch = x.has_rank() ? x[0] : Dim(), rows = x.has_rank() ? x[1] : Dim();
  Dim out, size, total = rows;
  if (w.has_rank() && w[1].known()) {
    const HeadSizes sizes = head_sizes(op, w[1].value());
    out = sizes.value * op.heads;
    size = sizes.key;
  }
  if (c.has(past_input)) {
    const SymShape& past = c.shape(past_input);
    c.require(!past.has_rank() || past.rank() == 5, "expected a cache of rank 5, got {}", past);
    total =
        past.has_rank() && past[3].known() && rows.known() ? Dim(add(past[3].value(), rows.value())) : Dim();
  }
  c.out(0, type, SymShape({batch, rows, out}));
  c.out(1, type, SymShape({2, batch, op.heads, total, size}));
}

void attend_projected(const ProjectedAttention& op, RunContext& c, const Shape& x, const float* projected, size_t width,
                      const Tensor* mask, const Tensor* past, const Tensor* bias) {
  const HeadSizes sizes = head_sizes(op, static_cast<int64_t>(width));
  AttentionCall call;
  call.batch = static_cast<size_t>(x[0]);
  call.heads = call.kv_heads = static_cast<size_t>(op.heads);
  call.queries = static_cast<size_t>(x[1]);
  call.head_size = static_cast<size_t>(sizes.key);
  call.value_size = static_cast<size_t>(sizes.value);
  const auto of_rows = [&](size_t size) {
    return HeadStrides{static_cast<ptrdiff_t>(call.queries * width), static_cast<ptrdiff_t>(size),
                       static_cast<ptrdiff_t>(width)};
  };
  const float* const keys = projected + call.heads * call.head_size;
  const float* const values = keys + call.heads * call.head_size;
  call.q = projected;
  call.q_at = call.k_at = of_rows(call.head_size);
  call.v_at = of_rows(call.value_size);
  call.k = keys;
  call.v = values;
  call.keys = call.queries;

  size_t before = 0;
  std::optional<TypedOutput> present;
  if (past != nullptr || c.wants(1)) {
    c.require(sizes.key == sizes.value, "keys of {} and values of {} do not fit one cache", sizes.key,
              sizes.value);
    if (past != nullptr) {
      const bool fits = past->rank() == 5 && past->dim(0) == 2 && past->dim(1) == x[0] && past->dim(2) == op.heads &&
                        past->dim(4) == sizes.key;
      c.require(fits, "a cache {} does not go with {} heads of {}", past->shape(), op.heads, sizes.key);
      before = static_cast<size_t>(past->dim(3));
    }
    call.keys = before + call.queries;
    const Shape half{x[0], op.heads, static_cast<int64_t>(call.keys), sizes.key};
    if (c.wants(1)) present.emplace(c, c.out(1), DType::kFloat32);
    float* const all = present ? static_cast<float*>(present->data()) : c.scratch<float>(2 * half.count());
    const float* const old = past != nullptr ? as_f32(c, *past) : nullptr;
    for (size_t i = 0; i < 2; ++i) {
      Tensor cache(DType::kFloat32, half, all + i * half.count());
      const HeadStrides past_at = heads_first(call.heads, before, call.head_size);
      if (old != nullptr) write_cache(cache, old + i * past->count() / 2, past_at, before, 0);
      write_cache(cache, i == 0 ? keys : values, call.k_at, call.queries, before);
    }
    call.k = all;
    call.v = all + half.count();
    call.k_at = call.v_at = heads_first(call.heads, call.keys, call.head_size);
    if (present) present->store();
  }

  call.scale = op.scale ? static_cast<double>(*op.scale) : 1 / std::sqrt(static_cast<double>(call.head_size));
  const std::vector<int64_t> positions(call.batch, static_cast<int64_t>(before));
  call.positions = positions;
  if (op.is_causal) call.right = 0;
  set_mask(c, call, mask, op.hidden, bias);
  F32Output out(c, c.out(0));
  call.y = out.data();
  call.y_at = rows_first(call.heads, call.queries, call.value_size);
  attend(c, call);
  out.store();
}

}  // namespace kinglet::ops
