// Activations: Relu and its relatives with their parameters.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/math.hpp"
#include "ops/unary.hpp"

namespace kinglet::ops {
namespace {

using Kind = kernels::Activation::Kind;

Unary with_kernel(Kind kind, UnaryFunction f, float alpha = 0, float beta = 0) {
  return {.f = f, .activation = {kind, alpha, beta}, .alpha = alpha, .beta = beta};
}

double positive_part(double x, const Unary&) { return x < 0 ? 0 : x; }
double gate(double x, double alpha, double beta) { return x != x ? x : std::fmin(std::fmax(alpha * x + beta, 0), 1); }
/// log(1 + exp(x)) without overflow.
double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

/// max(x, 0) + log(1 + e), e = exp(-|x|).
void softplus_f32(const float* x, float* y, size_t n) {
  float e[kBlock], sum[kBlock], log_sum[kBlock];
  for (size_t start = 0; start < n; start += kBlock) {
    const size_t count = std::min(kBlock, n - start);
    for (size_t i = 0; i < count; ++i) e[i] = -std::fabs(x[start + i]);
    kernels::exp(e, e, count);
    for (size_t i = 0; i < count; ++i) sum[i] = 1 + e[i];
    kernels::log(sum, log_sum, count);
    for (size_t i = 0; i < count; ++i) {
      // What rounding took from 1 + e is made up for by the ratio (Higham, Accuracy and Stability, 1.14.1).
      const float log1p = sum[i] == 1 ? e[i] : log_sum[i] * (e[i] / (sum[i] - 1));
      y[start + i] = (x[start + i] < 0 ? 0 : x[start + i]) + log1p;
    }
  }
}

/// x * tanh(log(1 + e)) = x * m / (m + 2) with e = exp(x) and m = e * (e + 2); past 20 the factor is 1.
void mish_f32(const float* x, float* y, size_t n) {
  float e[kBlock];
  for (size_t start = 0; start < n; start += kBlock) {
    const size_t count = std::min(kBlock, n - start);
    for (size_t i = 0; i < count; ++i) e[i] = x[start + i] > 20 ? 20 : x[start + i];
    kernels::exp(e, e, count);
    for (size_t i = 0; i < count; ++i) {
      const float m = e[i] * (e[i] + 2);
      y[start + i] = x[start + i] * (m / (m + 2));
    }
  }
}

Unary parse_relu(const NodeView&) {
  Unary op = with_kernel(Kind::kRelu, positive_part);
  op.integers = [](int64_t x, bool is_unsigned) { return x < 0 && !is_unsigned ? 0 : x; };
  return op;
}

Unary parse_leaky_relu(const NodeView& n) {
  const UnaryFunction f = [](double x, const Unary& op) { return x < 0 ? op.alpha * x : x; };
  return with_kernel(Kind::kLeakyRelu, f, n.attr_float("alpha", 0.01f));
}

Unary parse_elu(const NodeView& n) {
  const UnaryFunction f = [](double x, const Unary& op) { return x < 0 ? op.alpha * std::expm1(x) : x; };
  return with_kernel(Kind::kElu, f, n.attr_float("alpha", 1.0f));
}

Unary parse_hard_sigmoid(const NodeView& n) {
  const UnaryFunction f = [](double x, const Unary& op) { return gate(x, op.alpha, op.beta); };
  return with_kernel(Kind::kHardSigmoid, f, n.attr_float("alpha", 0.2f), n.attr_float("beta", 0.5f));
}

Unary parse_hard_swish(const NodeView&) {
  return with_kernel(Kind::kHardSwish, [](double x, const Unary&) { return x * gate(x, 1.0 / 6, 0.5); }, 1);
}

Unary parse_swish(const NodeView& n) {
  const UnaryFunction f = [](double x, const Unary& op) { return x / (1 + std::exp(-op.alpha * x)); };
  const float alpha = n.attr_float("alpha", 1.0f);
  if (alpha == 1) return with_kernel(Kind::kSilu, f, alpha);
  return {.f = f, .alpha = alpha};
}

Unary parse_quick_gelu(const NodeView& n) {
  Unary op = parse_swish(n);
  if (!n.has("alpha")) op = {.f = op.f, .alpha = static_cast<double>(1.702f)};
  return op;
}

Unary parse_gelu(const NodeView& n) {
  const std::string approximate = n.attr_string("approximate", "none");
  if (approximate == "tanh") {
    return with_kernel(Kind::kGeluTanh, [](double x, const Unary&) {
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 * std::numbers::inv_pi) * (x + 0.044715 * x * x * x)));
    });
  }
  if (approximate != "none") throw_error(ErrorCode::kModel, "approximate = '{}' is not known", approximate);
  return with_kernel(Kind::kGelu, [](double x, const Unary&) { return 0.5 * x * std::erfc(-x / std::numbers::sqrt2); });
}

Unary parse_selu(const NodeView& n) {
  const UnaryFunction f = [](double x, const Unary& op) { return op.beta * (x > 0 ? x : op.alpha * std::expm1(x)); };
  const bool first = n.opset() < 6;
  return {.f = f,
          .alpha = n.attr_float("alpha", first ? 1.6732f : 1.67326319217681884765625f),
          .beta = n.attr_float("gamma", first ? 1.0507f : 1.05070102214813232421875f)};
}

Unary parse_celu(const NodeView& n) {
  const UnaryFunction f = [](double x, const Unary& op) { return x < 0 ? op.alpha * std::expm1(x / op.alpha) : x; };
  return {.f = f, .alpha = n.attr_float("alpha", 1.0f)};
}

Unary parse_thresholded_relu(const NodeView& n) {
  const UnaryFunction f = [](double x, const Unary& op) { return x > op.alpha ? x : 0; };
  return {.f = f, .alpha = n.attr_float("alpha", 1.0f)};
}

Unary parse_shrink(const NodeView& n) {
  const UnaryFunction f = [](double x, const Unary& op) {
    return x < -op.alpha ? x + op.beta : x > op.alpha ? x - op.beta : 0;
  };
  return {.f = f,
          .integers_by_f = true,
          .alpha = n.attr_float("lambd", 0.5f),
          .beta = n.attr_float("bias", 0.0f)};
}

Unary parse_softplus(const NodeView&) {
  return {.f = [](double x, const Unary&) { return softplus(x); }, .f32 = softplus_f32};
}
Unary parse_softsign(const NodeView&) {
  return {.f = [](double x, const Unary&) { return std::isinf(x) ? std::copysign(1, x) : x / (1 + std::fabs(x)); }};
}
Unary parse_mish(const NodeView&) {
  return {.f = [](double x, const Unary&) { return x * std::tanh(softplus(x)); }, .f32 = mish_f32};
}

/// Affine, Scale, ScaledTanh and ParametricSoftplus were experimental until opset 10; older models have them.
Unary parse_affine(const NodeView& n) {
  const UnaryFunction f = [](double x, const Unary& op) { return op.alpha * x + op.beta; };
  return {.f = f, .alpha = n.attr_float("alpha", 1.0f), .beta = n.attr_float("beta", 0.0f)};
}
Unary parse_scale(const NodeView& n) {
  return {.f = [](double x, const Unary& op) { return op.alpha * x; }, .alpha = n.attr_float("scale", 1.0f)};
}
Unary parse_scaled_tanh(const NodeView& n) {
  const UnaryFunction f = [](double x, const Unary& op) { return op.alpha * std::tanh(op.beta * x); };
  return {.f = f, .alpha = n.attr_float("alpha"), .beta = n.attr_float("beta")};
}
Unary parse_parametric_softplus(const NodeView& n) {
  const UnaryFunction f = [](double x, const Unary& op) { return op.alpha * softplus(op.beta * x); };
  return {.f = f, .alpha = n.attr_float("alpha"), .beta = n.attr_float("beta")};
}

}  // namespace

KINGLET_OP(Relu, unary<parse_relu>(1));
KINGLET_OP(LeakyRelu, unary<parse_leaky_relu>(1));
KINGLET_OP(Elu, unary<parse_elu>(1));
KINGLET_OP(HardSigmoid, unary<parse_hard_sigmoid>(1));
KINGLET_OP(HardSwish, unary<parse_hard_swish>(14));
KINGLET_OP(Swish, unary<parse_swish>(24));
KINGLET_OP(Gelu, unary<parse_gelu>(20));
KINGLET_OP_IN(com_microsoft, "com.microsoft", Gelu, unary<parse_gelu>(1));
KINGLET_OP_IN(com_microsoft, "com.microsoft", QuickGelu, unary<parse_quick_gelu>(1));
KINGLET_OP(Selu, unary<parse_selu>(1));
KINGLET_OP(Celu, unary<parse_celu>(12));
KINGLET_OP(ThresholdedRelu, unary<parse_thresholded_relu>(1));
KINGLET_OP(Shrink, unary<parse_shrink>(9));
KINGLET_OP(Softplus, unary<parse_softplus>(1));
KINGLET_OP(Softsign, unary<parse_softsign>(1));
KINGLET_OP(Mish, unary<parse_mish>(18));
KINGLET_OP(Affine, unary<parse_affine>(1));
KINGLET_OP(Scale, unary<parse_scale>(1));
KINGLET_OP(ScaledTanh, unary<parse_scaled_tanh>(1));
KINGLET_OP(ParametricSoftplus, unary<parse_parametric_softplus>(1));

}  // namespace kinglet::ops
