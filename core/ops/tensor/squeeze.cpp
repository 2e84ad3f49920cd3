// Squeeze and Unsqueeze: remove and insert dims of 1. The axes are an attribute before opset 13, then an
// input. ExpandDims of com.microsoft: Unsqueeze of one axis.

#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct Squeeze {
  std::optional<std::vector<int64_t>> axes;  // when they are an attribute
};

struct Unsqueeze {
  std::optional<std::vector<int64_t>> axes;
};

Squeeze parse_squeeze(const NodeView& n) {
  if (n.opset() >= 13 || !n.has("axes")) return {};
  return {n.attr_ints("axes")};
}

Unsqueeze parse_unsqueeze(const NodeView& n) {
  if (n.opset() >= 13) return {};
  return {n.attr_ints("axes")};
}

Unsqueeze parse_expand_dims(const NodeView&) { return {}; }

void infer_squeeze(const Squeeze& op, InferContext& c) {
  const SymShape& in = c.shape(0);
  const bool given = op.axes || c.has(1);
  const std::optional<std::vector<int64_t>> axes = op.axes ? op.axes : known_ints(c, 1);
  if (const auto elements = c.dims(0)) c.out_dims(0, *elements);
  if (!in.has_rank()) return c.out(0, c.dtype(0), {});
  if (given && !axes) {
    const auto count = known_dims(c, 1);
    if (!count) return c.out(0, c.dtype(0), {});
    c.require(count->size() <= in.rank(), "{} axes for an input of rank {}", count->size(), in.rank());
    return c.out(0, c.dtype(0), SymShape::of_rank(in.rank() - count->size()));
  }
  const Flags mask = given ? axis_mask(*axes, in.rank()) : Flags(in.rank());
  std::vector<Dim> out;
  for (size_t d = 0; d < in.rank(); ++d) {
    if (mask[d]) {
      c.require(!in[d].known() || in[d].value() == 1, "dim {} is {}, not 1", d,
                in[d].known() ? in[d].value() : 0);
    } else if (given) {
      out.push_back(in[d]);
    } else if (!in[d].known()) {
      return c.out(0, c.dtype(0), {});  // it might be 1
    } else if (in[d].value() != 1) {
      out.push_back(in[d]);
    }
  }
  c.out(0, c.dtype(0), SymShape(std::move(out)));
}

void infer_unsqueeze(const Unsqueeze& op, InferContext& c) {
  const SymShape& in = c.shape(0);
  const std::optional<std::vector<int64_t>> axes = op.axes ? op.axes : known_ints(c, 1);
  if (!op.axes && !c.has(1)) throw_error(ErrorCode::kModel, "needs axes");
  if (const auto elements = c.dims(0); elements && elements->size() == 1) c.out_dims(0, *elements);
  if (!in.has_rank()) return c.out(0, c.dtype(0), {});
  if (!axes) {
    const auto count = known_dims(c, 1);
    return c.out(0, c.dtype(0), count ? SymShape::of_rank(in.rank() + count->size()) : SymShape());
  }
  const Flags mask = axis_mask(*axes, in.rank() + axes->size());
  std::vector<Dim> out;
  size_t next = 0;
  for (const bool inserted : mask) out.push_back(inserted ? Dim(1) : in[next++]);
  c.out(0, c.dtype(0), SymShape(std::move(out)));
}

void infer_expand_dims(const Unsqueeze& op, InferContext& c) {
  if (const auto axes = known_dims(c, 1)) c.require(axes->size() == 1, "expected one axis, got {}", axes->size());
  infer_unsqueeze(op, c);
}

template <class Op>
void run(const Op&, RunContext& c) {
  c.out(0).copy_from(c.in(0));
}

}  // namespace

KINGLET_OP(Squeeze, op<Squeeze, parse_squeeze, infer_squeeze, run<Squeeze>>(since(1)).with_traits(kView));
KINGLET_OP(Unsqueeze,
           op<Unsqueeze, parse_unsqueeze, infer_unsqueeze, run<Unsqueeze>>(since(1)).with_traits(kView));
KINGLET_OP_IN(com_microsoft, "com.microsoft", ExpandDims,
              op<Unsqueeze, parse_expand_dims, infer_expand_dims, run<Unsqueeze>>(since(1)).with_traits(kView));

}  // namespace kinglet::ops
