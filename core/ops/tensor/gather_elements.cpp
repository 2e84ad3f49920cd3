// GatherElements: out[i][j][k] = data[i][index[i][j][k]][k] for axis 1, and likewise for other axes.

#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct GatherElements {
  int64_t axis;
};

GatherElements parse(const NodeView& n) { return {n.attr_int("axis", 0)}; }

void infer(const GatherElements& op, InferContext& c) {
  const SymShape &data = c.shape(0), &indices = c.shape(1);
  if (data.has_rank()) normalize_axis(op.axis, data.rank());
  if (data.has_rank() && indices.has_rank()) {
    c.require(data.rank() == indices.rank(), "data and indices must have one rank: {} and {}", data.rank(),
              indices.rank());
  }
  c.out(0, c.dtype(0), indices.has_rank() || !data.has_rank() ? indices : SymShape::of_rank(data.rank()));
}

void run(const GatherElements& op, RunContext& c) {
  const Tensor &data = c.in(0), &indices = c.in(1);
  Tensor& out = c.out(0);
  const size_t axis = normalize_axis(op.axis, data.rank());
  for (size_t d = 0; d < data.rank(); ++d) {
    c.require(d == axis || indices.dim(d) <= data.dim(d), "indices {} are larger than data {}",
              indices.shape(), data.shape());
  }
  auto strides = strides_of(data.shape());
  const int64_t step = strides[axis], bound = data.dim(axis);
  strides[axis] = 0;
  const Indices at(indices);
  Odometer walk(indices.shape().dims(), strides);
  dispatch_width(data.dtype(), [&]<class T>() {
    auto* src = reinterpret_cast<const T*>(data.raw());
    auto* dst = reinterpret_cast<T*>(out.raw());
    for (size_t i = 0, count = out.count(); i < count; ++i, walk.next()) {
      dst[i] = src[walk.offset() + static_cast<int64_t>(at.in(i, bound)) * step];
    }
  });
}

}  // namespace

KINGLET_OP(GatherElements, op<GatherElements, parse, infer, run>(since(11)));

}  // namespace kinglet::ops
