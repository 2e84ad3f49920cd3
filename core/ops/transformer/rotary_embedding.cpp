// RotaryEmbedding - ONNX RotaryEmbedding 23, and that of com.microsoft, whose positions come before the
// caches.
// MRotaryEmbedding of com.microsoft - three positions a row, of time, height and width, each for some of the pairs.

#include <numeric>

#include "ops/elementwise.hpp"
#include "ops/in_f32.hpp"
#include "ops/transformer/rotary.hpp"

namespace kinglet::ops {
namespace {

struct RotaryEmbedding {
  int64_t heads = 0;
  int64_t rotated = 0;  // elements of a head that turn; 0: all
  bool interleaved = false;
  size_t cos = 1, sin = 2, positions = 3;  // inputs
  // Of MRotaryEmbedding: the pairs of time, height and width, one after the other or in turns.
  std::vector<int64_t> sections = {};
  bool in_turns = false;
  float scale = 1;  // of the caches

  /// Which of the three positions pair i takes.
  size_t axis_of(size_t i) const {
    const auto pair = static_cast<int64_t>(i);
    if (in_turns) return i % 3 != 0 && pair < 3 * sections[i % 3] ? i % 3 : 0;
    return pair < sections[0] ? 0 : pair < sections[0] + sections[1] ? 1 : 2;
  }
};

RotaryEmbedding parse(const NodeView& n) {
  return {n.attr_int("num_heads", 0), n.attr_int("rotary_embedding_dim", 0),
          n.attr_int("interleaved", 0) != 0};
}

RotaryEmbedding parse_microsoft(const NodeView& n) {
  RotaryEmbedding op = parse(n);
  op.positions = 1;
  op.cos = 2;
  op.sin = 3;
  return op;
}

RotaryEmbedding parse_three(const NodeView& n) {
  RotaryEmbedding op = parse_microsoft(n);
  op.sections = n.attr_ints("mrope_section");
  bool fits = op.sections.size() == 3;
  for (const int64_t s : op.sections) fits = fits && s >= 0 && s <= INT32_MAX;
  const int64_t layout = n.attr_int("mrope_layout", 0);
  if (!fits || (layout != 0 && layout != 1)) throw_error(ErrorCode::kModel, "sections {} in layout {}", Shape(op.sections), layout);
  op.in_turns = layout == 1;
  op.scale = n.attr_float("scale", 1);
  return op;
}

void infer(const RotaryEmbedding& op, InferContext& c) {
  check_type(c.dtype(0), kFloats);
  for (const size_t i : {op.cos, op.sin}) check_type(c.dtype(i), kFloats);
  c.out(0, c.dtype(0), c.shape(0));
}

void run(const RotaryEmbedding& op, RunContext& c) {
  const Tensor &x = c.in(0), &cos = c.in(op.cos), &sin = c.in(op.sin);
  c.require(x.rank() == 3 || x.rank() == 4, "expected rank 3 or 4, got {}", x.shape());
  size_t heads, rows, size;
  if (x.rank() == 4) {
    heads = static_cast<size_t>(x.dim(1));
    rows = static_cast<size_t>(x.dim(2));
    size = static_cast<size_t>(x.dim(3));
  } else {
    // Without a number of heads the caches tell a head's size.
    int64_t count = op.heads;
    if (count <= 0)
      count = cos.rank() == 0 || cos.shape().back() == 0 ? 0 : x.dim(2) / 2 / cos.shape().back();
    c.require(count > 0 && x.dim(2) % count == 0, "{} does not divide into {} heads", x.shape(), count);
    heads = static_cast<size_t>(count);
    rows = static_cast<size_t>(x.dim(1));
    size = static_cast<size_t>(x.dim(2) / count);
  }
  const auto batch = static_cast<size_t>(x.dim(0));
  Rotary rotary = rotary_of(c, cos, sin, size, op.interleaved);
  const size_t wanted = op.rotated > 0 ? static_cast<size_t>(op.rotated) : size;
  c.require(wanted / 2 == rotary.half, "caches {} do not turn {} elements", cos.shape(), wanted);

  std::vector<int64_t> positions;
  if (!op.sections.empty()) {
    const Tensor& given = c.in(op.positions);
    const size_t places = batch * rows;
    c.require(given.shape() == Shape{3, x.dim(0), static_cast<int64_t>(rows)} && cos.rank() == 2,
              "positions {} and caches {} do not go with {}", given.shape(), cos.shape(), x.shape());
    c.require(op.sections[0] + op.sections[1] + op.sections[2] == static_cast<int64_t>(rotary.half),
              "sections {} are not {} pairs", Shape(op.sections), rotary.half);
    const std::vector<int64_t> of_axes = to_int64s(given);
    check_rows(of_axes, cos.dim(0));
    // Caches of the rows that there are, put together from those that the positions name.
    float *const own_cos = c.scratch<float>(places, rotary.half), *const own_sin = c.scratch<float>(places, rotary.half);
    for (size_t i = 0; i < places * rotary.half; ++i) {
      const size_t pair = i % rotary.half, place = i / rotary.half;
      const size_t at = static_cast<size_t>(of_axes[op.axis_of(pair) * places + place]) * rotary.half + pair;
      own_cos[i] = rotary.cos[at] * op.scale;
      own_sin[i] = rotary.sin[at] * op.scale;
    }
    rotary.cos = own_cos;
    rotary.sin = own_sin;
    positions.resize(places);
    std::iota(positions.begin(), positions.end(), 0);
  } else if (c.has(op.positions)) {
    const Tensor& given = c.in(op.positions);
    positions = to_int64s(given);
    c.require(cos.rank() == 2 && (positions.size() == batch * rows || given.shape() == Shape{1}),
              "positions {} and caches {} do not go with {}", given.shape(), cos.shape(), x.shape());
    if (given.rank() == 1 && positions.size() == 1) {
      // One number is where each batch begins.
      const int64_t first = positions[0];
      c.require(first >= 0 && first <= cos.dim(0), "position {} is outside of the {} rows", first,
                cos.dim(0));
      positions.resize(batch * rows);
      for (size_t i = 0; i < positions.size(); ++i) positions[i] = first + static_cast<int64_t>(i % rows);
    }
  } else {
    c.require(cos.rank() == 3 && cos.shape().count(0, 2) == batch * rows, "caches {} do not go with {}",
              cos.shape(), x.shape());
    positions.resize(batch * rows);
    std::iota(positions.begin(), positions.end(), 0);
  }
  if (op.sections.empty()) check_rows(positions, static_cast<int64_t>(cos.shape().count(0, cos.rank() - 1)));

  const HeadStrides at = x.rank() == 4 ? heads_first(heads, rows, size) : rows_first(heads, rows, size);
  const float* const from = as_f32(c, x);
  F32Output out(c, c.out(0));
  rotate(rotary, positions, batch, heads, rows, size, from, at, out.data(), at);
  out.store();
}

}  // namespace

KINGLET_OP(RotaryEmbedding, op<RotaryEmbedding, parse, infer, run>(since(23)));
KINGLET_OP_IN(com_microsoft, "com.microsoft", RotaryEmbedding,
              op<RotaryEmbedding, parse_microsoft, infer, run>(since(1)));
KINGLET_OP_IN(com_microsoft, "com.microsoft", MRotaryEmbedding,
              op<RotaryEmbedding, parse_three, infer, run>(since(1)));

}  // namespace kinglet::ops
