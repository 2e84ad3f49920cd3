// OneHot: for each index a vector of `depth` elements along a new axis, values[1] at the index and values[0]
// elsewhere (everywhere when the index is outside of [-depth, depth)).

#include "ops/convert.hpp"
#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct OneHot {
  int64_t axis;
};

OneHot parse(const NodeView& n) { return {n.attr_int("axis", -1)}; }

/// The elements of a numeric tensor, fractions cut off.
std::vector<int64_t> to_integers(const Tensor& t) {
  std::vector<int64_t> out(t.count());
  convert(t.dtype(), t.raw(), DType::kInt64, out.data(), out.size());
  return out;
}

void infer(const OneHot& op, InferContext& c) {
  c.in(1);
  Dim depth;
  if (const Tensor* t = c.constant(1)) {
    c.require(t->count() == 1, "depth must have one element, got {}", t->count());
    const int64_t value = to_integers(*t)[0];
    c.require(value >= 0, "depth is {}", value);
    depth = value;
  } else if (const auto dims = c.dims(1); dims && dims->size() == 1) {
    depth = dims->front();
  }
  const SymShape& in = c.shape(0);
  if (!in.has_rank()) return c.out(0, c.dtype(2), {});
  const size_t axis = normalize_axis(op.axis, in.rank() + 1);
  std::vector<Dim> out = in.dims();
  out.insert(out.begin() + static_cast<ptrdiff_t>(axis), depth);
  c.out(0, c.dtype(2), SymShape(std::move(out)));
}

void run(const OneHot& op, RunContext& c) {
  const Tensor& values = c.in(2);
  Tensor& out = c.out(0);
  c.require(values.count() == 2, "values must be [off, on], got {}", values.shape());
  require_same_type(values, out);
  const size_t axis = normalize_axis(op.axis, out.rank());
  const int64_t depth = out.dim(axis);
  const size_t inner = out.shape().count(axis + 1, out.rank());
  fill_elements(out.dtype(), out.raw(), values.raw(), out.count());
  const std::vector<int64_t> indices = to_integers(c.in(0));
  for (size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] < -depth || indices[i] >= depth) continue;
    const auto index = static_cast<size_t>(indices[i] < 0 ? indices[i] + depth : indices[i]);
    const size_t offset = (i / inner * static_cast<size_t>(depth) + index) * inner + i % inner;
    copy_elements(out.dtype(), element(out, offset), element(values, 1), 1);
  }
}

}  // namespace

KINGLET_OP(OneHot, op<OneHot, parse, infer, run>(since(9)));

}  // namespace kinglet::ops
