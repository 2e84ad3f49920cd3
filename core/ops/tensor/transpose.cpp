// Transpose: permutes dims; without `perm` it reverses them.

#include "kernels/transpose.hpp"

#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct Transpose {
  std::vector<int64_t> perm;
  bool given;
};

Transpose parse(const NodeView& n) { return {n.attr_ints("perm", {}), n.has("perm")}; }

std::vector<size_t> permutation(const Transpose& op, size_t rank) {
  std::vector<size_t> out;
  for (size_t i = rank; !op.given && i-- > 0;) out.push_back(i);
  if (!op.given) return out;
  if (op.perm.size() != rank) {
    throw_error(ErrorCode::kShape, "perm has {} axes, the input rank {}", op.perm.size(), rank);
  }
  axis_mask(op.perm, rank);
  for (const int64_t axis : op.perm) out.push_back(normalize_axis(axis, rank));
  return out;
}

void infer(const Transpose& op, InferContext& c) {
  const SymShape& in = c.shape(0);
  if (const auto elements = c.dims(0)) c.out_dims(0, *elements);
  if (!in.has_rank()) return c.out(0, c.dtype(0), op.given ? SymShape::of_rank(op.perm.size()) : SymShape());
  std::vector<Dim> out;
  for (const size_t axis : permutation(op, in.rank())) out.push_back(in[axis]);
  c.out(0, c.dtype(0), SymShape(std::move(out)));
}

void run(const Transpose& op, RunContext& c) {
  const Tensor& in = c.in(0);
  Tensor& out = c.out(0);
  if (in.count() == 0) return;
  const std::vector<size_t> perm = permutation(op, in.rank());
  if (in.dtype() != DType::kString) {
    const std::vector<size_t> dims(in.shape().begin(), in.shape().end());
    return kernels::transpose(in.raw(), out.raw(), dtype_size(in.dtype()), dims, perm);
  }
  const auto src = strides_of(in.shape()), dst = strides_of(out.shape());
  std::vector<CopyAxis> axes;
  for (size_t i = 0; i < perm.size(); ++i) axes.push_back({out.dim(i), dst[i], src[perm[i]]});
  copy_strided(in.dtype(), axes, out.raw(), in.raw());
}

}  // namespace

KINGLET_OP(Transpose, op<Transpose, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
