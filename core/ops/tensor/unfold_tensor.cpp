// UnfoldTensor of com.microsoft: windows of `size` elements along one dim, `step` apart. Their number stands where that
// dim was, their elements in a new last dim.

#include <algorithm>

#include "ops/axis.hpp"
#include "ops/move.hpp"

namespace kinglet::ops {
namespace {

struct UnfoldTensor {
  int64_t axis, size, step;
};

UnfoldTensor parse(const NodeView& n) {
  const UnfoldTensor op{n.attr_int("dim", -1), n.attr_int("size"), n.attr_int("step", 1)};
  if (op.size < 1 || op.step < 1 || op.size > INT32_MAX || op.step > INT32_MAX) throw_error(ErrorCode::kModel, "windows of {} elements, {} apart", op.size, op.step);
  return op;
}

void infer(const UnfoldTensor& op, InferContext& c) {
  SymShape shape = c.shape(0);
  if (!shape.has_rank()) return c.out(0, c.dtype(0), {});
  Dim& dim = shape[normalize_axis(op.axis, shape.rank())];
  if (dim.known()) {
    c.require(dim.value() >= op.size, "a window of {} does not fit {}", op.size, c.shape(0));
    dim = (dim.value() - op.size) / op.step + 1;
  } else {
    dim = Dim();
  }
  shape.push_back(op.size);
  c.out(0, c.dtype(0), shape);
}

void run(const UnfoldTensor& op, RunContext& c) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  if (y.count() == 0) return;
  const auto from = strides_of(x.shape()), to = strides_of(y.shape());
  const size_t axis = normalize_axis(op.axis, x.rank());
  std::vector<CopyAxis> loops;
  for (size_t i = 0; i < x.rank(); ++i) loops.push_back({y.dim(i), to[i], from[i] * (i == axis ? op.step : 1)});
  loops.push_back({op.size, 1, from[axis]});
  copy_strided(x.dtype(), loops, y.raw(), x.raw());
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", UnfoldTensor, op<UnfoldTensor, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
