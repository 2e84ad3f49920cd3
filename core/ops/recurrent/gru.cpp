// GRU - gates in the order z, r, h; linear_before_reset (ONNX GRU 1, 3, 7, 14, 22).

#include <algorithm>

#include "kernels/gemm.hpp"
#include "ops/recurrent/recurrent.hpp"

namespace kinglet::ops {
namespace {

struct Gru : Recurrent {
  bool linear_before_reset = false;
};

Gru parse(const NodeView& n) {
  static constexpr std::string_view kDefaults[] = {"Sigmoid", "Tanh"};
  return {parse_recurrent(n, 3, kDefaults), n.attr_int("linear_before_reset", 0) != 0};
}

void infer(const Gru& op, InferContext& c) { infer_recurrent(op, c); }
void prepare(Gru& op, PrepareContext& c) { prepare_recurrent(op, c); }

void step(const Recurrent& r, const Direction& d, float* gates, const float* h_before, float* h, float*, float* scratch) {
  const size_t n = d.hidden, rows = 3 * n;
  const bool linear = static_cast<const Gru&>(r).linear_before_reset;
  const auto stride = static_cast<ptrdiff_t>(rows);
  // h R' + Rb for all gates; the third is used as it is when linear_before_reset is set.
  kernels::gemm(d.batch, rows, n, h_before, static_cast<ptrdiff_t>(n), d.r, scratch, stride, {.bias = d.r_bias});
  const auto limit = [&](float* x) {
    if (r.clip > 0) std::transform(x, x + n, x, [&](float v) { return std::clamp(v, -r.clip, r.clip); });
  };
  for (size_t b = 0; b < d.batch; ++b) {
    float *z = gates + b * rows, *reset = z + n;
    const float* from_h = scratch + b * rows;
    for (size_t k = 0; k < 2 * n; ++k) z[k] += from_h[k];
    limit(z), limit(reset);
    d.activations[0].apply(z, n);
    d.activations[0].apply(reset, n);
    if (linear) {
      for (size_t k = 0; k < n; ++k) z[2 * n + k] += reset[k] * from_h[2 * n + k];
    } else {
      // (r * h) goes where the result will be, and through R' once more below.
      for (size_t k = 0; k < n; ++k) h[b * n + k] = reset[k] * h_before[b * n + k];
    }
  }
  if (!linear) kernels::gemm(d.batch, rows, n, h, static_cast<ptrdiff_t>(n), d.r, scratch, stride, {.bias = d.r_bias});
  for (size_t b = 0; b < d.batch; ++b) {
    const float* z = gates + b * rows;
    float *candidate = gates + b * rows + 2 * n, *out = h + b * n;
    const float *from_h = scratch + b * rows, *before = h_before + b * n;
    if (!linear) {
      for (size_t k = 0; k < n; ++k) candidate[k] += from_h[2 * n + k];
    }
    limit(candidate);
    d.activations[1].apply(candidate, n);
    for (size_t k = 0; k < n; ++k) out[k] = (1 - z[k]) * candidate[k] + z[k] * before[k];
  }
}

void run(const Gru& op, RunContext& c) { run_recurrent(op, c, step); }

}  // namespace

KINGLET_OP(GRU, op<Gru, parse, infer, run>(since(1)).with_prepare<Gru, prepare>());

}  // namespace kinglet::ops
