// Min, Max, Sum and Mean of any number of inputs, with broadcasting. Min and Max give NaN when any operand is NaN.

#include "ops/elementwise.hpp"

namespace kinglet::ops {
namespace {

struct MinFunction {
  template <class T>
  static T of(T a, T b) { return a < b || a != a ? a : b; }
};

struct MaxFunction {
  template <class T>
  static T of(T a, T b) { return a > b || a != a ? a : b; }
};

struct SumFunction {
  static double of(double a, double b) { return a + b; }
};

struct QuotientFunction {
  static double of(double a, double b) { return a / b; }
};

template <class F>
constexpr BinaryLoops extreme_loops(kernels::Binary kernel) {
  return {nullptr, binary_loop<F, double>, binary_loop<F, int64_t>, binary_loop<F, uint64_t>, kernel};
}
constexpr BinaryLoops kMinLoops = extreme_loops<MinFunction>(kernels::Binary::kMin);
constexpr BinaryLoops kMaxLoops = extreme_loops<MaxFunction>(kernels::Binary::kMax);
constexpr BinaryLoops kSumLoops = {nullptr, binary_loop<SumFunction, double>, nullptr, nullptr, kernels::Binary::kAdd};
constexpr BinaryLoops kQuotientLoops = {nullptr, binary_loop<QuotientFunction, double>, nullptr, nullptr,
                                        kernels::Binary::kDiv};

struct Variadic {};
Variadic parse(const NodeView& n) {
  if (n.inputs() == 0) throw_error(ErrorCode::kModel, "needs at least one input");
  return {};
}

void infer_extreme(const Variadic&, InferContext& c) { infer_broadcast(c, kNumbers); }
void infer_sum(const Variadic&, InferContext& c) { infer_broadcast(c, kFloats); }

template <const BinaryLoops& loops>
void run_extreme(const Variadic&, RunContext& c) {
  Tensor& y = c.out(0);
  // The output may lie on an input: that one is read first, before anything is written.
  size_t first = 0;
  while (first < c.inputs() && c.in(first).raw() != y.raw()) ++first;
  if (first == c.inputs()) first = 0;
  const size_t second = first != 0 || c.inputs() == 1 ? 0 : 1;
  apply_binary(loops, c.in(first), c.in(second), y);
  for (size_t i = 0; i < c.inputs(); ++i) {
    if (i != first && i != second) apply_binary(loops, y, c.in(i), y);
  }
}

/// Half types are summed as float32 and rounded once.
template <bool mean>
void run_sum(const Variadic&, RunContext& c) {
  Tensor& y = c.out(0);
  const DType wide = wide_type(y.dtype());
  const auto widened = [&](const Tensor& t) {
    if (t.dtype() == wide) return t;
    Tensor out(wide, t.shape(), c.scratch<float>(t.count()));
    convert(t.dtype(), t.raw(), wide, out.raw(), t.count());
    return out;
  };
  alignas(double) std::byte element[sizeof(double)];
  const auto scalar = [&](double value) {
    convert(DType::kFloat64, &value, wide, element, 1);
    return Tensor(wide, {}, element);
  };
  Tensor sum = y.dtype() == wide ? y : Tensor(wide, y.shape(), c.scratch<float>(y.count()));
  apply_binary(kSumLoops, widened(c.in(0)), c.inputs() > 1 ? widened(c.in(1)) : scalar(0), sum);
  for (size_t i = 2; i < c.inputs(); ++i) apply_binary(kSumLoops, sum, widened(c.in(i)), sum);
  if (mean) apply_binary(kQuotientLoops, sum, scalar(static_cast<double>(c.inputs())), sum);
  if (y.dtype() != wide) convert(wide, sum.raw(), y.dtype(), y.raw(), y.count());
}

template <const BinaryLoops& loops>
constexpr OpDef extreme() {
  return op<Variadic, parse, infer_extreme, run_extreme<loops>>(since(1)).with_traits(kInPlace | kPermutable);
}

}  // namespace

KINGLET_OP(Min, extreme<kMinLoops>());
KINGLET_OP(Max, extreme<kMaxLoops>());
KINGLET_OP(Sum, op<Variadic, parse, infer_sum, run_sum<false>>(since(1)).with_traits(kPermutable));
KINGLET_OP(Mean, op<Variadic, parse, infer_sum, run_sum<true>>(since(1)).with_traits(kPermutable));

}  // namespace kinglet::ops
