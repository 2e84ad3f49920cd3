// Adagrad, Adam and Momentum of ai.onnx.preview.training 1: one step of an optimiser over any number of tensors. Inputs:
// learning rate R, step count T, then all tensors X, all gradients G, and one or two kinds of state for each; outputs:
// the new X and states in the same order. Computed in float64.

#include <cmath>

#include "ops/elementwise.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct Optimizer;

/// One element: its gradient (regularised) and states in, the new states in place; gives the new element.
using Step = double (*)(const Optimizer& op, double rate, double t, double x, double gradient, double* state);

struct Optimizer {
  Step step;
  size_t states;
  double regularization, regularization_after = 0;
  double epsilon = 0, alpha = 0, beta = 0, decay = 0;
};

double number(const NodeView& n, std::string_view name, float otherwise) {
  return static_cast<double>(n.attr_float(name, otherwise));
}

Optimizer parse_adagrad(const NodeView& n) {
  const Step step = [](const Optimizer& op, double rate, double t, double x, double g, double* h) {
    *h += g * g;
    return x - rate / (1 + t * op.decay) * g / (std::sqrt(*h) + op.epsilon);
  };
  return {.step = step,
          .states = 1,
          .regularization = number(n, "norm_coefficient", 0),
          .epsilon = number(n, "epsilon", 1e-6f),
          .decay = number(n, "decay_factor", 0)};
}

Optimizer parse_adam(const NodeView& n) {
  const Step step = [](const Optimizer& op, double rate, double t, double x, double g, double* state) {
    double &v = state[0], &h = state[1];
    v = op.alpha * v + (1 - op.alpha) * g;
    h = op.beta * h + (1 - op.beta) * g * g;
    if (t > 0) rate *= std::sqrt(1 - std::pow(op.beta, t)) / (1 - std::pow(op.alpha, t));
    return (1 - op.regularization_after) * (x - rate * v / (std::sqrt(h) + op.epsilon));
  };
  return {.step = step,
          .states = 2,
          .regularization = number(n, "norm_coefficient", 0),
          .regularization_after = number(n, "norm_coefficient_post", 0),
          .epsilon = number(n, "epsilon", 1e-6f),
          .alpha = number(n, "alpha", 0.9f),
          .beta = number(n, "beta", 0.999f)};
}

Optimizer parse_momentum(const NodeView& n) {
  const Step standard = [](const Optimizer& op, double rate, double t, double x, double g, double* v) {
    *v = op.alpha * *v + (t > 0 ? op.beta : 1) * g;
    return x - rate * *v;
  };
  const Step nesterov = [](const Optimizer& op, double rate, double t, double x, double g, double* v) {
    *v = op.alpha * *v + (t > 0 ? op.beta : 1) * g;
    return x - rate * (g + op.alpha * *v);
  };
  const std::string mode = n.attr_string("mode");
  if (mode != "standard" && mode != "nesterov") throw_error(ErrorCode::kModel, "mode '{}' is not known", mode);
  return {.step = mode == "nesterov" ? nesterov : standard,
          .states = 1,
          .regularization = static_cast<double>(n.attr_float("norm_coefficient")),
          .alpha = static_cast<double>(n.attr_float("alpha")),
          .beta = static_cast<double>(n.attr_float("beta"))};
}

/// How many tensors are optimised, from the number of inputs.
size_t tensors_of(const Optimizer& op, size_t inputs) {
  const size_t kinds = 2 + op.states;
  RunContext::require(inputs >= 2 && (inputs - 2) % kinds == 0, "{} inputs are not R, T and {} for each tensor", inputs, kinds);
  return (inputs - 2) / kinds;
}

void infer(const Optimizer& op, InferContext& c) {
  const size_t n = tensors_of(op, c.inputs());
  const DType type = common_type(c, 2, c.inputs(), kFloats);
  for (size_t i = 0; i < n; ++i) {
    for (size_t kind = 0; kind < 2 + op.states; ++kind) {
      const SymShape &x = c.shape(2 + i), &other = c.shape(2 + kind * n + i);
      c.require(!x.is_concrete() || !other.is_concrete() || x.concrete() == other.concrete(), "shapes {} and {} differ", x, other);
    }
    for (size_t kind = 0; kind < 1 + op.states; ++kind) c.out(kind * n + i, type, c.shape(2 + i));
  }
}

double scalar(const Tensor& t) {
  RunContext::require(t.count() == 1, "R and T must be scalars, got {}", t.shape());
  double value;
  convert(t.dtype(), t.raw(), DType::kFloat64, &value, 1);
  return value;
}

void run(const Optimizer& op, RunContext& c) {
  const size_t n = tensors_of(op, c.inputs());
  const double rate = scalar(c.in(0)), t = scalar(c.in(1));
  for (size_t i = 0; i < n; ++i) {
    const auto element = [&](size_t kind, size_t at) {
      const Tensor& in = c.in(2 + kind * n + i);
      double value;
      convert(in.dtype(), in.raw() + at * dtype_size(in.dtype()), DType::kFloat64, &value, 1);
      return value;
    };
    const auto store = [&](size_t kind, size_t at, double value) {
      if (!c.wants(kind * n + i)) return;
      Tensor& out = c.out(kind * n + i);
      convert(DType::kFloat64, &value, out.dtype(), out.raw() + at * dtype_size(out.dtype()), 1);
    };
    for (size_t at = 0, count = c.in(2 + i).count(); at < count; ++at) {
      const double x = element(0, at);
      double state[2] = {};
      for (size_t k = 0; k < op.states; ++k) state[k] = element(2 + k, at);
      store(0, at, op.step(op, rate, t, x, op.regularization * x + element(1, at), state));
      for (size_t k = 0; k < op.states; ++k) store(1 + k, at, state[k]);
    }
  }
}

template <Optimizer (*parse)(const NodeView&)>
constexpr OpDef optimizer() {
  return op<Optimizer, parse, infer, run>(since(1));
}

}  // namespace

KINGLET_OP_IN(ai_onnx_preview_training, "ai.onnx.preview.training", Adagrad, optimizer<parse_adagrad>());
KINGLET_OP_IN(ai_onnx_preview_training, "ai.onnx.preview.training", Adam, optimizer<parse_adam>());
KINGLET_OP_IN(ai_onnx_preview_training, "ai.onnx.preview.training", Momentum, optimizer<parse_momentum>());

}  // namespace kinglet::ops
