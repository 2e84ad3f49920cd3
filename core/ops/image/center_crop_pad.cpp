// CenterCropPad: brings dims to given sizes by cutting from, or adding zeros to, both ends alike.

#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct CenterCropPad {
  std::optional<std::vector<int64_t>> axes;
};

CenterCropPad parse(const NodeView& n) {
  return {n.has("axes") ? std::optional(n.attr_ints("axes")) : std::nullopt};
}

void infer(const CenterCropPad& op, InferContext& c) {
  c.in(1);
  require_non_negative(c, 1);
  const SymShape& in = c.shape(0);
  const std::optional<std::vector<Dim>> sizes = known_dims(c, 1);
  if (!in.has_rank()) return c.out(0, c.dtype(0), {});
  if (op.axes) axis_mask(*op.axes, in.rank());
  if (sizes) {
    const size_t wanted = op.axes ? op.axes->size() : in.rank();
    c.require(sizes->size() == wanted, "{} sizes for {} axes", sizes->size(), wanted);
  }
  SymShape out = in;
  for (size_t i = 0; i < (op.axes ? op.axes->size() : in.rank()); ++i) {
    out[op.axes ? normalize_axis((*op.axes)[i], in.rank()) : i] = sizes ? (*sizes)[i] : Dim();
  }
  c.out(0, c.dtype(0), std::move(out));
}

void run(const CenterCropPad&, RunContext& c) {
  const Tensor& in = c.in(0);
  Tensor& out = c.out(0);
  const auto src = strides_of(in.shape()), dst = strides_of(out.shape());
  std::array<CopyAxis, kMaxRank> axes;
  int64_t from = 0, to = 0;
  bool pads = false;
  for (size_t d = 0; d < in.rank(); ++d) {
    const int64_t grown = out.dim(d) - in.dim(d);
    axes[d] = {std::min(out.dim(d), in.dim(d)), dst[d], src[d]};
    (grown > 0 ? to : from) += std::abs(grown) / 2 * (grown > 0 ? dst[d] : src[d]);
    pads = pads || grown > 0;
  }
  if (pads) fill_elements(in.dtype(), out.raw(), nullptr, out.count());
  if (in.count() == 0 || out.count() == 0) return;
  copy_strided(in.dtype(), std::span(axes).first(in.rank()), element(out, static_cast<size_t>(to)),
               element(in, static_cast<size_t>(from)));
}

}  // namespace

KINGLET_OP(CenterCropPad, op<CenterCropPad, parse, infer, run>(since(18)));

}  // namespace kinglet::ops
