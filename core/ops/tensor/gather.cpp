// Gather: takes slices of a tensor along one axis by their indices.

#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct Gather {
  int64_t axis;
};

Gather parse(const NodeView& n) { return {n.attr_int("axis", 0)}; }

void infer_elements(InferContext& c) {
  const std::optional<std::vector<Dim>> elements = c.dims(0);
  const Tensor* indices = c.constant(1);
  if (!elements || indices == nullptr || indices->rank() > 1 || indices->count() > kMaxRank) return;
  const Indices at(*indices);
  std::vector<Dim> taken;
  for (size_t i = 0; i < indices->count(); ++i) {
    taken.push_back((*elements)[at.in(i, static_cast<int64_t>(elements->size()))]);
  }
  c.out_dims(0, std::move(taken));
}

void infer(const Gather& op, InferContext& c) {
  const SymShape &in = c.shape(0), &indices = c.shape(1);
  if (!in.has_rank()) return c.out(0, c.dtype(0), {});
  const size_t axis = normalize_axis(op.axis, in.rank());
  if (!indices.has_rank()) return c.out(0, c.dtype(0), {});
  std::vector<Dim> out(in.dims().begin(), in.dims().begin() + static_cast<ptrdiff_t>(axis));
  out.insert(out.end(), indices.dims().begin(), indices.dims().end());
  out.insert(out.end(), in.dims().begin() + static_cast<ptrdiff_t>(axis) + 1, in.dims().end());
  c.out(0, c.dtype(0), SymShape(std::move(out)));
  if (in.rank() == 1) infer_elements(c);
}

void run(const Gather& op, RunContext& c) {
  const Tensor &in = c.in(0), &indices = c.in(1);
  Tensor& out = c.out(0);
  const size_t axis = normalize_axis(op.axis, in.rank());
  const size_t outer = in.shape().count(0, axis), block = in.shape().count(axis + 1, in.rank());
  const size_t count = indices.count(), row = in.shape().count(axis, in.rank());
  const Indices at(indices);
  if (out.count() == 0) return;
  const int64_t bound = in.dim(axis);
  if (block == 1) {
    dispatch_width(in.dtype(), [&]<class T>() {
      auto* src = reinterpret_cast<const T*>(in.raw());
      auto* dst = reinterpret_cast<T*>(out.raw());
      for (size_t o = 0; o < outer; ++o) {
        for (size_t i = 0; i < count; ++i) dst[o * count + i] = src[o * row + at.in(i, bound)];
      }
    });
    return;
  }
  for (size_t o = 0; o < outer; ++o) {
    for (size_t i = 0; i < count; ++i) {
      const size_t source = o * row + at.in(i, bound) * block;
      copy_elements(in.dtype(), element(out, (o * count + i) * block), element(in, source), block);
    }
  }
}

}  // namespace

KINGLET_OP(Gather, op<Gather, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
