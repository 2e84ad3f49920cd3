// Functions without parameters: roots, exponentials, rounding, trigonometry, signs.

#include "kernels/math.hpp"

#include <cmath>

#include "ops/unary.hpp"

namespace kinglet::ops {
namespace {

template <UnaryFunction f, Float32Kernel f32, IntegerFunction integers>
Unary parse(const NodeView&) {
  return {.f = f, .f32 = f32, .integers = integers};
}

template <UnaryFunction f, Float32Kernel f32 = nullptr, IntegerFunction integers = nullptr>
constexpr OpDef function(int64_t first_opset) {
  return unary<parse<f, f32, integers>>(first_opset);
}

/// A function of <cmath> as a UnaryFunction.
template <double (*f)(double)>
double call(double x, const Unary&) { return f(x); }

double negate(double x, const Unary&) { return -x; }
double reciprocal(double x, const Unary&) { return 1 / x; }
double sigmoid(double x, const Unary&) { return 1 / (1 + std::exp(-x)); }
double sign(double x, const Unary&) { return x > 0 ? 1 : x < 0 ? -1 : x; }

double round_even(double x, const Unary&) {
  const double down = std::floor(x);
  const double rest = x - down;
  // Infinities have no rest (NaN) and are whole already.
  if (!(rest > 0)) return x;
  const bool up = rest > 0.5 || (rest == 0.5 && std::fmod(down, 2) != 0);
  return std::copysign(up ? down + 1 : down, x);
}

/// Wraps for the least integer.
int64_t negated(int64_t x) { return static_cast<int64_t>(-static_cast<uint64_t>(x)); }
int64_t negate_integer(int64_t x, bool) { return negated(x); }
int64_t abs_integer(int64_t x, bool is_unsigned) { return x < 0 && !is_unsigned ? negated(x) : x; }
int64_t sign_integer(int64_t x, bool is_unsigned) { return x == 0 ? 0 : x < 0 && !is_unsigned ? -1 : 1; }

}  // namespace

KINGLET_OP(Abs, function<call<std::fabs>, kernels::abs, abs_integer>(1));
KINGLET_OP(Neg, function<negate, kernels::negate, negate_integer>(1));
KINGLET_OP(Sign, function<sign, nullptr, sign_integer>(9));
KINGLET_OP(Sqrt, function<call<std::sqrt>, kernels::sqrt>(1));
KINGLET_OP(Reciprocal, function<reciprocal, kernels::reciprocal>(1));
KINGLET_OP(Exp, function<call<std::exp>, kernels::exp>(1));
KINGLET_OP(Log, function<call<std::log>, kernels::log>(1));
KINGLET_OP(Erf, function<call<std::erf>, kernels::erf>(9));
KINGLET_OP(Sigmoid, function<sigmoid, kernels::sigmoid>(1));
KINGLET_OP(Tanh, function<call<std::tanh>, kernels::tanh>(1));
KINGLET_OP(Floor, function<call<std::floor>, kernels::floor>(1));
KINGLET_OP(Ceil, function<call<std::ceil>, kernels::ceil>(1));
KINGLET_OP(Round, function<round_even, kernels::round_even>(11));
KINGLET_OP(Sin, function<call<std::sin>>(7));
KINGLET_OP(Cos, function<call<std::cos>>(7));
KINGLET_OP(Tan, function<call<std::tan>>(7));
KINGLET_OP(Asin, function<call<std::asin>>(7));
KINGLET_OP(Acos, function<call<std::acos>>(7));
KINGLET_OP(Atan, function<call<std::atan>>(7));
KINGLET_OP(Sinh, function<call<std::sinh>>(9));
KINGLET_OP(Cosh, function<call<std::cosh>>(9));
KINGLET_OP(Asinh, function<call<std::asinh>>(9));
KINGLET_OP(Acosh, function<call<std::acosh>>(9));
KINGLET_OP(Atanh, function<call<std::atanh>>(9));

}  // namespace kinglet::ops
