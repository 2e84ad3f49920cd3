// Slice: from start to end by step along some axes. Starts, ends and axes are attributes before opset 10; the
// experimental DynamicSlice had them as inputs then.

#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct Slice {
  bool attributes;
  std::vector<int64_t> starts, ends, axes;
  bool has_axes;
  std::vector<int64_t> layout;  // see permute_layout
};

/// What one axis takes: `count` elements from `start`, `step` apart.
struct Range {
  int64_t start, step, count;
};

Slice parse(const NodeView& n) {
  Slice op{};
  op.layout = n.attr_ints("layout", {});
  op.attributes = n.opset() < 10 && n.op_type() == "Slice";
  if (!op.attributes) return op;
  op.starts = n.attr_ints("starts");
  op.ends = n.attr_ints("ends");
  op.axes = n.attr_ints("axes", {});
  op.has_axes = n.has("axes");
  return op;
}

/// ONNX Slice: negative starts and ends count from the end, then both are clamped.
Range range_of(int64_t start, int64_t end, int64_t step, int64_t dim) {
  if (step == 0) throw_error(ErrorCode::kShape, "a step of 0");
  const int64_t longest = std::max<int64_t>(dim, 1);  // longer steps take one element too, and might overflow
  step = std::clamp(step, -longest, longest);
  if (start < 0) start += dim;
  if (end < 0) end += dim;
  if (step > 0) {
    start = std::clamp<int64_t>(start, 0, dim);
    end = std::clamp<int64_t>(end, 0, dim);
    return {start, step, end > start ? (end - start - 1) / step + 1 : 0};
  }
  if (dim == 0) return {0, step, 0};
  start = std::clamp<int64_t>(start, 0, dim - 1);
  end = std::clamp<int64_t>(end, -1, dim - 1);
  return {start, step, start > end ? (start - end - 1) / -step + 1 : 0};
}

/// The axis of each entry of starts; empty axes mean the first ones in order.
std::vector<size_t> axes_of(const Slice& op, const std::vector<int64_t>& given, bool has_axes, size_t count,
                            size_t rank) {
  std::vector<int64_t> axes = given;
  for (size_t i = 0; !has_axes && i < count; ++i) axes.push_back(static_cast<int64_t>(i));
  if (axes.size() != count) throw_error(ErrorCode::kShape, "{} axes for {} starts", axes.size(), count);
  axis_mask(axes, rank);
  const std::vector<size_t> position = layout_positions(op.layout, rank);
  std::vector<size_t> out;
  for (const int64_t axis : axes) out.push_back(position[normalize_axis(axis, rank)]);
  return out;
}

void check_counts(size_t starts, size_t ends, size_t steps) {
  if (starts != ends || starts != steps) {
    throw_error(ErrorCode::kShape, "{} starts, {} ends and {} steps", starts, ends, steps);
  }
}

/// Parameters as far as inference knows them.
struct Known {
  std::optional<std::vector<int64_t>> starts, ends, steps, axes;
  std::optional<std::vector<Dim>> end_dims;
  bool has_axes, has_steps;
};

Known know(const Slice& op, const InferContext& c) {
  Known known{op.starts, op.ends, {}, op.axes, {}, op.has_axes, false};
  if (op.attributes) return known;
  for (size_t i = 1; i < 3; ++i) c.in(i);
  known.starts = known_ints(c, 1);
  known.ends = known_ints(c, 2);
  known.end_dims = known_dims(c, 2);
  known.has_axes = c.has(3);
  known.axes = known_ints(c, 3);
  known.has_steps = c.has(4);
  known.steps = known_ints(c, 4);
  return known;
}

Dim sliced_dim(const Known& known, size_t i, Dim dim) {
  if (!known.starts || (known.has_steps && !known.steps)) return {};
  const int64_t start = (*known.starts)[i], step = known.has_steps ? (*known.steps)[i] : 1;
  if (dim.known() && known.ends) return range_of(start, (*known.ends)[i], step, dim.value()).count;
  if (start != 0 || step != 1) return {};
  // [0:n] of n elements, and [0:max] of any number.
  if (known.end_dims && i < known.end_dims->size() && (*known.end_dims)[i].same(dim)) return dim;
  return known.ends && (*known.ends)[i] >= INT32_MAX ? dim : Dim();
}

void infer(const Slice& op, InferContext& c) {
  const SymShape& in = c.shape(0);
  if (!in.has_rank()) return c.out(0, c.dtype(0), {});
  const Known known = know(op, c);
  SymShape out = SymShape::of_rank(in.rank());
  if ((known.has_axes && !known.axes) || (!known.has_axes && !known.starts)) return c.out(0, c.dtype(0), out);
  const size_t count = known.starts ? known.starts->size() : known.axes->size();
  check_counts(count, known.ends ? known.ends->size() : count, known.steps ? known.steps->size() : count);
  const std::vector<int64_t> given = known.has_axes ? *known.axes : std::vector<int64_t>();
  const std::vector<size_t> axes = axes_of(op, given, known.has_axes, count, in.rank());
  out = in;
  for (size_t i = 0; i < count; ++i) out[axes[i]] = sliced_dim(known, i, in[axes[i]]);
  c.out(0, c.dtype(0), out);

  const std::optional<std::vector<Dim>> elements = c.dims(0);
  if (!elements || in.rank() != 1 || count != 1 || !out[0].known() || out[0].value() == 0) return;
  const auto length = static_cast<int64_t>(elements->size());
  const Range range = range_of((*known.starts)[0], known.ends ? (*known.ends)[0] : INT64_MAX,
                               known.has_steps ? (*known.steps)[0] : 1, length);
  std::vector<Dim> taken;
  for (int64_t i = 0; i < out[0].value() && i < range.count; ++i) {
    taken.push_back((*elements)[static_cast<size_t>(range.start + i * range.step)]);
  }
  c.out_dims(0, std::move(taken));
}

void run(const Slice& op, RunContext& c) {
  const Tensor& in = c.in(0);
  Tensor& out = c.out(0);
  const std::vector<int64_t> starts = op.attributes ? op.starts : to_int64s(c.in(1));
  const std::vector<int64_t> ends = op.attributes ? op.ends : to_int64s(c.in(2));
  const bool has_axes = op.attributes ? op.has_axes : c.has(3);
  const std::vector<int64_t> given = !op.attributes && has_axes ? to_int64s(c.in(3)) : op.axes;
  std::vector<int64_t> steps(starts.size(), 1);
  if (!op.attributes && c.has(4)) steps = to_int64s(c.in(4));
  check_counts(starts.size(), ends.size(), steps.size());
  const std::vector<size_t> axes = axes_of(op, given, has_axes, starts.size(), in.rank());

  std::array<CopyAxis, kMaxRank> loops;
  const auto src = strides_of(in.shape()), dst = strides_of(out.shape());
  for (size_t d = 0; d < in.rank(); ++d) loops[d] = {in.dim(d), dst[d], src[d]};
  size_t first = 0;
  for (size_t i = 0; i < axes.size(); ++i) {
    const Range range = range_of(starts[i], ends[i], steps[i], in.dim(axes[i]));
    CopyAxis& loop = loops[axes[i]];
    loop.count = range.count;
    loop.src_stride *= range.step;
    if (range.count > 0) first += static_cast<size_t>(range.start * src[axes[i]]);
  }
  if (out.count() == 0) return;
  copy_strided(in.dtype(), std::span(loops).first(in.rank()), out.raw(), element(in, first));
}

}  // namespace

KINGLET_OP(Slice, op<Slice, parse, infer, run>(since(1)).with_permute(permute_layout));
KINGLET_OP(DynamicSlice, op<Slice, parse, infer, run>(since(1)).with_permute(permute_layout));

}  // namespace kinglet::ops
