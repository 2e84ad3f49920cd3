// MultiHeadAttention of com.microsoft - keys and values apart, packed with the query, packed with each other,
// or given by head; with biases of the projections, padding masks and a cache.
// DecoderMaskedMultiHeadAttention - the same of one query, with a cache that has room for keys to come.

#include <algorithm>
#include <cmath>

#include "kernels/elementwise.hpp"
#include "ops/elementwise.hpp"
#include "ops/shape_inputs.hpp"
#include "ops/transformer/padding_mask.hpp"

namespace kinglet::ops {
namespace {

enum Input : size_t { kQuery, kKey, kValue };
/// Where the inputs behind those stand.
struct Inputs {
  size_t bias, padding, attention_bias, past_key, past_value, past_length, beam_width, indirection;
};
constexpr Inputs kOfMultiHead{3, 4, 5, 6, 7, 8, SIZE_MAX, 9}, kOfDecoder{10, 3, 4, 5, 6, 7, 8, 9};
enum Output : size_t { kY, kPresentKey, kPresentValue, kProducts };

struct MultiHeadAttention {
  int64_t heads;
  std::optional<float> scale;
  float hidden;
  bool is_causal;
  bool is_decoder;
  const Inputs* in;
};

MultiHeadAttention parse(const NodeView& n) {
  const bool is_decoder = n.op_type() == "DecoderMaskedMultiHeadAttention";
  MultiHeadAttention op{n.attr_int("num_heads"),
                        {},
                        n.attr_float("mask_filter_value", -10000.0f),
                        n.attr_int("unidirectional", 0) != 0,
                        is_decoder,
                        is_decoder ? &kOfDecoder : &kOfMultiHead};
  const Inputs& in = *op.in;
  const float scale = n.attr_float("scale", 0);
  if (scale != 0) op.scale = scale;
  if (op.heads < 1) throw_error(ErrorCode::kModel, "attribute '{}' is {}", "num_heads", op.heads);
  const bool has_past = n.has_input(in.past_key);
  if (has_past != n.has_input(in.past_value))
    throw_error(ErrorCode::kModel, "past_key and past_value are given together or not at all");
  if (n.has_input(in.indirection) || (!is_decoder && n.has_input(in.past_length)))
    throw_error(ErrorCode::kModel, "inputs past_sequence_length and cache_indirection are not supported");
  if (is_decoder && has_past && (n.attr_int("past_present_share_buffer", 0) == 0 || !n.has_input(in.past_length)))
    throw_error(ErrorCode::kModel, "a cache needs past_present_share_buffer and past_sequence_length");
  return op;
}

/// Queries, keys and values as what they are heads of.
struct Part {
  Dim rows, size;
};
struct Parts {
  Dim batch;
  Part q, k, v;
  size_t packed = 1;     // blocks of one head that lie together: 3 in the query, 2 in the key
  bool by_head = false;  // keys and values are [batch, heads, rows, size]
};

Dim size_of_head(Dim hidden, int64_t heads) {
  if (!hidden.known()) return {};
  Requires::require(hidden.value() % heads == 0, "{} does not divide into {} heads", hidden.value(), heads);
  return hidden.value() / heads;
}

Parts take_apart(const MultiHeadAttention& op, const SymShape& q, const SymShape* k, const SymShape* v) {
  Parts parts;
  if (!q.has_rank() || (k != nullptr && !k->has_rank()) || (v != nullptr && !v->has_rank())) return parts;
  const auto require_form = [](bool ok, const SymShape& s) {
    Requires::require(ok, "query, key or value cannot be {}", s);
  };
  parts.batch = q[0];
  if (k == nullptr) {
    require_form(q.rank() == 5 && v == nullptr, q);
    parts.packed = 3;
    parts.q = parts.k = parts.v = {q[1], q[4]};
    return parts;
  }
  require_form(q.rank() == 3, q);
  parts.q = {q[1], size_of_head(q[2], op.heads)};
  if (v == nullptr) {
    require_form(k->rank() == 5, *k);
    parts.packed = 2;
    parts.k = parts.v = {(*k)[1], (*k)[4]};
    return parts;
  }
  require_form(k->rank() == v->rank() && (k->rank() == 3 || k->rank() == 4), *k);
  parts.by_head = k->rank() == 4;
  if (parts.by_head) {
    parts.k = {(*k)[2], (*k)[3]};
    parts.v = {(*v)[2], (*v)[3]};
  } else {
    parts.k = {(*k)[1], size_of_head((*k)[2], op.heads)};
    parts.v = {(*v)[1], size_of_head((*v)[2], op.heads)};
  }
  return parts;
}

void infer(const MultiHeadAttention& op, InferContext& c) {
  const size_t floats[] = {kQuery, kKey, kValue, op.in->bias, op.in->attention_bias, op.in->past_key, op.in->past_value};
  for (const size_t i : floats) {
    if (c.has(i)) check_type(c.dtype(i), kFloats & ~type_set(DType::kFloat64));
  }
  const DType type = c.dtype(kQuery);
  const Parts parts = take_apart(op, c.shape(kQuery), c.has(kKey) ? &c.shape(kKey) : nullptr,
                                 c.has(kValue) ? &c.shape(kValue) : nullptr);
  c.require(!op.is_decoder || !parts.q.rows.known() || parts.q.rows.value() == 1, "expected one query, got {}", c.shape(kQuery));
  Dim total = parts.k.rows, room = total;  // keys, and rows of the cache
  if (c.has(op.in->past_key)) {
    const SymShape& past = c.shape(op.in->past_key);
    c.require(!past.has_rank() || past.rank() == 4, "expected a cache of rank 4, got {}", past);
    total = past.has_rank() && past[2].known() && total.known() ? Dim(add(past[2].value(), total.value()))
                                                                : Dim();
    if (op.is_decoder) {
      room = past.has_rank() ? past[2] : Dim();
      const std::optional<std::vector<int64_t>> length = known_ints(c, op.in->past_length);
      total = Dim();
      if (length && length->size() == 1) {
        c.require((*length)[0] >= 0, "row {} is not within a cache {}", (*length)[0], past);
        total = add((*length)[0], 1);
      }
    } else {
      room = total;
    }
  }
  const Dim out_size = parts.v.size.known() ? Dim(multiply(parts.v.size.value(), op.heads)) : Dim();
  c.out(kY, type, SymShape({parts.batch, parts.q.rows, out_size}));
  c.out(kPresentKey, type, SymShape({parts.batch, op.heads, room, parts.k.size}));
  c.out(kPresentValue, type, SymShape({parts.batch, op.heads, room, parts.v.size}));
  c.out(kProducts, type, SymShape({parts.batch, op.heads, parts.q.rows, total}));
}

/// One of the three as float32 [batch, heads, rows, size] under strides, its bias added.
struct Rows {
  const float* data;
  HeadStrides at;
  size_t rows, size;
};

Rows rows_of(RunContext& c, const Tensor& t, size_t block, size_t packed, bool by_head, size_t heads,
             size_t batch, const Part& part, const float* bias) {
  Rows r{static_cast<const float*>(as_type(c, t, DType::kFloat32)),
         {},
         static_cast<size_t>(part.rows.value()),
         static_cast<size_t>(part.size.value())};
  c.require(t.count() == batch * heads * r.rows * r.size * packed, "{} is not {} batches of {} heads",
            t.shape(), batch, heads);
  if (by_head) {
    r.at = heads_first(heads, r.rows, r.size);
    return r;
  }
  r.at = rows_first(heads, r.rows, r.size, packed);
  r.at.head *= static_cast<ptrdiff_t>(packed);
  r.data += block * r.size;
  if (bias == nullptr) return r;
  float* const sums = c.scratch<float>(batch * heads * r.rows * r.size);
  const size_t width = heads * r.size;
  for (size_t i = 0; i < batch * r.rows; ++i) {
    for (size_t h = 0; h < heads; ++h) {
      const float* const from =
          r.data + static_cast<ptrdiff_t>(i) * r.at.row + static_cast<ptrdiff_t>(h) * r.at.head;
      kernels::binary(kernels::Binary::kAdd, from, bias + h * r.size, sums + i * width + h * r.size, r.size);
    }
  }
  return {sums, rows_first(heads, r.rows, r.size), r.rows, r.size};
}

/// Rows after those of a cache: after all, or after the first `length` of one that has room for them.
Rows cached(RunContext& c, const Rows& fresh, size_t past, std::optional<int64_t> length, size_t output, size_t batch,
            size_t heads) {
  if (!c.has(past) && !c.wants(output)) return fresh;
  const auto size = static_cast<int64_t>(fresh.size);
  Shape shape{static_cast<int64_t>(batch), static_cast<int64_t>(heads), static_cast<int64_t>(fresh.rows),
              size};
  std::optional<Tensor> before;
  if (c.has(past)) {
    const Tensor& t = c.in(past);
    c.require(t.rank() == 4 && t.dim(0) == shape[0] && t.dim(1) == shape[1] && t.dim(3) == size,
              "a cache {} does not go with {}", t.shape(), shape);
    before = Tensor(DType::kFloat32, t.shape(), const_cast<void*>(as_type(c, t, DType::kFloat32)));
    const int64_t end = add(shape[2], length ? *length : t.dim(2));
    c.require(!length || (*length >= 0 && end <= t.dim(2)), "row {} is not within a cache {}", end, t.shape());
    shape[2] = length ? t.dim(2) : end;
  }
  float* data;
  std::optional<TypedOutput> out;
  if (c.wants(output)) {
    c.require(c.out(output).shape() == shape, "caches of {} and {} differ in length", c.out(output).shape(),
              shape);
    out.emplace(c, c.out(output), DType::kFloat32);
    data = static_cast<float*>(out->data());
  } else {
    data = c.scratch<float>(shape.count());
  }
  Tensor joined(DType::kFloat32, shape, data);
  const size_t old = before ? static_cast<size_t>(before->dim(2)) : 0;
  const size_t start = before && length ? static_cast<size_t>(*length) : old;
  if (before) write_cache(joined, before->raw(), heads_first(heads, old, fresh.size), old, 0);
  write_cache(joined, fresh.data, fresh.at, fresh.rows, start);
  if (out) out->store();
  return {data, heads_first(heads, static_cast<size_t>(shape[2]), fresh.size), start + fresh.rows, fresh.size};
}

void run(const MultiHeadAttention& op, RunContext& c) {
  const auto shape_of = [&](size_t i) {
    return c.has(i) ? std::optional<SymShape>(c.in(i).shape()) : std::nullopt;
  };
  const std::optional<SymShape> key_shape = shape_of(kKey), value_shape = shape_of(kValue);
  const Parts parts = take_apart(op, c.in(kQuery).shape(), key_shape ? &*key_shape : nullptr,
                                 value_shape ? &*value_shape : nullptr);
  const auto heads = static_cast<size_t>(op.heads), batch = static_cast<size_t>(parts.batch.value());
  const bool fits = parts.q.size.same(parts.k.size) && parts.k.rows.same(parts.v.rows);
  c.require(fits, "query, key and value do not go together: {}", c.in(kQuery).shape());

  const float* bias = nullptr;
  const size_t q_bias = heads * static_cast<size_t>(parts.q.size.value()),
               v_bias = heads * static_cast<size_t>(parts.v.size.value());
  if (c.has(op.in->bias)) {
    c.require(c.in(op.in->bias).count() == 2 * q_bias + v_bias, "expected a bias of {}, got {}",
              2 * q_bias + v_bias, c.in(op.in->bias).shape());
    bias = static_cast<const float*>(as_type(c, c.in(op.in->bias), DType::kFloat32));
  }
  const auto bias_at = [&](size_t i) { return bias == nullptr ? nullptr : bias + i; };
  const Tensor& key = c.has(kKey) ? c.in(kKey) : c.in(kQuery);
  const Tensor& value = c.has(kValue) ? c.in(kValue) : key;
  const size_t first = parts.packed == 3 ? 1 : 0;  // block of the keys where they are packed
  const Rows q =
      rows_of(c, c.in(kQuery), 0, parts.packed == 3 ? 3 : 1, false, heads, batch, parts.q, bias_at(0));
  Rows k = rows_of(c, key, first, parts.packed, parts.by_head, heads, batch, parts.k, bias_at(q_bias));
  Rows v = rows_of(c, value, parts.packed == 1 ? 0 : first + 1, parts.packed, parts.by_head, heads, batch,
                   parts.v, bias_at(2 * q_bias));
  const auto one = [&](size_t i) {
    const std::vector<int64_t> given = to_int64s(c.in(i));
    c.require(given.size() == 1, "expected one number as input {}, got shape {}", i, c.in(i).shape());
    return given[0];
  };
  std::optional<int64_t> length;
  if (op.is_decoder && c.has(op.in->past_key)) length = one(op.in->past_length);
  if (op.is_decoder && c.has(op.in->beam_width)) c.require(one(op.in->beam_width) <= 1, "beams are not supported");
  c.require(!length || k.rows == 1, "expected one key, got {}", key.shape());
  k = cached(c, k, op.in->past_key, length, kPresentKey, batch, heads);
  v = cached(c, v, op.in->past_value, length, kPresentValue, batch, heads);
  c.require(k.rows == v.rows, "caches of {} and {} rows differ", k.rows, v.rows);

  AttentionCall call;
  call.batch = batch;
  call.heads = call.kv_heads = heads;
  call.queries = q.rows;
  call.keys = k.rows;
  call.head_size = q.size;
  call.value_size = v.size;
  call.q = q.data;
  call.q_at = q.at;
  call.k = k.data;
  call.k_at = k.at;
  call.v = v.data;
  call.v_at = v.at;
  call.scale = op.scale ? static_cast<double>(*op.scale)
                        : 1 / std::sqrt(static_cast<double>(std::max<size_t>(1, q.size)));
  if (op.is_causal) call.right = 0;
  const std::vector<int64_t> positions(batch, static_cast<int64_t>(k.rows) - static_cast<int64_t>(q.rows));
  call.positions = positions;
  set_mask(c, call, c.has(op.in->padding) ? &c.in(op.in->padding) : nullptr, op.hidden,
           c.has(op.in->attention_bias) ? &c.in(op.in->attention_bias) : nullptr);
  TypedOutput out(c, c.out(kY), DType::kFloat32);
  call.y = out.data();
  call.y_at = rows_first(heads, q.rows, v.size);
  std::optional<TypedOutput> products;
  if (c.wants(kProducts)) {
    products.emplace(c, c.out(kProducts), DType::kFloat32);
    call.scores = products->data();
    call.stage = kernels::Attention::Stage::kMasked;
  }
  attend(c, call);
  out.store();
  if (products) products->store();
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", MultiHeadAttention,
              op<MultiHeadAttention, parse, infer, run>(since(1)));
KINGLET_OP_IN(com_microsoft, "com.microsoft", DecoderMaskedMultiHeadAttention,
              op<MultiHeadAttention, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
