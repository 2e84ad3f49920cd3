// CumSum: running sums along an axis, from either end, with or without the element itself.

#include <algorithm>

#include "ops/axis.hpp"
#include "ops/elementwise.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct CumSum {
  bool exclusive, reverse;
};

CumSum parse(const NodeView& n) {
  return {.exclusive = n.attr_int("exclusive", 0) != 0, .reverse = n.attr_int("reverse", 0) != 0};
}

int64_t only_axis(std::span<const int64_t> axis) {
  RunContext::require(axis.size() == 1, "the axis must be one number, got {}", axis.size());
  return axis[0];
}

void infer(const CumSum&, InferContext& c) {
  if (const auto axis = known_ints(c, 1)) check_axis(c.shape(0), only_axis(*axis));
  infer_unary(c, kNumbers);
}

/// Sums in float64, or in wrapping 64-bit integers.
template <class A>
void run_as(const CumSum& op, const AxisView& view, const Tensor& x, Tensor& y) {
  const DType wide = dtype_of<A>;
  const size_t size = dtype_size(x.dtype());
  A sums[kBlock], values[kBlock];
  for (size_t o = 0; o < view.outer; ++o) {
    for (size_t lane = 0; lane < view.inner; lane += kBlock) {
      const size_t n = std::min(kBlock, view.inner - lane);
      std::fill_n(sums, n, A{0});
      for (size_t step = 0; step < view.n; ++step) {
        const size_t row = op.reverse ? view.n - 1 - step : step;
        const size_t at = ((o * view.n + row) * view.inner + lane) * size;
        convert(x.dtype(), x.raw() + at, wide, values, n);
        if (op.exclusive) convert(wide, sums, y.dtype(), y.raw() + at, n);
        for (size_t i = 0; i < n; ++i) sums[i] += values[i];
        if (!op.exclusive) convert(wide, sums, y.dtype(), y.raw() + at, n);
      }
    }
  }
}

void run(const CumSum& op, RunContext& c) {
  const Tensor& x = c.in(0);
  const AxisView view(x.shape(), normalize_axis(only_axis(to_int64s(c.in(1))), x.rank()));
  if (is_float(x.dtype())) return run_as<double>(op, view, x, c.out(0));
  run_as<uint64_t>(op, view, x, c.out(0));
}

}  // namespace

KINGLET_OP(CumSum, op<CumSum, parse, infer, run>(since(11)).with_traits(kInPlace));

}  // namespace kinglet::ops
