// LinearAttention - attention through a recurrent state instead of keys: plain, gated, with the delta rule,
// and both (ONNX LinearAttention 27; com.microsoft, whose state_window is not supported).

#include <algorithm>
#include <cmath>

#include "kernels/elementwise.hpp"
#include "kernels/linear_attention.hpp"
#include "kernels/math.hpp"
#include "ops/elementwise.hpp"
#include "ops/in_f32.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

enum Input : size_t { kQuery, kKey, kValue, kPastState, kDecay, kBeta };

struct LinearAttention {
  int64_t q_heads, kv_heads;
  float scale;
  bool decays, corrects;
};

LinearAttention parse(const NodeView& n) {
  LinearAttention op{n.attr_int("q_num_heads"), n.attr_int("kv_num_heads"), n.attr_float("scale", 0), false,
                     false};
  const std::string rule = n.attr_string("update_rule", "gated_delta");
  op.decays = rule.starts_with("gated");
  op.corrects = rule.ends_with("delta");
  if (!op.decays && !op.corrects && rule != "linear")
    throw_error(ErrorCode::kModel, "attribute '{}' is '{}'", "update_rule", rule);
  if (op.q_heads < 1 || op.kv_heads < 1 || op.q_heads % op.kv_heads != 0) {
    throw_error(ErrorCode::kModel, "{} query heads do not share {} heads", op.q_heads, op.kv_heads);
  }
  if (op.decays != n.has_input(kDecay) || op.corrects != n.has_input(kBeta)) {
    throw_error(ErrorCode::kModel,
                "update_rule '{}' does not go with the inputs decay and beta that are given", rule);
  }
  if (n.attr_int("state_window", 0) != 0)
    throw_error(ErrorCode::kModel, "attribute '{}' is not supported", "state_window");
  return op;
}

/// A dim of `heads` parts: the size of one.
Dim part(Dim whole, int64_t heads) {
  if (!whole.known()) return {};
  Requires::require(whole.value() % heads == 0, "{} does not divide into {} heads", whole.value(), heads);
  return whole.value() / heads;
}

void infer(const LinearAttention& op, InferContext& c) {
  for (size_t i = 0; i < c.inputs(); ++i) {
    if (c.has(i)) check_type(c.dtype(i), kFloats);
  }
  const SymShape &q = c.shape(kQuery), &v = c.shape(kValue);
  for (const SymShape* s : {&q, &v})
    c.require(!s->has_rank() || s->rank() == 3, "expected rank 3, got {}", *s);
  const Dim batch = q.has_rank() ? q[0] : Dim(), steps = q.has_rank() ? q[1] : Dim();
  const Dim key_size = q.has_rank() ? part(q[2], op.q_heads) : Dim(),
            value_size = v.has_rank() ? part(v[2], op.kv_heads) : Dim();
  c.out(0, c.dtype(kQuery),
        SymShape({batch, steps, value_size.known() ? Dim(multiply(value_size.value(), op.q_heads)) : Dim()}));
  c.out(1, c.has(kPastState) ? c.dtype(kPastState) : c.dtype(kQuery),
        SymShape({batch, op.kv_heads, key_size, value_size}));
}

void run(const LinearAttention& op, RunContext& c) {
  const Tensor &query = c.in(kQuery), &key = c.in(kKey), &value = c.in(kValue);
  const auto q_heads = static_cast<size_t>(op.q_heads), heads = static_cast<size_t>(op.kv_heads);
  const auto batch = static_cast<size_t>(query.dim(0)), steps = static_cast<size_t>(query.dim(1));
  const auto key_size = static_cast<size_t>(query.dim(2)) / q_heads,
             value_size = static_cast<size_t>(value.dim(2)) / heads;
  const auto expect = [&](const Tensor& t, size_t last) {
    c.require(t.shape() == Shape{query.dim(0), query.dim(1), static_cast<int64_t>(last)},
              "expected [{},{},{}], got {}", batch, steps, last, t.shape());
  };
  expect(key, heads * key_size);
  expect(value, heads * value_size);
  const bool per_key = op.decays && c.in(kDecay).count() != batch * steps * heads;
  if (op.decays) expect(c.in(kDecay), per_key ? heads * key_size : heads);
  const bool per_head = op.corrects && c.in(kBeta).count() == batch * steps * heads;
  if (op.corrects) expect(c.in(kBeta), per_head ? heads : 1);

  const float *q = as_f32(c, query), *k = as_f32(c, key), *v = as_f32(c, value);
  const float *decay = op.decays ? as_f32(c, c.in(kDecay)) : nullptr,
              *beta = op.corrects ? as_f32(c, c.in(kBeta)) : nullptr;
  F32Output out(c, c.out(0));
  const size_t state_size = key_size * value_size;
  const Shape state_shape{query.dim(0), op.kv_heads, static_cast<int64_t>(key_size),
                          static_cast<int64_t>(value_size)};
  float* const states = c.scratch<float>(state_shape.count());
  if (c.has(kPastState)) {
    c.require(c.in(kPastState).shape() == state_shape, "expected a state {}, got {}", state_shape,
              c.in(kPastState).shape());
    std::copy_n(as_f32(c, c.in(kPastState)), state_shape.count(), states);
  } else {
    std::fill_n(states, state_shape.count(), 0.0f);
  }

  float *const factors = c.scratch<float>(key_size), *const fresh = c.scratch<float>(value_size);
  const float scale =
      op.scale != 0 ? op.scale : 1 / std::sqrt(static_cast<float>(std::max<size_t>(1, key_size)));
  for (size_t b = 0; b < batch; ++b) {
    for (size_t t = b * steps; t < (b + 1) * steps; ++t) {
      for (size_t h = 0; h < heads; ++h) {
        float* const state = states + (b * heads + h) * state_size;
        const float* const k_head = k + (t * heads + h) * key_size;
        const float* v_head = v + (t * heads + h) * value_size;
        if (op.decays) {
          if (per_key) {
            kernels::exp(decay + (t * heads + h) * key_size, factors, key_size);
          } else {
            std::fill_n(factors, key_size, std::exp(decay[t * heads + h]));
          }
          kernels::decay_state(state, factors, key_size, value_size);
        }
        if (op.corrects) {
          kernels::read_state(state, k_head, 1.0f, fresh, key_size, value_size);
          kernels::binary(kernels::Binary::kSub, v_head, fresh, fresh, value_size);
          kernels::binary_scalar(kernels::Binary::kMul, fresh, beta[per_head ? t * heads + h : t], fresh,
                                 value_size);
          v_head = fresh;
        }
        kernels::add_to_state(state, k_head, v_head, key_size, value_size);
        const size_t group = q_heads / heads;
        for (size_t i = h * group; i < (h + 1) * group; ++i) {
          kernels::read_state(state, q + (t * q_heads + i) * key_size, scale,
                              out.data() + (t * q_heads + i) * value_size, key_size, value_size);
        }
      }
    }
  }
  out.store();
  if (!c.wants(1)) return;
  F32Output present(c, c.out(1));
  std::copy_n(states, state_shape.count(), present.data());
  present.store();
}

constexpr OpDef linear_attention(int64_t opset) {
  return op<LinearAttention, parse, infer, run>(since(opset));
}

}  // namespace

KINGLET_OP(LinearAttention, linear_attention(27));
KINGLET_OP_IN(com_microsoft, "com.microsoft", LinearAttention, linear_attention(1));

}  // namespace kinglet::ops
