// SumTo, Kinglet's own: input 0 summed to the shape of input 1, which broadcasts to it. What broadcasting does to a value,
// this does to its derivative.

#include "ops/elementwise.hpp"
#include "ops/fold.hpp"

namespace kinglet::ops {
namespace {

struct SumTo {};

SumTo parse(const NodeView&) { return {}; }

void infer(const SumTo&, InferContext& c) {
  check_type(c.dtype(0), kNumbers);
  c.out(0, c.dtype(0), c.shape(1));
}

void run(const SumTo&, RunContext& c) {
  const Tensor& x = c.in(0);
  const Shape &from = x.shape(), &to = c.in(1).shape();
  c.require(broadcast(from, to) == from, "{} is no broadcast of {}", from, to);
  if (from == to) return c.out(0).copy_from(x);
  AxisSet axes{};
  const size_t added = from.rank() - to.rank();
  for (size_t i = 0; i < from.rank(); ++i) axes[i] = i < added || to[i - added] != from[i];
  fold_tensor(Fold::kSum, Finish::kNone, x, axes, c.out(0));
}

}  // namespace

KINGLET_OP_IN(kinglet, "kinglet", SumTo, op<SumTo, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
