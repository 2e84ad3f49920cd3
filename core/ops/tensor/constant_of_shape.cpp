// ConstantOfShape: a tensor of a given shape with one value everywhere, 0.0f when none is given.

#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct ConstantOfShape {
  Tensor value;
};

ConstantOfShape parse(const NodeView& n) {
  if (!n.has("value")) return {Tensor::scalar(0.0f)};
  Tensor value = n.attr_tensor("value");
  if (value.count() != 1) {
    throw_error(ErrorCode::kModel, "value must have one element, not {}", value.count());
  }
  return {std::move(value)};
}

void infer(const ConstantOfShape& op, InferContext& c) {
  c.in(0);
  require_non_negative(c, 0);
  const std::optional<std::vector<Dim>> dims = known_dims(c, 0);
  c.out(0, op.value.dtype(), dims ? SymShape(*dims) : SymShape());
}

void run(const ConstantOfShape& op, RunContext& c) {
  Tensor& out = c.out(0);
  fill_elements(out.dtype(), out.raw(), op.value.raw(), out.count());
}

}  // namespace

KINGLET_OP(ConstantOfShape, op<ConstantOfShape, parse, infer, run>(since(9)));

}  // namespace kinglet::ops
