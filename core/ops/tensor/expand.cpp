// Expand: broadcasts a tensor with a shape, both ways.

#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct Expand {};

Expand parse(const NodeView&) { return {}; }

void infer(const Expand&, InferContext& c) {
  c.in(1);
  require_non_negative(c, 1);
  const std::optional<std::vector<Dim>> dims = known_dims(c, 1);
  c.out(0, c.dtype(0), dims ? broadcast(c.shape(0), SymShape(*dims)) : SymShape());
}

void run(const Expand&, RunContext& c) {
  const Tensor& in = c.in(0);
  Tensor& out = c.out(0);
  const auto src = strides_of(in.shape()), dst = strides_of(out.shape());
  std::array<CopyAxis, kMaxRank> axes;
  for (size_t i = 0; i < out.rank(); ++i) {
    const size_t d = i + in.rank() - out.rank();  // wraps for the new dims in front
    axes[i] = {out.dim(i), dst[i], d < in.rank() && in.dim(d) != 1 ? src[d] : 0};
  }
  copy_strided(in.dtype(), std::span(axes).first(out.rank()), out.raw(), in.raw());
}

}  // namespace

KINGLET_OP(Expand, op<Expand, parse, infer, run>(since(8)));

}  // namespace kinglet::ops
