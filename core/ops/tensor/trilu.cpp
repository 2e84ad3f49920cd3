// Trilu: keeps the upper or lower triangle of each trailing matrix, from diagonal k on, and sets the rest to
// zero. Of ONNX 14 and com.microsoft.

#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct Trilu {
  bool upper;
};

Trilu parse(const NodeView& n) { return {n.attr_int("upper", 1) != 0}; }

void infer(const Trilu&, InferContext& c) {
  const SymShape& in = c.shape(0);
  c.require(!in.has_rank() || in.rank() >= 2, "needs a matrix: rank >= 2, got {}", in.rank());
  c.out(0, c.dtype(0), in);
}

void run(const Trilu& op, RunContext& c) {
  const Tensor& in = c.in(0);
  Tensor& out = c.out(0);
  if (in.count() == 0) return;
  const int64_t rows = in.dim(in.rank() - 2), columns = in.dim(in.rank() - 1);
  int64_t k = 0;
  if (c.has(1)) {
    c.require(c.in(1).count() == 1, "k must have one element, got {}", c.in(1).count());
    k = std::clamp(Indices(c.in(1))[0], -rows, columns);
  }
  const size_t lines = in.count() / static_cast<size_t>(columns);
  for (size_t line = 0; line < lines; ++line) {
    const auto row = static_cast<int64_t>(line % static_cast<size_t>(rows));
    // The upper part starts on the diagonal, the lower part ends behind it.
    const auto split = static_cast<size_t>(std::clamp<int64_t>(row + k + (op.upper ? 0 : 1), 0, columns));
    const size_t begin = op.upper ? split : 0, end = op.upper ? static_cast<size_t>(columns) : split;
    const size_t at = line * static_cast<size_t>(columns);
    fill_elements(in.dtype(), element(out, at), nullptr, begin);
    copy_elements(in.dtype(), element(out, at + begin), element(in, at + begin), end - begin);
    fill_elements(in.dtype(), element(out, at + end), nullptr, static_cast<size_t>(columns) - end);
  }
}

}  // namespace

KINGLET_OP(Trilu, op<Trilu, parse, infer, run>(since(14)));
KINGLET_OP_IN(com_microsoft, "com.microsoft", Trilu, op<Trilu, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
