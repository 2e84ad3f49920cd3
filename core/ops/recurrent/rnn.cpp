// RNN - one gate: h = f(x W' + h R' + Wb + Rb) (ONNX RNN 1, 7, 14, 22).

#include <algorithm>

#include "kernels/gemm.hpp"
#include "ops/recurrent/recurrent.hpp"

namespace kinglet::ops {
namespace {

Recurrent parse(const NodeView& n) {
  static constexpr std::string_view kDefaults[] = {"Tanh"};
  return parse_recurrent(n, 1, kDefaults);
}

void step(const Recurrent& r, const Direction& d, float* gates, const float* h_before, float* h, float*, float*) {
  const auto stride = static_cast<ptrdiff_t>(d.hidden);
  kernels::gemm(d.batch, d.hidden, d.hidden, h_before, stride, d.r, h, stride, {.bias = d.r_bias, .residual = gates, .residual_stride = stride});
  const size_t n = d.batch * d.hidden;
  if (r.clip > 0) std::transform(h, h + n, h, [&](float v) { return std::clamp(v, -r.clip, r.clip); });
  d.activations[0].apply(h, n);
}

void run(const Recurrent& op, RunContext& c) { run_recurrent(op, c, step); }

}  // namespace

KINGLET_OP(RNN, op<Recurrent, parse, infer_recurrent, run>(since(1)).with_prepare<Recurrent, prepare_recurrent>());

}  // namespace kinglet::ops
