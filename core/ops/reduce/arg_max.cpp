// ArgMax and ArgMin: the first (or last) index of the greatest or least element along an axis. A NaN wins.

#include <algorithm>

#include "ops/axis.hpp"
#include "ops/elementwise.hpp"

namespace kinglet::ops {
namespace {

struct ArgExtreme {
  bool least;
  bool keep_dims;
  bool last_index;
  int64_t axis;
};

template <bool least>
ArgExtreme parse(const NodeView& n) {
  return {.least = least,
          .keep_dims = n.attr_int("keepdims", 1) != 0,
          .last_index = n.attr_int("select_last_index", 0) != 0,
          .axis = n.attr_int("axis", 0)};
}

void infer(const ArgExtreme& op, InferContext& c) {
  check_type(c.dtype(0), kNumbers);
  const SymShape& shape = c.shape(0);
  SymShape out;
  if (shape.has_rank()) {
    const size_t axis = normalize_axis(op.axis, shape.rank());
    c.require(!shape[axis].known() || shape[axis].value() != 0, "axis {} of {} has no elements", axis, shape);
    out = SymShape::of_rank(0);
    for (size_t i = 0; i < shape.rank(); ++i) {
      if (i != axis) out.push_back(shape[i]);
      if (i == axis && op.keep_dims) out.push_back(1);
    }
  }
  c.out(0, DType::kInt64, std::move(out));
}

template <class T>
struct Search {
  ArgExtreme op;

  /// Does `x` take the place of `best`, which came before it?
  bool wins(T x, T best) const {
    // Most elements lose, and the first comparison tells: kept cheap.
    if (op.least ? x > best : x < best) return false;
    if (x == best) return op.last_index;
    return best == best || (x != x && op.last_index);
  }

  /// Lanes [0, n) of x[view.n][view.inner], n <= kBlock.
  void run(DType type, const std::byte* x, const AxisView& view, size_t n, int64_t* index) const {
    T best[kBlock], buffer[kBlock];
    const size_t size = dtype_size(type);
    for (size_t row = 0; row < view.n; ++row) {
      const T* values = static_cast<const T*>(widen(type, x + row * view.inner * size, buffer, n));
      for (size_t i = 0; i < n; ++i) {
        if (row != 0 && !wins(values[i], best[i])) continue;
        best[i] = values[i];
        index[i] = static_cast<int64_t>(row);
      }
    }
  }

  /// One lane of contiguous elements.
  void run_contiguous(DType type, const std::byte* x, size_t n, int64_t* index) const {
    T best{}, buffer[kBlock];
    for (size_t start = 0; start < n; start += kBlock) {
      const size_t count = std::min(kBlock, n - start);
      const T* values = static_cast<const T*>(widen(type, x + start * dtype_size(type), buffer, count));
      for (size_t i = 0; i < count; ++i) {
        if (start + i != 0 && !wins(values[i], best)) continue;
        best = values[i];
        *index = static_cast<int64_t>(start + i);
      }
    }
  }
};

template <class T>
void run_as(const ArgExtreme& op, const Tensor& x, Tensor& y) {
  const AxisView view(x.shape(), normalize_axis(op.axis, x.rank()));
  const size_t size = dtype_size(x.dtype());
  const Search<T> search{op};
  int64_t* index = y.data<int64_t>();
  for (size_t o = 0; o < view.outer; ++o, index += view.inner) {
    const std::byte* slab = x.raw() + o * view.n * view.inner * size;
    if (view.inner == 1) {
      search.run_contiguous(x.dtype(), slab, view.n, index);
      continue;
    }
    for (size_t lane = 0; lane < view.inner; lane += kBlock) {
      search.run(x.dtype(), slab + lane * size, view, std::min(kBlock, view.inner - lane), index + lane);
    }
  }
}

void run(const ArgExtreme& op, RunContext& c) {
  const Tensor& x = c.in(0);
  switch (wide_type(x.dtype())) {
    case DType::kFloat32: return run_as<float>(op, x, c.out(0));
    case DType::kFloat64: return run_as<double>(op, x, c.out(0));
    case DType::kInt64: return run_as<int64_t>(op, x, c.out(0));
    default: return run_as<uint64_t>(op, x, c.out(0));
  }
}

bool permute(Node& node, std::span<const int64_t> perm) {
  const Attribute* keep_dims = node.find("keepdims");
  return (keep_dims == nullptr || keep_dims->i != 0) && permute_axis(node, perm, 0);
}

}  // namespace

KINGLET_OP(ArgMax, op<ArgExtreme, parse<false>, infer, run>(since(1)).with_permute(permute));
KINGLET_OP(ArgMin, op<ArgExtreme, parse<true>, infer, run>(since(1)).with_permute(permute));

}  // namespace kinglet::ops
