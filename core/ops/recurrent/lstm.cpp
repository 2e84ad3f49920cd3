// LSTM - gates in the order i, o, f, c; peepholes, clipping, input_forget (ONNX LSTM 1, 7, 14, 22).

#include "ops/recurrent/lstm.hpp"

#include <algorithm>

#include "kernels/gemm.hpp"
#include "kernels/lstm.hpp"

namespace kinglet::ops {

Lstm parse_lstm(const NodeView& n) {
  static constexpr std::string_view kDefaults[] = {"Sigmoid", "Tanh", "Tanh"};
  return {parse_recurrent(n, 4, kDefaults), n.attr_int("input_forget", 0) != 0};
}

namespace {

void infer(const Lstm& op, InferContext& c) { infer_recurrent(op, c); }
void prepare(Lstm& op, PrepareContext& c) { prepare_recurrent(op, c); }

/// Neither peepholes nor clipping, and the default activations: what exporters write.
bool is_plain(const Recurrent& r, const Direction& d) {
  using Kind = GateActivation::Kind;
  return d.peephole == nullptr && r.clip <= 0 && !static_cast<const Lstm&>(r).input_forget &&
         d.activations[0].kind == Kind::kSigmoid && d.activations[1].kind == Kind::kTanh &&
         d.activations[2].kind == Kind::kTanh;
}

}  // namespace

void lstm_step(const Recurrent& r, const Direction& d, float* gates, const float* h_before, float* h, float* cell,
               float* scratch) {
  const size_t n = d.hidden, rows = 4 * n;
  const bool couple = static_cast<const Lstm&>(r).input_forget;
  if (d.products != nullptr) {
    d.products->of_states(d, h_before, gates, scratch);
  } else {
    // gates += h R' + Rb
    kernels::gemm(d.batch, rows, n, h_before, static_cast<ptrdiff_t>(n), d.r, gates, static_cast<ptrdiff_t>(rows),
                  {.bias = d.r_bias, .residual = gates, .residual_stride = static_cast<ptrdiff_t>(rows)});
  }
  if (is_plain(r, d)) {
    for (size_t b = 0; b < d.batch; ++b) kernels::lstm_units(gates + b * rows, cell + b * n, h + b * n, n);
    return;
  }
  for (size_t b = 0; b < d.batch; ++b) {
    float *i = gates + b * rows, *o = i + n, *f = i + 2 * n, *g = i + 3 * n;
    float *c = cell + b * n, *out = h + b * n;
    const auto limit = [&](float* x) {
      if (r.clip > 0) std::transform(x, x + n, x, [&](float v) { return std::clamp(v, -r.clip, r.clip); });
    };
    if (d.peephole != nullptr) {
      for (size_t k = 0; k < n; ++k) {
        i[k] += d.peephole[k] * c[k];
        f[k] += d.peephole[2 * n + k] * c[k];
      }
    }
    limit(i), limit(f), limit(g);
    d.activations[0].apply(i, n);
    d.activations[0].apply(f, n);
    d.activations[1].apply(g, n);
    for (size_t k = 0; k < n; ++k) c[k] = (couple ? 1 - i[k] : f[k]) * c[k] + i[k] * g[k];
    if (d.peephole != nullptr) {
      for (size_t k = 0; k < n; ++k) o[k] += d.peephole[n + k] * c[k];
    }
    limit(o);
    d.activations[0].apply(o, n);
    std::copy_n(c, n, out);
    d.activations[2].apply(out, n);
    for (size_t k = 0; k < n; ++k) out[k] *= o[k];
  }
}

namespace {
void run(const Lstm& op, RunContext& c) { run_recurrent(op, c, lstm_step); }

}  // namespace

KINGLET_OP(LSTM, op<Lstm, parse_lstm, infer, run>(since(1)).with_prepare<Lstm, prepare>());

}  // namespace kinglet::ops
