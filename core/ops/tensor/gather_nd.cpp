// GatherND: the last dim of the indices names a slice of the data, for each of the leading batch dims by
// itself.

#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct GatherND {
  int64_t batch_dims;
};

GatherND parse(const NodeView& n) {
  const int64_t batch_dims = n.attr_int("batch_dims", 0);
  if (batch_dims < 0) throw_error(ErrorCode::kModel, "batch_dims is {}", batch_dims);
  return {batch_dims};
}

void infer(const GatherND& op, InferContext& c) {
  const SymShape &data = c.shape(0), &indices = c.shape(1);
  if (!data.has_rank() || !indices.has_rank()) return c.out(0, c.dtype(0), {});
  const auto rank = static_cast<int64_t>(data.rank()), index_rank = static_cast<int64_t>(indices.rank());
  c.require(op.batch_dims < rank && op.batch_dims < index_rank,
            "batch_dims {} is not below the ranks {} and {}", op.batch_dims, rank, index_rank);
  const auto batch = static_cast<size_t>(op.batch_dims);
  std::vector<Dim> out;
  for (size_t d = 0; d + 1 < indices.rank(); ++d) {
    out.push_back(d < batch ? unify(indices[d], data[d]) : indices[d]);
  }
  const Dim depth = indices[indices.rank() - 1];
  if (!depth.known()) return c.out(0, c.dtype(0), {});
  c.require(depth.value() >= 1 && depth.value() <= rank - op.batch_dims,
            "the indices' last dim is {}, outside of [1, {}]", depth.value(), rank - op.batch_dims);
  for (size_t d = batch + static_cast<size_t>(depth.value()); d < data.rank(); ++d) out.push_back(data[d]);
  c.out(0, c.dtype(0), SymShape(std::move(out)));
}

void run(const GatherND& op, RunContext& c) {
  const Tensor &data = c.in(0), &indices = c.in(1);
  Tensor& out = c.out(0);
  const auto batch = static_cast<size_t>(op.batch_dims);
  const auto depth = static_cast<size_t>(indices.shape().back());
  const size_t block = data.shape().count(batch + depth, data.rank());
  const size_t batches = data.shape().count(0, batch), batch_size = data.shape().count(batch, data.rank());
  const size_t tuples = indices.shape().count(batch, indices.rank() - 1);
  const auto strides = strides_of(data.shape());
  const Indices at(indices);
  if (out.count() == 0) return;
  for (size_t t = 0; t < batches * tuples; ++t) {
    size_t offset = t / tuples * batch_size;
    for (size_t k = 0; k < depth; ++k) {
      offset += at.in(t * depth + k, data.dim(batch + k)) * static_cast<size_t>(strides[batch + k]);
    }
    copy_elements(data.dtype(), element(out, t * block), element(data, offset), block);
  }
}

}  // namespace

KINGLET_OP(GatherND, op<GatherND, parse, infer, run>(since(11)));
KINGLET_OP_IN(com_microsoft, "com.microsoft", GatherND, op<GatherND, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
