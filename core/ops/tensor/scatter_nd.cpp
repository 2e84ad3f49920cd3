// ScatterND: a copy of the data with slices replaced by, or combined with, updates. The last dim of the
// indices names a slice.

#include "ops/move.hpp"
#include "ops/tensor/scatter.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct ScatterND {
  Reduction reduction;
};

ScatterND parse(const NodeView& n) { return {parse_reduction(n)}; }

void infer(const ScatterND&, InferContext& c) {
  require_same_types(c, 0, 2);
  c.out(0, c.dtype(0), c.shape(0));
}

void run(const ScatterND& op, RunContext& c) {
  const Tensor &data = c.in(0), &indices = c.in(1), &updates = c.in(2);
  require_same_type(data, updates);
  c.require(data.rank() >= 1 && indices.rank() >= 1, "data and indices must have rank >= 1");
  const int64_t last = indices.shape().back();
  c.require(last <= static_cast<int64_t>(data.rank()), "the indices' last dim is {}, data has rank {}", last,
            data.rank());
  const auto depth = static_cast<size_t>(last);
  const size_t block = data.shape().count(depth, data.rank()),
               tuples = indices.shape().count(0, indices.rank() - 1);
  Shape wanted(indices.shape().dims().first(indices.rank() - 1));
  for (size_t d = depth; d < data.rank(); ++d) wanted.push_back(data.dim(d));
  c.require(updates.shape() == wanted, "updates must be {}, got {}", wanted, updates.shape());

  Tensor& out = c.out(0);
  out.copy_from(data);
  const auto strides = strides_of(data.shape());
  const Indices at(indices);
  for (size_t t = 0; t < tuples; ++t) {
    size_t offset = 0;
    for (size_t k = 0; k < depth; ++k) {
      offset += at.in(t * depth + k, data.dim(k)) * static_cast<size_t>(strides[k]);
    }
    combine(op.reduction, data.dtype(), element(out, offset), element(updates, t * block), block);
  }
}

}  // namespace

KINGLET_OP(ScatterND, op<ScatterND, parse, infer, run>(since(11)));

}  // namespace kinglet::ops
