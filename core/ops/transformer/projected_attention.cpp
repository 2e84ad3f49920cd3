// Attention of com.microsoft - self-attention with the projection of queries, keys and values, padding masks,
// and a cache of keys and values in one tensor.

#include <algorithm>
#include <cmath>

#include "ops/elementwise.hpp"
#include "ops/in_f32.hpp"
#include "ops/packing.hpp"
#include "ops/product.hpp"
#include "ops/shape_inputs.hpp"
#include "ops/transformer/padding_mask.hpp"

namespace kinglet::ops {
namespace {

enum Input : size_t { kInput, kWeights, kBias, kMask, kPast, kAttentionBias, kPastLength };

struct ProjectedAttention {
  int64_t heads;
  std::optional<float> scale;
  float hidden;
  bool is_causal;
  std::vector<int64_t> sizes;   // of all queries, keys and values of a row; empty: thirds
  size_t depth = 0, width = 0;  // of the packed weights
  std::shared_ptr<std::byte[]> packed;
};

ProjectedAttention parse(const NodeView& n) {
  ProjectedAttention op{n.attr_int("num_heads"),
                        {},
                        n.attr_float("mask_filter_value", -10000.0f),
                        n.attr_int("unidirectional", 0) != 0,
                        n.attr_ints("qkv_hidden_sizes", {}),
                        0,
                        0,
                        nullptr};
  const float scale = n.attr_float("scale", 0);
  if (scale != 0) op.scale = scale;
  if (op.heads < 1) throw_error(ErrorCode::kModel, "attribute '{}' is {}", "num_heads", op.heads);
  bool fits = op.sizes.empty() || (op.sizes.size() == 3 && op.sizes[0] == op.sizes[1]);
  for (const int64_t size : op.sizes) fits = fits && size > 0 && size <= INT32_MAX && size % op.heads == 0;
  if (!fits)
    throw_error(ErrorCode::kModel, "attribute '{}' does not go with {} heads", "qkv_hidden_sizes", op.heads);
  if (n.attr_int("do_rotary", 0) != 0 || n.attr_int("past_present_share_buffer", 0) != 0 ||
      n.has_input(kPastLength)) {
    throw_error(ErrorCode::kModel, "do_rotary and past_present_share_buffer are not supported");
  }
  return op;
}

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

void infer(const ProjectedAttention& op, InferContext& c) {
  const TypeSet types = kFloats & ~type_set(DType::kFloat64);
  for (const size_t i : {kInput, kWeights, kBias, kPast, kAttentionBias}) {
    if (c.has(i)) check_type(c.dtype(i), types);
  }
  const SymShape &x = c.shape(kInput), &w = c.shape(kWeights);
  c.require(!x.has_rank() || x.rank() == 3, "expected rank 3, got {}", x);
  c.require(!w.has_rank() || w.rank() == 2, "expected weights of rank 2, got {}", w);
  const Dim batch = x.has_rank() ? x[0] : Dim(), rows = x.has_rank() ? x[1] : Dim();
  Dim out, size, total = rows;
  if (w.has_rank() && w[1].known()) {
    const HeadSizes sizes = head_sizes(op, w[1].value());
    out = sizes.value * op.heads;
    size = sizes.key;
  }
  if (c.has(kPast)) {
    const SymShape& past = c.shape(kPast);
    c.require(!past.has_rank() || past.rank() == 5, "expected a cache of rank 5, got {}", past);
    total =
        past.has_rank() && past[3].known() && rows.known() ? Dim(add(past[3].value(), rows.value())) : Dim();
  }
  c.out(0, c.dtype(kInput), SymShape({batch, rows, out}));
  c.out(1, c.dtype(kInput), SymShape({2, batch, op.heads, total, size}));
}

void prepare(ProjectedAttention& op, PrepareContext& c) {
  const Tensor* w = c.constant(kWeights);
  if (w == nullptr || w->rank() != 2) return;
  op.depth = static_cast<size_t>(w->dim(0));
  op.width = static_cast<size_t>(w->dim(1));
  Packing packing(c, kWeights, kernels::packed_b_size(op.depth, op.width));
  pack_rows(packing, 0, 0, op.depth, op.width);
  op.packed = packing.finish();
}

void run(const ProjectedAttention& op, RunContext& c) {
  const Tensor& x = c.in(kInput);
  const auto depth = static_cast<size_t>(x.dim(2));
  const size_t width = op.packed ? op.width : static_cast<size_t>(c.in(kWeights).dim(1));
  c.require((op.packed ? op.depth : static_cast<size_t>(c.in(kWeights).dim(0))) == depth,
            "the weights do not multiply with {}", x.shape());
  const HeadSizes sizes = head_sizes(op, static_cast<int64_t>(width));
  AttentionCall call;
  call.batch = static_cast<size_t>(x.dim(0));
  call.heads = call.kv_heads = static_cast<size_t>(op.heads);
  call.queries = static_cast<size_t>(x.dim(1));
  call.head_size = static_cast<size_t>(sizes.key);
  call.value_size = static_cast<size_t>(sizes.value);

  const float* packed = reinterpret_cast<const float*>(op.packed.get());
  if (packed == nullptr) {
    float* const fresh = c.scratch<float>(kernels::packed_b_size(depth, width));
    kernels::pack_b(fresh, depth, width, as_f32(c, c.in(kWeights)), static_cast<ptrdiff_t>(width), 1);
    packed = fresh;
  }
  c.require(!c.has(kBias) || c.in(kBias).count() == width, "expected a bias of {}, got {}", width,
            c.has(kBias) ? c.in(kBias).shape() : Shape());
  const size_t rows = call.batch * call.queries;
  float* const projected = c.scratch<float>(rows * width);
  const Product product(c, rows, width, depth, false);
  product(as_f32(c, x), static_cast<ptrdiff_t>(depth), packed, projected, static_cast<ptrdiff_t>(width),
          {.bias = c.has(kBias) ? as_f32(c, c.in(kBias)) : nullptr});
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
  if (c.has(kPast) || c.wants(1)) {
    c.require(sizes.key == sizes.value, "keys of {} and values of {} do not fit one cache", sizes.key,
              sizes.value);
    if (c.has(kPast)) {
      const Tensor& past = c.in(kPast);
      const bool fits = past.rank() == 5 && past.dim(0) == 2 && past.dim(1) == x.dim(0) &&
                        past.dim(2) == op.heads && past.dim(4) == sizes.key;
      c.require(fits, "a cache {} does not go with {} heads of {}", past.shape(), op.heads, sizes.key);
      before = static_cast<size_t>(past.dim(3));
    }
    call.keys = before + call.queries;
    const Shape half{x.dim(0), op.heads, static_cast<int64_t>(call.keys), sizes.key};
    if (c.wants(1)) present.emplace(c, c.out(1), DType::kFloat32);
    float* const all = present ? static_cast<float*>(present->data()) : c.scratch<float>(2 * half.count());
    const float* const past = c.has(kPast) ? as_f32(c, c.in(kPast)) : nullptr;
    for (size_t i = 0; i < 2; ++i) {
      Tensor cache(DType::kFloat32, half, all + i * half.count());
      const HeadStrides past_at = heads_first(call.heads, before, call.head_size);
      if (past != nullptr) write_cache(cache, past + i * c.in(kPast).count() / 2, past_at, before, 0);
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
  set_mask(c, call, c.has(kMask) ? &c.in(kMask) : nullptr, op.hidden,
           c.has(kAttentionBias) ? &c.in(kAttentionBias) : nullptr);
  F32Output out(c, c.out(0));
  call.y = out.data();
  call.y_at = rows_first(call.heads, call.queries, call.value_size);
  attend(c, call);
  out.store();
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", Attention,
              op<ProjectedAttention, parse, infer, run>(since(1))
                  .with_prepare<ProjectedAttention, prepare>());

}  // namespace kinglet::ops
