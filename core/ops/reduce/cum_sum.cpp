// CumSum and CumProd: running sums or products along an axis, from either end, with or without the element
// itself.

#include <algorithm>

#include "ops/axis.hpp"
#include "ops/elementwise.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct Cumulative {
  bool product, exclusive, reverse;
};

Cumulative parse(const NodeView& n) {
  return {.product = n.op_type() == "CumProd",
          .exclusive = n.attr_int("exclusive", 0) != 0,
          .reverse = n.attr_int("reverse", 0) != 0};
}

int64_t only_axis(std::span<const int64_t> axis) {
  RunContext::require(axis.size() == 1, "the axis must be one number, got {}", axis.size());
  return axis[0];
}

void infer(const Cumulative&, InferContext& c) {
  if (const auto axis = known_ints(c, 1)) check_axis(c.shape(0), only_axis(*axis));
  infer_unary(c, kNumbers);
}

/// Accumulates in float64, or in wrapping 64-bit integers.
template <class A>
class Accumulation {
 public:
  Accumulation(const Cumulative& op, const Tensor& x, Tensor& y)
      : op_(op), x_(x), y_(y), size_(dtype_size(x.dtype())) {}

  void run(const AxisView& view) {
    for (size_t o = 0; o < view.outer; ++o) {
      const size_t at = o * view.n * view.inner;
      if (view.inner == 1) {
        run_contiguous(at, view.n);
        continue;
      }
      for (size_t lane = 0; lane < view.inner; lane += kBlock) {
        run_lanes(at + lane, view, std::min(kBlock, view.inner - lane));
      }
    }
  }

 private:
  void run_lanes(size_t first, const AxisView& view, size_t n) {
    A totals[kBlock];
    std::fill_n(totals, n, first_total());
    for (size_t step = 0; step < view.n; ++step) {
      const size_t at = first + (op_.reverse ? view.n - 1 - step : step) * view.inner;
      load(at, n);
      if (op_.exclusive) store(at, totals, n);
      for (size_t i = 0; i < n; ++i) add(totals[i], values_[i]);
      if (!op_.exclusive) store(at, totals, n);
    }
  }

  void run_contiguous(size_t first, size_t n) {
    A total = first_total();
    for (size_t done = 0; done < n; done += kBlock) {
      const size_t count = std::min(kBlock, n - done);
      const size_t at = first + (op_.reverse ? n - done - count : done);
      load(at, count);
      for (size_t step = 0; step < count; ++step) {
        A& value = values_[op_.reverse ? count - 1 - step : step];
        const A before = total;
        add(total, value);
        value = op_.exclusive ? before : total;
      }
      store(at, values_, count);
    }
  }

  A first_total() const { return op_.product ? 1 : 0; }
  void add(A& total, A value) const { total = op_.product ? total * value : total + value; }
  void load(size_t at, size_t n) { convert(x_.dtype(), x_.raw() + at * size_, dtype_of<A>, values_, n); }
  void store(size_t at, const A* values, size_t n) {
    convert(dtype_of<A>, values, y_.dtype(), y_.raw() + at * size_, n);
  }

  const Cumulative& op_;
  const Tensor& x_;
  Tensor& y_;
  size_t size_;
  A values_[kBlock];
};

void run(const Cumulative& op, RunContext& c) {
  const Tensor& x = c.in(0);
  const AxisView view(x.shape(), normalize_axis(only_axis(to_int64s(c.in(1))), x.rank()));
  if (is_float(x.dtype())) return Accumulation<double>(op, x, c.out(0)).run(view);
  Accumulation<uint64_t>(op, x, c.out(0)).run(view);
}

constexpr OpDef cumulative(int64_t first_opset) {
  return op<Cumulative, parse, infer, run>(since(first_opset)).with_traits(kInPlace);
}

}  // namespace

KINGLET_OP(CumSum, cumulative(11));
KINGLET_OP(CumProd, cumulative(26));

}  // namespace kinglet::ops
