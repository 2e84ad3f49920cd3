// QLinearConcat - codes with different scales joined along an axis under one scale (com.microsoft).
// Inputs: Y_scale, Y_zero_point, then for each part: X, X_scale, X_zero_point
// QLinearWhere - elements of one quantized input or the other by a condition (com.microsoft).
// Inputs: condition, X, x_scale, x_zero_point, Y, y_scale, y_zero_point, z_scale, z_zero_point

#include "ops/broadcast.hpp"
#include "ops/quantized/code_table.hpp"
#include "ops/shape_inputs.hpp"
#include "ops/tensor/pieces.hpp"

namespace kinglet::ops {
namespace {

/// The codes of a tensor under another scale, in scratch.
Tensor requantized(RunContext& c, const Tensor& x, const CodeScale& from, const CodeScale& to) {
  Tensor out(x.dtype(), x.shape(), c.scratch<std::byte>(x.count()));
  CodeTable(from, to, [](float v) { return v; }).apply(x.raw(), out.raw(), x.count());
  return out;
}

struct QConcat {
  int64_t axis;
};

QConcat parse_concat(const NodeView& n) {
  if (n.inputs() < 5 || n.inputs() % 3 != 2) throw_error(ErrorCode::kModel, "has {} inputs", n.inputs());
  return {n.attr_int("axis")};
}

void infer_concat(const QConcat& op, InferContext& c) {
  check_input(c, 0, kFloats);
  check_input(c, 1, kBytes);
  SymShape out;
  Dim sum = 0;
  for (size_t i = 2; i < c.inputs(); i += 3) {
    check_input(c, i, kBytes);
    check_input(c, i + 1, kFloats);
    check_input(c, i + 2, kBytes);
    require_same_types(c, 2, i);
    require_same_types(c, 1, i);
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
    sum = sum.known() && in[axis].known() ? Dim(add(sum.value(), in[axis].value())) : Dim();
  }
  if (out.has_rank()) out[normalize_axis(op.axis, out.rank())] = sum;
  c.out(0, c.dtype(2), std::move(out));
}

void run_concat(const QConcat& op, RunContext& c) {
  Tensor& y = c.out(0);
  const CodeScale to = code_scale(c, 0, y.dtype());
  std::vector<Tensor> parts;
  for (size_t i = 2; i < c.inputs(); i += 3) {
    parts.push_back(requantized(c, c.in(i), code_scale(c, i + 1, y.dtype()), to));
  }
  std::vector<const Tensor*> pointers;
  for (const Tensor& part : parts) pointers.push_back(&part);
  join(pointers, normalize_axis(op.axis, y.rank()), y);
}

bool permute_concat(Node& node, std::span<const int64_t> perm) {
  const std::optional<int64_t> axis = permuted_axis(NodeView(node).attr_int("axis"), perm);
  if (axis) node.set_int("axis", *axis);
  return axis.has_value();
}

struct QWhere {};

QWhere parse_where(const NodeView&) { return {}; }

void infer_where(const QWhere&, InferContext& c) {
  check_type(c.dtype(0), kBools);
  for (const size_t i : {1, 3, 4, 6, 8}) check_input(c, i, kBytes);
  for (const size_t i : {2, 5, 7}) check_input(c, i, kFloats);
  require_same_types(c, 1, 4);
  c.out(0, c.dtype(1), broadcast(broadcast(c.shape(0), c.shape(1)), c.shape(4)));
}

void run_where(const QWhere&, RunContext& c) {
  Tensor& z = c.out(0);
  const CodeScale to = code_scale(c, 7, z.dtype());
  const Tensor x = requantized(c, c.in(1), code_scale(c, 2, z.dtype()), to);
  const Tensor y = requantized(c, c.in(4), code_scale(c, 5, z.dtype()), to);
  const bool* chosen = c.in(0).data<bool>();
  for (Broadcast walk(z.shape(), {&c.in(0).shape(), &x.shape(), &y.shape()}); walk.more(); walk.next()) {
    for (size_t i = 0; i < walk.run; ++i) {
      const bool first = chosen[walk.offset[0] + i * walk.step[0]];
      z.raw()[walk.out_offset + i] = first ? x.raw()[walk.offset[1] + i * walk.step[1]] : y.raw()[walk.offset[2] + i * walk.step[2]];
    }
  }
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", QLinearConcat,
              op<QConcat, parse_concat, infer_concat, run_concat>(since(1)).with_permute(permute_concat));
KINGLET_OP_IN(com_microsoft, "com.microsoft", QLinearWhere,
              op<QWhere, parse_where, infer_where, run_where>(since(1)).with_traits(kPermutable));

}  // namespace kinglet::ops
