// ConcatFromSequence: the tensors of a sequence, joined along an axis or stacked along a new one (ONNX 11).

#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"
#include "ops/tensor/pieces.hpp"

namespace kinglet::ops {
namespace {

struct ConcatFromSequence {
  int64_t axis;
  bool new_axis;
};

ConcatFromSequence parse(const NodeView& n) { return {n.attr_int("axis"), n.attr_int("new_axis", 0) != 0}; }

void infer(const ConcatFromSequence&, InferContext& c) { c.out(0, DType::kUndefined, {}); }

void run(const ConcatFromSequence& op, RunContext& c) {
  const auto items = c.in(0).items();
  c.require(!items.empty(), "the sequence is empty");
  const Tensor& first = items.front();
  std::vector<int64_t> dims(first.shape().begin(), first.shape().end());
  const size_t axis = normalize_axis(op.axis, dims.size() + (op.new_axis ? 1 : 0));
  std::vector<const Tensor*> parts;
  int64_t length = 0;
  for (const Tensor& item : items) {
    require_same_type(item, first);
    bool fits = item.rank() == first.rank();
    for (size_t d = 0; fits && d < item.rank(); ++d) {
      fits = (d == axis && !op.new_axis) || item.dim(d) == first.dim(d);
    }
    c.require(fits, "{} and {} do not join along axis {}", first.shape(), item.shape(), axis);
    parts.push_back(&item);
    if (!op.new_axis) length = add(length, item.dim(axis));
  }
  if (!op.new_axis) {
    dims[axis] = length;
    return join(parts, axis, c.out(0, first.dtype(), Shape(dims)));
  }
  // Stacking is joining where each part has length 1 along the new axis.
  dims.insert(dims.begin() + static_cast<ptrdiff_t>(axis), static_cast<int64_t>(items.size()));
  Tensor& out = c.out(0, first.dtype(), Shape(dims));
  std::vector<Tensor> rows;
  for (const Tensor& item : items) {
    std::vector<int64_t> row(item.shape().begin(), item.shape().end());
    row.insert(row.begin() + static_cast<ptrdiff_t>(axis), 1);
    rows.push_back(item.reshaped(Shape(row)));
  }
  for (size_t i = 0; i < rows.size(); ++i) parts[i] = &rows[i];
  join(parts, axis, out);
}

}  // namespace

KINGLET_OP(ConcatFromSequence, op<ConcatFromSequence, parse, infer, run>(since(11)));

}  // namespace kinglet::ops
