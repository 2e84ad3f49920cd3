// Tile: repeats a tensor along each dim; before opset 6 along one, input 2, as often as input 1 says.

#include "ops/legacy.hpp"
#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct Tile {
  bool one_axis;
};

Tile parse(const NodeView& n) { return {n.opset() < 6}; }

/// The only element of a tensor of any numeric type.
int64_t only_number(const Tensor& t) {
  const std::vector<int64_t> numbers = integers_of(t);
  if (numbers.size() != 1) throw_error(ErrorCode::kShape, "expected one number, got {}", t.shape());
  return numbers[0];
}

void infer_one_axis(InferContext& c) {
  const SymShape& in = c.shape(0);
  c.in(1);
  c.in(2);
  if (!in.has_rank()) return c.out(0, c.dtype(0), {});
  const Tensor *count = c.constant(1), *axis = c.constant(2);
  SymShape out = axis != nullptr ? in : SymShape::of_rank(in.rank());
  if (axis != nullptr) {
    Dim& dim = out[normalize_axis(only_number(*axis), in.rank())];
    const int64_t repeats = count != nullptr ? only_number(*count) : 0;
    c.require(repeats >= 0, "{} repeats", repeats);
    dim = count != nullptr && dim.known() ? Dim(multiply(dim.value(), repeats)) : Dim();
  }
  c.out(0, c.dtype(0), std::move(out));
}

void infer(const Tile& op, InferContext& c) {
  if (op.one_axis) return infer_one_axis(c);
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

KINGLET_OP(Tile, op<Tile, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
