// SplitToSequence: a tensor cut along one axis into a sequence (ONNX 11, 24): into pieces of one length, pieces of the
// given lengths, or single indices.

#include "ops/shape_inputs.hpp"
#include "ops/tensor/pieces.hpp"

namespace kinglet::ops {
namespace {

struct SplitToSequence {
  int64_t axis;
  bool keepdims;
};

SplitToSequence parse(const NodeView& n) { return {n.attr_int("axis", 0), n.attr_int("keepdims", 1) != 0}; }

void infer(const SplitToSequence&, InferContext& c) { c.out(0, DType::kSequence, {}); }

std::vector<int64_t> lengths_of(const RunContext& c, int64_t dim) {
  std::vector<int64_t> given = c.has(1) ? to_int64s(c.in(1)) : std::vector<int64_t>{1};
  if (c.has(1) && c.in(1).rank() != 0) {
    int64_t sum = 0;
    for (const int64_t length : given) {
      c.require(length >= 0, "a length of {} is negative", length);
      sum = add(sum, length);
    }
    c.require(sum == dim, "lengths sum to {}, the axis has {}", sum, dim);
    return given;
  }
  c.require(given[0] > 0, "a length of {} is not positive", given[0]);
  std::vector<int64_t> lengths;
  for (int64_t at = 0; at < dim; at += lengths.back()) lengths.push_back(std::min(given[0], dim - at));
  return lengths;
}

void run(const SplitToSequence& op, RunContext& c) {
  const Tensor& in = c.in(0);
  const size_t axis = normalize_axis(op.axis, in.rank());
  const bool drop = !c.has(1) && !op.keepdims;
  std::vector<Tensor> pieces;
  size_t at = 0;
  for (const int64_t length : lengths_of(c, in.dim(axis))) {
    std::vector<int64_t> dims(in.shape().begin(), in.shape().end());
    dims[axis] = length;
    Tensor piece(in.dtype(), Shape(dims));
    cut(in, axis, at, piece);
    at += static_cast<size_t>(length);
    if (drop) dims.erase(dims.begin() + static_cast<ptrdiff_t>(axis));
    pieces.push_back(drop ? piece.reshaped(Shape(dims)) : piece);
  }
  c.give(0, Tensor::sequence(pieces));
}

}  // namespace

KINGLET_OP(SplitToSequence, op<SplitToSequence, parse, infer, run>(since(11)));

}  // namespace kinglet::ops
