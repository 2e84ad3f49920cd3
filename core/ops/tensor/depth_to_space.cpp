// DepthToSpace and SpaceToDepth: move blocks of channels to blocks of pixels, and back. [N, C, H, W], or
// [N, H, W, C] with channels_last.

#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct Blocks {
  int64_t size;
  bool column_row_depth;  // channel = (c, block row, block column), else (block row, block column, c)
  bool channels_last;
};

Blocks parse(const NodeView& n) {
  const std::string mode = n.attr_string("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") throw_error(ErrorCode::kModel, "mode '{}' is not known", mode);
  const Blocks op{n.attr_int("blocksize"), mode == "CRD", n.attr_int("channels_last", 0) != 0};
  if (op.size < 1 || op.size > INT32_MAX) throw_error(ErrorCode::kModel, "blocksize is {}", op.size);
  return op;
}

/// Where C, H and W are among the dims.
struct Layout {
  size_t c, h, w;
};
Layout layout(const Blocks& op) { return op.channels_last ? Layout{3, 1, 2} : Layout{1, 2, 3}; }

Dim divide(Dim dim, int64_t by) {
  if (!dim.known()) return by == 1 ? dim : Dim();
  if (dim.value() % by != 0) {
    throw_error(ErrorCode::kShape, "dim {} is not a multiple of {}", dim.value(), by);
  }
  return dim.value() / by;
}

Dim times(Dim dim, int64_t by) {
  const Dim factors[] = {dim, by};
  return product(factors);
}

void infer(const Blocks& op, InferContext& c, bool to_space) {
  const SymShape& in = c.shape(0);
  SymShape out = SymShape::of_rank(4);
  if (in.has_rank()) {
    c.require(in.rank() == 4, "needs rank 4, got {}", in.rank());
    const Layout l = layout(op);
    out[0] = in[0];
    out[l.c] = to_space ? divide(in[l.c], op.size * op.size) : times(in[l.c], op.size * op.size);
    out[l.h] = to_space ? times(in[l.h], op.size) : divide(in[l.h], op.size);
    out[l.w] = to_space ? times(in[l.w], op.size) : divide(in[l.w], op.size);
  }
  c.out(0, c.dtype(0), out);
}

void infer_to_space(const Blocks& op, InferContext& c) { infer(op, c, true); }
void infer_to_depth(const Blocks& op, InferContext& c) { infer(op, c, false); }

void run(const Blocks& op, RunContext& c, bool to_space) {
  const Tensor& in = c.in(0);
  Tensor& out = c.out(0);
  const Shape &depth = to_space ? in.shape() : out.shape(), &space = to_space ? out.shape() : in.shape();
  const auto d = strides_of(depth), s = strides_of(space);
  const Layout l = layout(op);
  const int64_t block = op.size, channels = space[l.c];
  const int64_t row = op.column_row_depth ? block : block * channels,
                column = op.column_row_depth ? 1 : channels;
  struct Both {
    int64_t count, in_space, in_depth;
  };
  const Both loops[] = {
      {depth[0], s[0], d[0]},
      {channels, s[l.c], d[l.c] * (op.column_row_depth ? block * block : 1)},
      {depth[l.h], s[l.h] * block, d[l.h]},
      {block, s[l.h], d[l.c] * row},
      {depth[l.w], s[l.w] * block, d[l.w]},
      {block, s[l.w], d[l.c] * column},
  };
  std::array<CopyAxis, 6> axes;
  for (size_t i = 0; i < 6; ++i) {
    const Both& loop = loops[i];
    axes[i] = {loop.count, to_space ? loop.in_space : loop.in_depth,
               to_space ? loop.in_depth : loop.in_space};
  }
  copy_strided(in.dtype(), axes, out.raw(), in.raw());
}

void run_to_space(const Blocks& op, RunContext& c) { run(op, c, true); }
void run_to_depth(const Blocks& op, RunContext& c) { run(op, c, false); }

}  // namespace

KINGLET_OP(DepthToSpace,
           op<Blocks, parse, infer_to_space, run_to_space>(since(1)).with_traits(kChannelsLast));
KINGLET_OP(SpaceToDepth,
           op<Blocks, parse, infer_to_depth, run_to_depth>(since(1)).with_traits(kChannelsLast));

}  // namespace kinglet::ops
