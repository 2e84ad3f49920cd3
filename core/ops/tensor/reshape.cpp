// Reshape and Flatten: the same elements under another shape. Reshape's is an attribute before opset 5.

#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct Reshape {
  bool allow_zero;  // a 0 in the shape is a dim of 0, not a copy of the input's
  std::optional<std::vector<int64_t>> shape;  // an attribute before opset 5; else input 1
};

struct Flatten {
  int64_t axis;
};

Reshape parse_reshape(const NodeView& n) {
  Reshape op{n.attr_int("allowzero", 0) != 0, {}};
  if (n.opset() < 5) op.shape = n.attr_ints("shape");
  return op;
}
Flatten parse_flatten(const NodeView& n) { return {n.attr_int("axis", 1)}; }

/// The dim at `position` that makes `out` hold as many elements as `in`. Dims that both have cancel: a name
/// needs no number, and [0, 3] reshaped to [0, -1] has an answer.
Dim remaining_dim(const SymShape& in, const SymShape& out, size_t position) {
  if (!in.has_rank()) return {};
  std::vector<Dim> left = in.dims();
  int64_t known = 1;
  for (size_t i = 0; i < out.rank(); ++i) {
    if (i == position) continue;
    const auto same = std::find_if(left.begin(), left.end(), [&](Dim d) { return d.same(out[i]); });
    if (same != left.end()) {
      left.erase(same);
    } else if (out[i].known()) {
      known = multiply(known, out[i].value());
    } else {
      return {};
    }
  }
  int64_t total = 1;
  Dim other = 1;
  for (const Dim d : left) {
    if (d.known()) {
      total = multiply(total, d.value());
    } else if (other.known()) {
      other = d;
    } else {
      return {};
    }
  }
  if (other.known()) {
    if (known == 0 || total % known != 0) {
      throw_error(ErrorCode::kShape, "{} elements do not fill rows of {}", total, known);
    }
    return total / known;
  }
  return total == known ? other : Dim();
}

void infer_reshape(const Reshape& op, InferContext& c) {
  if (!op.shape) c.in(1);
  const SymShape& in = c.shape(0);
  const std::optional<std::vector<int64_t>> wanted = op.shape                    ? op.shape
                                                     : c.constant(1) != nullptr ? known_ints(c, 1)
                                                                                 : std::nullopt;
  const std::optional<std::vector<Dim>> dims =
      op.shape ? std::optional(std::vector<Dim>(op.shape->begin(), op.shape->end())) : known_dims(c, 1);
  if (!dims) return c.out(0, c.dtype(0), {});
  SymShape out(*dims);
  std::optional<size_t> open;
  size_t unknown = 0;
  for (size_t i = 0; i < out.rank(); ++i) {
    if (!out[i].known() && !out[i].is_symbol()) {
      const bool minus_one = !wanted || (*wanted)[i] == -1;
      c.require(minus_one, "a dim of {}", wanted ? (*wanted)[i] : 0);
      ++unknown;
      open = i;
    } else if (out[i].known() && out[i].value() == 0 && !op.allow_zero) {
      c.require(!in.has_rank() || i < in.rank(), "dim {} is to be copied from an input of rank {}", i,
                in.rank());
      out[i] = in.has_rank() ? in[i] : Dim();
      if (!in.has_rank()) unknown += 2;  // then nothing can be said of a -1
    }
  }
  c.require(!wanted || unknown <= 1 || !in.has_rank(), "more than one dim is -1");
  if (unknown == 1) {
    // One unknown number follows from the others, be it written as -1 or not.
    out[*open] = remaining_dim(in, out, *open);
  }
  if (in.is_concrete() && out.is_concrete()) {
    const size_t have = in.concrete().count(), need = out.concrete().count();
    c.require(have == need, "{} elements of shape {} do not fit shape {}", have, in, out);
  }
  c.out(0, c.dtype(0), out);
  if (const auto elements = c.dims(0); elements && out.rank() <= 1) c.out_dims(0, *elements);
}

void infer_flatten(const Flatten& op, InferContext& c) {
  const SymShape& in = c.shape(0);
  if (!in.has_rank()) return c.out(0, c.dtype(0), SymShape::of_rank(2));
  const auto rank = static_cast<int64_t>(in.rank());
  c.require(op.axis >= -rank && op.axis <= rank, "axis {} is outside of [-{}, {}]", op.axis, rank, rank);
  const auto axis = static_cast<size_t>(op.axis < 0 ? op.axis + rank : op.axis);
  const std::span<const Dim> dims = in.dims();
  c.out(0, c.dtype(0), SymShape({product(dims.first(axis)), product(dims.subspan(axis))}));
}

template <class Op>
void run(const Op&, RunContext& c) {
  c.out(0).copy_from(c.in(0));
}

}  // namespace

KINGLET_OP(Reshape, op<Reshape, parse_reshape, infer_reshape, run<Reshape>>(since(1)).with_traits(kView));
KINGLET_OP(Flatten, op<Flatten, parse_flatten, infer_flatten, run<Flatten>>(since(1)).with_traits(kView));

}  // namespace kinglet::ops
