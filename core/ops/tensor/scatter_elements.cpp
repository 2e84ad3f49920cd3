// ScatterElements (Scatter before opset 11): out is data, but out[i][index[i][j][k]][k] takes
// updates[i][j][k] for axis 1, and likewise for other axes.

#include "ops/move.hpp"
#include "ops/tensor/scatter.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct ScatterElements {
  int64_t axis;
  Reduction reduction;
};

ScatterElements parse(const NodeView& n) { return {n.attr_int("axis", 0), parse_reduction(n)}; }

void infer(const ScatterElements& op, InferContext& c) {
  require_same_types(c, 0, 2);
  if (c.shape(0).has_rank()) normalize_axis(op.axis, c.shape(0).rank());
  c.out(0, c.dtype(0), c.shape(0));
}

void run(const ScatterElements& op, RunContext& c) {
  const Tensor &data = c.in(0), &indices = c.in(1), &updates = c.in(2);
  require_same_type(data, updates);
  const size_t axis = normalize_axis(op.axis, data.rank());
  c.require(indices.shape() == updates.shape(), "indices are {}, updates {}", indices.shape(),
            updates.shape());
  c.require(indices.rank() == data.rank(), "data and indices must have one rank: {} and {}", data.rank(),
            indices.rank());
  for (size_t d = 0; d < data.rank(); ++d) {
    c.require(d == axis || indices.dim(d) <= data.dim(d), "indices {} are larger than data {}",
              indices.shape(), data.shape());
  }
  Tensor& out = c.out(0);
  out.copy_from(data);
  auto strides = strides_of(data.shape());
  const auto step = static_cast<size_t>(strides[axis]);
  strides[axis] = 0;
  const Indices at(indices);
  Odometer walk(indices.shape().dims(), strides);
  for (size_t i = 0, count = indices.count(); i < count; ++i, walk.next()) {
    const size_t offset = static_cast<size_t>(walk.offset()) + at.in(i, data.dim(axis)) * step;
    combine(op.reduction, data.dtype(), element(out, offset), element(updates, i), 1);
  }
}

}  // namespace

KINGLET_OP(ScatterElements, op<ScatterElements, parse, infer, run>(since(11)));
KINGLET_OP(Scatter, op<ScatterElements, parse, infer, run>(since(9)));

}  // namespace kinglet::ops
