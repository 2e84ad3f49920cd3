// Compress: keeps the slices along an axis (or elements of the flattened input) whose condition is true. The
// condition may be shorter than the axis.

#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct Compress {
  std::optional<int64_t> axis;
};

Compress parse(const NodeView& n) {
  return {n.has("axis") ? std::optional(n.attr_int("axis")) : std::nullopt};
}

void infer(const Compress& op, InferContext& c) {
  const SymShape& in = c.shape(0);
  SymShape out = op.axis ? in : SymShape::of_rank(1);
  if (op.axis && in.has_rank()) out[normalize_axis(*op.axis, in.rank())] = Dim();
  c.out(0, c.dtype(0), out);
}

void run(const Compress& op, RunContext& c) {
  const Tensor& in = c.in(0);
  if (c.in(1).dtype() != DType::kBool) {
    throw_error(ErrorCode::kModel, "the condition must be bool, not {}", c.in(1).dtype());
  }
  const std::span<const bool> condition = c.in(1).values<bool>();
  const size_t axis = op.axis ? normalize_axis(*op.axis, in.rank()) : 0;
  const size_t outer = op.axis ? in.shape().count(0, axis) : 1;
  const size_t length = op.axis ? static_cast<size_t>(in.dim(axis)) : in.count();
  const size_t inner = op.axis ? in.shape().count(axis + 1, in.rank()) : 1;
  c.require(c.in(1).rank() == 1 && condition.size() <= length, "condition {} for {} slices", c.in(1).shape(),
            length);

  const auto kept = static_cast<size_t>(std::count(condition.begin(), condition.end(), true));
  Shape shape = op.axis ? in.shape() : Shape{0};
  shape[axis] = static_cast<int64_t>(kept);
  Tensor& out = c.out(0, in.dtype(), shape);
  size_t at = 0;
  for (size_t o = 0; o < outer; ++o) {
    for (size_t i = 0; i < condition.size(); ++i) {
      if (!condition[i]) continue;
      copy_elements(in.dtype(), element(out, at), element(in, (o * length + i) * inner), inner);
      at += inner;
    }
  }
}

}  // namespace

KINGLET_OP(Compress, op<Compress, parse, infer, run>(since(9)));

}  // namespace kinglet::ops
