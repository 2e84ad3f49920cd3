// Pad: adds to both ends of each dim, or removes where a pad is negative. Pads and value are attributes
// before opset 11, then inputs; axes come with opset 18, mode wrap with 19. com.microsoft's is that of opset 11,
// with pads that may be one row.

#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

enum class Mode : uint8_t { kConstant, kEdge, kReflect, kWrap };

struct Pad {
  Mode mode;
  bool attributes;
  std::vector<int64_t> pads;
  float value;
  std::vector<int64_t> layout;  // see permute_layout
};

Pad parse_of(const NodeView& n, bool attributes) {
  const std::string name = n.attr_string("mode", "constant");
  Pad op{};
  if (name == "edge") {
    op.mode = Mode::kEdge;
  } else if (name == "reflect") {
    op.mode = Mode::kReflect;
  } else if (name == "wrap") {
    op.mode = Mode::kWrap;
  } else if (name != "constant") {
    throw_error(ErrorCode::kModel, "mode '{}' is not known", name);
  }
  op.layout = n.attr_ints("layout", {});
  op.attributes = attributes;
  if (op.attributes) {
    op.pads = n.attr_ints(n.opset() < 2 ? "paddings" : "pads");
    op.value = n.attr_float("value", 0);
  }
  return op;
}

Pad parse(const NodeView& n) { return parse_of(n, n.opset() < 11); }
Pad parse_contrib(const NodeView& n) { return parse_of(n, false); }

/// Input 1 where its elements are known; [1, n] stands for [n].
std::optional<std::vector<int64_t>> known_pads(const InferContext& c) {
  const Tensor* const pads = c.constant(1);
  if (pads != nullptr && pads->rank() == 2 && pads->dim(0) == 1) return to_int64s(*pads);
  return known_ints(c, 1);
}

constexpr int64_t kMaxPad = int64_t{1} << 48;

struct Ends {
  int64_t begin = 0, end = 0;
};

/// The pads of each of `rank` dims.
std::vector<Ends> ends_of(const Pad& op, std::span<const int64_t> pads, const std::vector<int64_t>* axes,
                          size_t rank) {
  const size_t count = axes != nullptr ? axes->size() : rank;
  if (pads.size() != 2 * count) throw_error(ErrorCode::kShape, "{} pads for {} axes", pads.size(), count);
  std::vector<Ends> out(rank);
  if (axes != nullptr) axis_mask(*axes, rank);
  const std::vector<size_t> position = layout_positions(op.layout, rank);
  for (const int64_t pad : pads) {
    if (pad < -kMaxPad || pad > kMaxPad) throw_error(ErrorCode::kShape, "a pad of {}", pad);
  }
  for (size_t i = 0; i < count; ++i) {
    out[position[axes != nullptr ? normalize_axis((*axes)[i], rank) : i]] = {pads[i], pads[count + i]};
  }
  return out;
}

void infer(const Pad& op, InferContext& c) {
  if (c.has(2)) require_same_types(c, 0, 2);
  if (!op.attributes) c.in(1);
  const SymShape& in = c.shape(0);
  const auto pads = op.attributes ? std::optional(op.pads) : known_pads(c);
  const auto axes = known_ints(c, 3);
  if (!in.has_rank()) return c.out(0, c.dtype(0), {});
  SymShape out = SymShape::of_rank(in.rank());
  if (pads && (axes || !c.has(3))) {
    const std::vector<Ends> ends = ends_of(op, *pads, axes ? &*axes : nullptr, in.rank());
    for (size_t d = 0; d < in.rank(); ++d) {
      const int64_t grown = add(ends[d].begin, ends[d].end);
      if (grown == 0) {
        out[d] = in[d];
      } else if (in[d].known()) {
        const int64_t dim = add(in[d].value(), grown);
        c.require(dim >= 0, "pads {} and {} leave nothing of dim {}", ends[d].begin, ends[d].end,
                  in[d].value());
        out[d] = dim;
      }
    }
  }
  c.out(0, c.dtype(0), out);
}

int64_t floor_mod(int64_t a, int64_t b) { return (a % b + b) % b; }

/// What each of `out` indices takes of a dim. Negative pads cut first; the other modes see what is left.
std::vector<int64_t> map_of(Mode mode, Ends ends, int64_t dim, int64_t out) {
  const int64_t low = std::max<int64_t>(0, -ends.begin), high = dim - std::max<int64_t>(0, -ends.end);
  if (high <= low && mode != Mode::kConstant && out > 0) {
    throw_error(ErrorCode::kShape, "pads {} and {} of dim {} leave nothing to repeat", ends.begin, ends.end,
                dim);
  }
  const int64_t size = high - low;
  std::vector<int64_t> map(static_cast<size_t>(out));
  for (int64_t o = 0; o < out; ++o) {
    int64_t i = o - ends.begin - low;
    if (mode == Mode::kConstant) {
      i = i < 0 || i >= size ? kOutside - low : i;
    } else if (mode == Mode::kEdge) {
      i = std::clamp<int64_t>(i, 0, size - 1);
    } else if (mode == Mode::kWrap) {
      i = floor_mod(i, size);
    } else {
      const int64_t period = std::max<int64_t>(2 * (size - 1), 1);
      i = floor_mod(i, period);
      i = std::min(i, period - i);
      if (size == 1) i = 0;
    }
    map[static_cast<size_t>(o)] = i + low;
  }
  return map;
}

void run(const Pad& op, RunContext& c) {
  const Tensor& in = c.in(0);
  Tensor& out = c.out(0);
  if (out.count() == 0) return;
  const std::vector<int64_t> pads = op.attributes ? op.pads : to_int64s(c.in(1));
  const std::vector<int64_t> axes = c.has(3) ? to_int64s(c.in(3)) : std::vector<int64_t>();
  const std::vector<Ends> ends = ends_of(op, pads, c.has(3) ? &axes : nullptr, in.rank());
  IndexMaps maps;
  for (size_t d = 0; d < in.rank(); ++d) maps.push_back(map_of(op.mode, ends[d], in.dim(d), out.dim(d)));

  if (c.has(2) && c.in(2).count() > 0) {
    require_same_type(in, c.in(2));
    copy_mapped(in, out, maps, c.in(2).raw());
  } else if (op.value != 0) {
    copy_mapped(in, out, maps, element_of(in.dtype(), static_cast<double>(op.value)).data());
  } else {
    copy_mapped(in, out, maps, nullptr);
  }
}

}  // namespace

KINGLET_OP(Pad, op<Pad, parse, infer, run>(since(1)).with_permute(permute_layout));
KINGLET_OP_IN(com_microsoft, "com.microsoft", Pad, op<Pad, parse_contrib, infer, run>(since(1)).with_permute(permute_layout));

}  // namespace kinglet::ops
