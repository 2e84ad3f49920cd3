// Shape and Size: the dims of a tensor, and how many elements it has.

#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct ShapeOp {
  int64_t start, end;  // a part of the dims, as Python slices; opset 15
};

struct Size {};

ShapeOp parse_shape(const NodeView& n) { return {n.attr_int("start", 0), n.attr_int("end", INT64_MAX)}; }
Size parse_size(const NodeView&) { return {}; }

/// The dims [first, second) that are wanted.
std::pair<size_t, size_t> bounds(const ShapeOp& op, size_t rank) {
  const auto r = static_cast<int64_t>(rank);
  const auto clamp = [r](int64_t i) {
    return static_cast<size_t>(std::clamp<int64_t>(i < 0 ? i + r : i, 0, r));
  };
  return {clamp(op.start), std::max(clamp(op.start), clamp(op.end))};
}

void infer_shape(const ShapeOp& op, InferContext& c) {
  const SymShape& in = c.shape(0);
  if (!in.has_rank()) return c.out(0, DType::kInt64, SymShape::of_rank(1));
  const auto [first, last] = bounds(op, in.rank());
  c.out(0, DType::kInt64, Shape{static_cast<int64_t>(last - first)});
  c.out_dims(0, std::vector<Dim>(in.dims().begin() + static_cast<ptrdiff_t>(first),
                                 in.dims().begin() + static_cast<ptrdiff_t>(last)));
}

void run_shape(const ShapeOp& op, RunContext& c) {
  const Shape& in = c.in(0).shape();
  const auto [first, last] = bounds(op, in.rank());
  std::copy(in.begin() + first, in.begin() + last, c.out(0).data<int64_t>());
}

void infer_size(const Size&, InferContext& c) {
  c.out(0, DType::kInt64, Shape{});
  if (c.shape(0).has_rank()) c.out_dims(0, {product(c.shape(0).dims())});
}

void run_size(const Size&, RunContext& c) {
  *c.out(0).data<int64_t>() = static_cast<int64_t>(c.in(0).count());
}

}  // namespace

KINGLET_OP(Shape, op<ShapeOp, parse_shape, infer_shape, run_shape>(since(1)).with_traits(kShapeOnly));
KINGLET_OP(Size, op<Size, parse_size, infer_size, run_size>(since(1)).with_traits(kShapeOnly));

}  // namespace kinglet::ops
