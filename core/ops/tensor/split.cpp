// Split: cuts a tensor along one axis. The lengths are an attribute (before opset 13), an input, or all
// alike; opset 1 has both, and an input of any type.

#include "ops/legacy.hpp"
#include "ops/shape_inputs.hpp"
#include "ops/tensor/pieces.hpp"

namespace kinglet::ops {
namespace {

struct Split {
  int64_t axis;
  size_t outputs;
  std::vector<int64_t> lengths;  // empty: equal parts, or input 1
  int64_t parts;                 // when equal
  bool uneven;                   // whether the last of the equal parts may be shorter
};

Split parse(const NodeView& n) {
  Split op{n.attr_int("axis", 0), n.outputs(), {}, static_cast<int64_t>(n.outputs()), n.opset() >= 18};
  if (n.opset() < 13) op.lengths = n.attr_ints("split", {});
  if (n.opset() >= 18) {
    op.parts = n.attr_int("num_outputs", op.parts);
    if (op.parts < static_cast<int64_t>(op.outputs)) {
      throw_error(ErrorCode::kModel, "num_outputs is {} for {} outputs", op.parts, op.outputs);
    }
  }
  return op;
}

/// The length of each output along the axis, which has `dim` elements.
std::vector<int64_t> lengths_of(const Split& op, std::vector<int64_t> lengths, bool given, int64_t dim) {
  if (!given) {
    if (op.parts == 0 || (!op.uneven && dim % op.parts != 0)) {
      throw_error(ErrorCode::kShape, "{} elements do not split into {} equal parts", dim, op.parts);
    }
    const int64_t part = dim / op.parts + (dim % op.parts != 0 ? 1 : 0);
    for (size_t i = 0; i < op.outputs; ++i) {
      lengths.push_back(std::min(part, dim));
      dim -= lengths.back();
    }
    return lengths;
  }
  int64_t sum = 0;
  for (const int64_t length : lengths) {
    if (length < 0) throw_error(ErrorCode::kShape, "a length of {} is negative", length);
    sum = add(sum, length);
  }
  if (sum != dim) throw_error(ErrorCode::kShape, "lengths sum to {}, the axis has {}", sum, dim);
  if (lengths.size() < op.outputs) {
    throw_error(ErrorCode::kShape, "{} lengths for {} outputs", lengths.size(), op.outputs);
  }
  return lengths;
}

void infer(const Split& op, InferContext& c) {
  const bool by_input = op.lengths.empty() && c.has(1);
  std::optional<std::vector<int64_t>> given;
  if (!op.lengths.empty()) {
    given = op.lengths;
  } else if (by_input && c.constant(1) != nullptr) {
    given = integers_of(*c.constant(1));
  } else {
    given = known_ints(c, 1);
  }
  const SymShape& in = c.shape(0);
  if (!in.has_rank()) {
    for (size_t i = 0; i < op.outputs; ++i) c.out(i, c.dtype(0), {});
    return;
  }
  const size_t axis = normalize_axis(op.axis, in.rank());
  std::vector<int64_t> lengths;
  if (given) lengths = *given;
  if (in[axis].known() && (given || !by_input)) {
    lengths = lengths_of(op, lengths, given.has_value(), in[axis].value());
  }
  const std::optional<std::vector<Dim>> elements = in.rank() == 1 ? c.dims(0) : std::nullopt;
  size_t at = 0;
  for (size_t i = 0; i < op.outputs; ++i) {
    SymShape out = in;
    if (i < lengths.size()) {
      out[axis] = lengths[i];
    } else if (op.parts != 1 || by_input) {
      out[axis] = Dim();
    }
    c.out(i, c.dtype(0), out);
    if (!elements || !out[axis].known()) continue;
    const auto end = at + static_cast<size_t>(out[axis].value());
    if (end > elements->size()) continue;
    c.out_dims(i, std::vector<Dim>(elements->begin() + static_cast<ptrdiff_t>(at),
                                   elements->begin() + static_cast<ptrdiff_t>(end)));
    at = end;
  }
}

void run(const Split& op, RunContext& c) {
  const Tensor& in = c.in(0);
  const size_t axis = normalize_axis(op.axis, in.rank());
  const bool by_input = op.lengths.empty() && c.has(1);
  const std::vector<int64_t> lengths = lengths_of(op, by_input ? integers_of(c.in(1)) : op.lengths,
                                                  by_input || !op.lengths.empty(), in.dim(axis));
  size_t at = 0;
  for (size_t i = 0; i < op.outputs; ++i) {
    if (c.wants(i)) cut(in, axis, at, c.out(i));
    at += static_cast<size_t>(lengths[i]);
  }
}

bool permute(Node& node, std::span<const int64_t> perm) {
  const std::optional<int64_t> axis = permuted_axis(NodeView(node).attr_int("axis", 0), perm);
  if (axis) node.set_int("axis", *axis);
  return axis.has_value();
}

}  // namespace

KINGLET_OP(Split, op<Split, parse, infer, run>(since(1)).with_permute(permute));

}  // namespace kinglet::ops
