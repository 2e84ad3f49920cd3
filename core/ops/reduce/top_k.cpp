// TopK: the k greatest (or least) elements along an axis, in order, and their indices. Of equal elements the one with
// the lower index comes first; NaN counts as greater than all numbers. Unsorted results come sorted too.

#include <algorithm>

#include "ops/axis.hpp"
#include "ops/elementwise.hpp"
#include "ops/order_key.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct TopK {
  std::optional<int64_t> k;  ///< as attribute (opset < 10); else input 1
  int64_t axis;
  bool largest;
};

TopK parse(const NodeView& n) {
  TopK op{.k = {}, .axis = n.attr_int("axis", -1), .largest = n.attr_int("largest", 1) != 0};
  if (n.opset() < 10) op.k = n.attr_int("k");
  return op;
}

void infer(const TopK& op, InferContext& c) {
  check_type(c.dtype(0), kNumbers);
  std::optional<int64_t> k = op.k;
  if (!k) {
    c.in(1);
    const auto given = known_ints(c, 1);
    if (given) c.require(given->size() == 1, "k must be one number, got {}", given->size());
    if (given) k = given->front();
  }
  SymShape out = c.shape(0);
  if (out.has_rank()) {
    const size_t axis = normalize_axis(op.axis, out.rank());
    if (k) {
      c.require(*k >= 0, "k is negative: {}", *k);
      c.require(!out[axis].known() || *k <= out[axis].value(), "k = {} is more than axis {} of {} has", *k, axis, out);
    }
    out[axis] = k ? Dim(*k) : Dim();
  }
  c.out(0, c.dtype(0), out);
  c.out(1, DType::kInt64, std::move(out));
}

struct Entry {
  uint64_t key;
  size_t index;
  friend bool operator<(const Entry& a, const Entry& b) { return a.key != b.key ? a.key > b.key : a.index < b.index; }
};

void run(const TopK& op, RunContext& c) {
  const Tensor& x = c.in(0);
  const size_t axis = normalize_axis(op.axis, x.rank());
  const AxisView view(x.shape(), axis);
  const Tensor& sized = c.wants(0) ? c.out(0) : c.out(1);
  const auto k = static_cast<size_t>(sized.dim(axis));
  const size_t size = dtype_size(x.dtype());
  Entry* entries = c.scratch<Entry>(view.n);
  for (size_t lane = 0; lane < view.outer * view.inner; ++lane) {
    const size_t o = lane / view.inner, i = lane % view.inner;
    const std::byte* first = x.raw() + (o * view.n * view.inner + i) * size;
    for (size_t j = 0; j < view.n; ++j) {
      const uint64_t key = order_key(x.dtype(), first + j * view.inner * size);
      entries[j] = {op.largest ? key : ~key, j};
    }
    std::partial_sort(entries, entries + k, entries + view.n);
    for (size_t j = 0; j < k; ++j) {
      const size_t to = (o * k + j) * view.inner + i;
      if (c.wants(0)) std::copy_n(first + entries[j].index * view.inner * size, size, c.out(0).raw() + to * size);
      if (c.wants(1)) c.out(1).data<int64_t>()[to] = static_cast<int64_t>(entries[j].index);
    }
  }
}

bool permute(Node& node, std::span<const int64_t> perm) { return permute_axis(node, perm, -1); }

}  // namespace

KINGLET_OP(TopK, op<TopK, parse, infer, run>(since(1)).with_permute(permute));

}  // namespace kinglet::ops
