// CausalConvWithState - a 1-D depthwise convolution over the present and the past, whose last inputs are
// carried on (ONNX CausalConvWithState 27; com.microsoft in the same layout).

#include <algorithm>

#include "kernels/activation.hpp"
#include "ops/elementwise.hpp"
#include "ops/in_f32.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

enum Input : size_t { kInput, kWeight, kBias, kPastState };

struct CausalConv {
  bool silu;
};

CausalConv parse(const NodeView& n) {
  const std::string activation = n.attr_string("activation", "none");
  const bool silu = activation == "silu" || activation == "swish";
  if (!silu && activation != "none")
    throw_error(ErrorCode::kModel, "attribute '{}' is '{}'", "activation", activation);
  const std::pair<const char*, int64_t> only[] = {{"ndim", 1},
                                                  {"dilation", 1},
                                                  {"channels_last", 0},
                                                  {"state_window", 0},
                                                  {"state_update_capacity", 0},
                                                  {"state_length", 0},
                                                  {"input_channels", 0}};
  for (const auto& [name, value] : only) {
    if (n.attr_int(name, value) != value)
      throw_error(ErrorCode::kModel, "attribute '{}' is {}, only {} is supported", name,
                  n.attr_int(name, value), value);
  }
  return {silu};
}

void infer(const CausalConv&, InferContext& c) {
  common_type(c, 0, c.inputs(), kFloats);
  const SymShape &x = c.shape(kInput), &w = c.shape(kWeight);
  for (const SymShape* s : {&x, &w})
    c.require(!s->has_rank() || s->rank() == 3, "expected rank 3, got {}", *s);
  const bool known = w.has_rank() && w[2].known();
  c.require(!known || w[2].value() > 0, "a kernel {} has no taps", w);
  c.out(0, c.dtype(kInput), x);
  c.out(1, c.dtype(kInput),
        SymShape({x.has_rank() ? x[0] : Dim(), x.has_rank() ? x[1] : Dim(),
                  known ? Dim(w[2].value() - 1) : Dim()}));
}

void run(const CausalConv& op, RunContext& c) {
  const Tensor &x = c.in(kInput), &w = c.in(kWeight);
  c.require(x.rank() == 3 && w.rank() == 3 && w.dim(0) == x.dim(1) && w.dim(1) == 1 && w.dim(2) > 0,
            "weights {} do not go with {}", w.shape(), x.shape());
  const auto channels = static_cast<size_t>(x.dim(1)), length = static_cast<size_t>(x.dim(2)),
             taps = static_cast<size_t>(w.dim(2));
  c.require(!c.has(kBias) || c.in(kBias).count() == channels, "expected a bias of {}, got {}", channels,
            c.has(kBias) ? c.in(kBias).shape() : Shape());
  const Shape state_shape{x.dim(0), x.dim(1), w.dim(2) - 1};
  c.require(!c.has(kPastState) || c.in(kPastState).shape() == state_shape, "expected a state {}, got {}",
            state_shape, c.has(kPastState) ? c.in(kPastState).shape() : Shape());
  const float *input = as_f32(c, x), *weights = as_f32(c, w);
  const float *bias = c.has(kBias) ? as_f32(c, c.in(kBias)) : nullptr,
              *past = c.has(kPastState) ? as_f32(c, c.in(kPastState)) : nullptr;
  F32Output out(c, c.out(0));
  std::optional<F32Output> present;
  if (c.wants(1)) present.emplace(c, c.out(1));

  const size_t before = taps - 1;
  float* const line = c.scratch<float>(before + length);
  for (size_t row = 0; row < static_cast<size_t>(x.dim(0)) * channels; ++row) {
    if (past != nullptr) {
      std::copy_n(past + row * before, before, line);
    } else {
      std::fill_n(line, before, 0.0f);
    }
    std::copy_n(input + row * length, length, line + before);
    const size_t channel = row % channels;
    float* const y = out.data() + row * length;
    std::fill_n(y, length, bias != nullptr ? bias[channel] : 0.0f);
    for (size_t tap = 0; tap < taps; ++tap) {
      const float weight = weights[channel * taps + tap];
      for (size_t i = 0; i < length; ++i) y[i] += weight * line[i + tap];
    }
    if (present) std::copy_n(line + length, before, present->data() + row * before);
  }
  if (op.silu) kernels::apply({kernels::Activation::Kind::kSilu}, out.data(), x.count());
  out.store();
  if (present) present->store();
}

constexpr OpDef causal_conv(int64_t opset) { return op<CausalConv, parse, infer, run>(since(opset)); }

}  // namespace

KINGLET_OP(CausalConvWithState, causal_conv(27));
KINGLET_OP_IN(com_microsoft, "com.microsoft", CausalConvWithState, causal_conv(1));

}  // namespace kinglet::ops
