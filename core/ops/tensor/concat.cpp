// Concat: joins tensors along one axis, which is 1 before opset 4 when it is not said.

#include "ops/shape_inputs.hpp"
#include "ops/tensor/pieces.hpp"

namespace kinglet::ops {
namespace {

struct Concat {
  int64_t axis;
};

Concat parse(const NodeView& n) { return {n.opset() < 4 ? n.attr_int("axis", 1) : n.attr_int("axis")}; }

void infer_elements(InferContext& c) {
  std::vector<Dim> all;
  for (size_t i = 0; i < c.inputs(); ++i) {
    const SymShape& shape = c.shape(i);
    if (!shape.has_rank() || shape.rank() != 1 || !shape[0].known()) return;
    const std::optional<std::vector<Dim>> dims = c.dims(i);
    const auto count = static_cast<uint64_t>(shape[0].value());
    if (count + all.size() > kMaxRank || (dims && dims->size() != count)) return;
    for (size_t k = 0; k < count; ++k) all.push_back(dims ? (*dims)[k] : Dim());
  }
  c.out_dims(0, std::move(all));
}

void infer(const Concat& op, InferContext& c) {
  c.require(c.inputs() > 0, "needs at least one input");
  DType type = DType::kUndefined;
  SymShape out;
  Dim sum = 0;
  for (size_t i = 0; i < c.inputs(); ++i) {
    require_same_types(c, 0, i);
    if (c.dtype(i) != DType::kUndefined) type = c.dtype(i);
    const SymShape& in = c.shape(i);
    if (!in.has_rank()) {
      sum = Dim();
      continue;
    }
    const size_t axis = normalize_axis(op.axis, in.rank());
    if (!out.has_rank()) out = SymShape::of_rank(in.rank());
    c.require(out.rank() == in.rank(), "inputs must have one rank: {} and {}", out.rank(), in.rank());
    for (size_t d = 0; d < in.rank(); ++d) {
      if (d != axis) out[d] = unify(out[d], in[d]);
    }
    const Dim dim = in[axis];
    if (dim.known() && sum.known()) {
      sum = add(sum.value(), dim.value());
    } else if (!(dim.known() && dim.value() == 0)) {
      sum = sum.known() && sum.value() == 0 ? dim : Dim();
    }
  }
  if (out.has_rank()) out[normalize_axis(op.axis, out.rank())] = sum;
  const bool vector = out.has_rank() && out.rank() == 1;
  c.out(0, type, std::move(out));
  if (vector && (type == DType::kInt64 || type == DType::kInt32)) infer_elements(c);
}

void run(const Concat& op, RunContext& c) {
  Tensor& out = c.out(0);
  const size_t axis = normalize_axis(op.axis, out.rank());
  std::vector<const Tensor*> parts;
  for (size_t i = 0; i < c.inputs(); ++i) parts.push_back(&c.in(i));
  join(parts, axis, out);
}

bool permute(Node& node, std::span<const int64_t> perm) {
  const std::optional<int64_t> axis = permuted_axis(NodeView(node).attr_int("axis", 1), perm);
  if (axis) node.set_int("axis", *axis);
  return axis.has_value();
}

}  // namespace

KINGLET_OP(Concat, op<Concat, parse, infer, run>(since(1)).with_permute(permute));

}  // namespace kinglet::ops
