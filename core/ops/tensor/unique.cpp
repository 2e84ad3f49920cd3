// Unique: the different elements, or slices along an axis, with the index of the first of each, which of them each
// element is, and how many there are. NaN is equal to NaN here and greater than all numbers.
// com.microsoft's is of one dim, in the order of first occurrence, and does not say where that was.

#include <algorithm>
#include <numeric>

#include "ops/axis.hpp"
#include "ops/move.hpp"
#include "ops/order_key.hpp"

namespace kinglet::ops {
namespace {

struct Unique {
  std::optional<int64_t> axis;  // none: of the flattened input
  bool sorted;                  // else in the order of their first occurrence
  bool gives_first = true;      // an output of the first occurrences
};

Unique parse(const NodeView& n) {
  return {n.has("axis") ? std::optional(n.attr_int("axis")) : std::nullopt, n.attr_int("sorted", 1) != 0};
}

Unique parse_contrib(const NodeView&) { return {std::nullopt, false, false}; }

void infer(const Unique& op, InferContext& c) {
  const SymShape& in = c.shape(0);
  c.require(op.gives_first || !in.has_rank() || in.rank() == 1, "expected one dim, got {}", in);
  SymShape out = op.axis ? in : SymShape::of_rank(1);
  if (op.axis && in.has_rank()) out[normalize_axis(*op.axis, in.rank())] = Dim();
  c.out(0, c.dtype(0), std::move(out));
  for (size_t i = 1; i < 4; ++i) c.out(i, DType::kInt64, SymShape::of_rank(1));
}

std::vector<size_t> sorted(size_t n, IndexLess less, const void* context) {
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  sort_indices(order, less, context);
  return order;
}

/// The place of each string among the different ones.
std::vector<uint64_t> ranks_of(std::span<const std::string> values) {
  const IndexLess less = [](const void* strings, size_t a, size_t b) {
    return static_cast<const std::string*>(strings)[a] < static_cast<const std::string*>(strings)[b];
  };
  const std::vector<size_t> order = sorted(values.size(), less, values.data());
  std::vector<uint64_t> ranks(values.size());
  for (size_t i = 1; i < order.size(); ++i) {
    ranks[order[i]] = ranks[order[i - 1]] + (values[order[i]] != values[order[i - 1]] ? 1 : 0);
  }
  return ranks;
}

/// Each element as numbers whose order is that of the elements: one, or two of a complex number.
std::vector<uint64_t> keys_of(const Tensor& t) {
  if (t.dtype() == DType::kString) return ranks_of(t.values<std::string>());
  const size_t n = t.count();
  DType part = t.dtype();
  if (part == DType::kComplex64) part = DType::kFloat32;
  if (part == DType::kComplex128) part = DType::kFloat64;
  std::vector<uint64_t> keys(part == t.dtype() ? n : 2 * n);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = order_key(part, t.raw() + i * dtype_size(part));
  return keys;
}

/// The input as [outer, n, inner] keys; item j is [outer, inner] of them.
struct Items {
  std::vector<uint64_t> keys;
  size_t outer, n, inner;

  /// Less than, equal to or greater than 0 as item a is less than, equal to or greater than item b.
  int compare(size_t a, size_t b) const {
    for (size_t o = 0; o < outer; ++o) {
      const uint64_t *x = keys.data() + (o * n + a) * inner, *y = keys.data() + (o * n + b) * inner;
      for (size_t i = 0; i < inner; ++i) {
        if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
      }
    }
    return 0;
  }
};

void give(RunContext& c, size_t i, const std::vector<int64_t>& values) {
  if (!c.wants(i)) return;
  std::copy(values.begin(), values.end(),
            c.out(i, DType::kInt64, {static_cast<int64_t>(values.size())}).data<int64_t>());
}

void run(const Unique& op, RunContext& c) {
  const Tensor& in = c.in(0);
  const size_t axis = op.axis ? normalize_axis(*op.axis, in.rank()) : 0;
  const Shape flat{static_cast<int64_t>(in.count())};
  const AxisView view(op.axis ? in.shape() : flat, axis);
  Items items{keys_of(in), view.outer, view.n, view.inner};
  if (!items.keys.empty()) items.inner = items.keys.size() / (view.outer * view.n);

  // Sorted, and equal items by index: each group begins with its first occurrence.
  const IndexLess less = [](const void* context, size_t a, size_t b) {
    return static_cast<const Items*>(context)->compare(a, b) < 0;
  };
  const std::vector<size_t> order = sorted(items.n, less, &items);
  std::vector<int64_t> first, group(items.n);
  for (size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || items.compare(order[i - 1], order[i]) != 0) first.push_back(static_cast<int64_t>(order[i]));
    group[order[i]] = static_cast<int64_t>(first.size()) - 1;
  }
  if (!op.sorted) {
    std::vector<int64_t> place(first.size()), found;
    for (size_t i = 0; i < items.n; ++i) {
      const auto g = static_cast<size_t>(group[i]);
      if (first[g] == static_cast<int64_t>(i)) {
        place[g] = static_cast<int64_t>(found.size());
        found.push_back(first[g]);
      }
      group[i] = place[g];
    }
    first = std::move(found);
  }
  std::vector<int64_t> counts(first.size());
  for (const int64_t g : group) ++counts[static_cast<size_t>(g)];

  if (c.wants(0)) {
    Shape shape = op.axis ? in.shape() : Shape{0};
    shape[axis] = static_cast<int64_t>(first.size());
    Tensor& out = c.out(0, in.dtype(), shape);
    for (size_t o = 0, at = 0; o < view.outer; ++o) {
      for (const int64_t item : first) {
        copy_elements(in.dtype(), element(out, at),
                      element(in, (o * view.n + static_cast<size_t>(item)) * view.inner), view.inner);
        at += view.inner;
      }
    }
  }
  if (op.gives_first) give(c, 1, first);
  give(c, op.gives_first ? 2 : 1, group);
  give(c, op.gives_first ? 3 : 2, counts);
}

}  // namespace

KINGLET_OP(Unique, op<Unique, parse, infer, run>(since(11)));
KINGLET_OP_IN(com_microsoft, "com.microsoft", Unique, op<Unique, parse_contrib, infer, run>(since(1)));

}  // namespace kinglet::ops
