// Tile: repeats a tensor along each dim.

#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct Tile {};

Tile parse(const NodeView&) { return {}; }

void infer(const Tile&, InferContext& c) {
  const SymShape& in = c.shape(0);
  c.in(1);
  require_non_negative(c, 1);
  const std::optional<std::vector<Dim>> repeats = known_dims(c, 1);
  if (!in.has_rank()) return c.out(0, c.dtype(0), repeats ? SymShape::of_rank(repeats->size()) : SymShape());
  if (!repeats) return c.out(0, c.dtype(0), SymShape::of_rank(in.rank()));
  c.require(repeats->size() == in.rank(), "{} repeats for rank {}", repeats->size(), in.rank());
  std::vector<Dim> out;
  for (size_t i = 0; i < in.rank(); ++i) {
    const Dim factors[] = {in[i], (*repeats)[i]};
    out.push_back(product(factors));
  }
  c.out(0, c.dtype(0), SymShape(std::move(out)));
}

void run(const Tile&, RunContext& c) {
  const Tensor& in = c.in(0);
  Tensor& out = c.out(0);
  if (out.count() == 0) return;
  const auto src = strides_of(in.shape()), dst = strides_of(out.shape());
  std::array<CopyAxis, 2 * kMaxRank> axes;
  for (size_t i = 0; i < in.rank(); ++i) {
    axes[2 * i] = {out.dim(i) / in.dim(i), dst[i] * in.dim(i), 0};
    axes[2 * i + 1] = {in.dim(i), dst[i], src[i]};
  }
  copy_strided(in.dtype(), std::span(axes).first(2 * in.rank()), out.raw(), in.raw());
}

}  // namespace

KINGLET_OP(Tile, op<Tile, parse, infer, run>(since(6)));

}  // namespace kinglet::ops
