// Softmax, LogSoftmax and Hardmax. Before opset 13 the dims from `axis` on are one; since then it is `axis` alone.

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/normalize.hpp"
#include "ops/axis.hpp"
#include "ops/elementwise.hpp"
#include "ops/parallel.hpp"

namespace kinglet::ops {
namespace {

enum class Kind { kSoftmax, kLogSoftmax, kHardmax };

struct Softmax {
  Kind kind;
  bool flattens;
  int64_t axis;
};

template <Kind kind>
Softmax parse(const NodeView& n) {
  const bool flattens = n.opset() < 13;
  return {.kind = kind, .flattens = flattens, .axis = n.attr_int("axis", flattens ? 1 : -1)};
}

void infer(const Softmax& op, InferContext& c) {
  infer_unary(c, kFloats);
  const SymShape& shape = c.shape(0);
  // The flattening form takes axis = rank too: rows of one element.
  if (!op.flattens || !shape.has_rank() || op.axis != static_cast<int64_t>(shape.rank())) check_axis(shape, op.axis);
}

struct Rows {
  size_t outer, n, inner;
};

Rows rows_of(const Softmax& op, const Shape& shape) {
  if (op.flattens) {
    const size_t rank = shape.rank();
    const size_t axis = op.axis == static_cast<int64_t>(rank) ? rank : normalize_axis(op.axis, rank);
    return {shape.count(0, axis), shape.count(axis, rank), 1};
  }
  const AxisView view(shape, normalize_axis(op.axis, shape.rank()));
  return {view.outer, view.n, view.inner};
}

/// One lane of n elements, `stride` apart; y may be x.
template <class T>
void run_lane(Kind kind, const T* x, T* y, size_t n, size_t stride) {
  size_t at = 0;
  for (size_t i = 1; i < n; ++i) {
    if (x[i * stride] > x[at * stride]) at = i;
  }
  if (kind == Kind::kHardmax) {
    for (size_t i = 0; i < n; ++i) y[i * stride] = i == at ? T{1} : T{0};
    return;
  }
  const T greatest = x[at * stride];
  T sum = 0;
  for (size_t i = 0; i < n; ++i) sum += std::exp(x[i * stride] - greatest);
  const T log_sum = std::log(sum);
  for (size_t i = 0; i < n; ++i) {
    const T shifted = x[i * stride] - greatest;
    y[i * stride] = kind == Kind::kSoftmax ? std::exp(shifted) / sum : shifted - log_sum;
  }
}

template <class T>
void run_lanes(Kind kind, const T* x, T* y, Rows rows) {
  for (size_t o = 0; o < rows.outer; ++o) {
    for (size_t i = 0; i < rows.inner; ++i) {
      const size_t at = o * rows.n * rows.inner + i;
      run_lane(kind, x + at, y + at, rows.n, rows.inner);
    }
  }
}

void run_f32(Kind kind, const float* x, float* y, Rows rows) {
  if (kind == Kind::kHardmax) return run_lanes(kind, x, y, rows);
  const bool log = kind == Kind::kLogSoftmax;
  if (rows.inner == 1) return (log ? kernels::log_softmax : kernels::softmax)(x, y, rows.outer, rows.n);
  (log ? kernels::log_softmax_strided : kernels::softmax_strided)(x, y, rows.outer, rows.n, rows.inner);
}

void run_split(Kind kind, const float* x, float* y, Rows rows) {
  const size_t row = rows.n * rows.inner;
  parallel(rows.outer, worth_a_thread(32 * row), [&](size_t begin, size_t end, size_t) {
    run_f32(kind, x + begin * row, y + begin * row, {end - begin, rows.n, rows.inner});
  });
}

void run(const Softmax& op, RunContext& c) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  const size_t count = x.count();
  if (count == 0) return;
  const Rows rows = rows_of(op, x.shape());
  if (x.dtype() == DType::kFloat32) return run_split(op.kind, x.data<float>(), y.data<float>(), rows);
  if (x.dtype() == DType::kFloat64) return run_lanes(op.kind, x.data<double>(), y.data<double>(), rows);
  float* wide = c.scratch<float>(count);
  convert(x.dtype(), x.raw(), DType::kFloat32, wide, count);
  run_split(op.kind, wide, wide, rows);
  convert(DType::kFloat32, wide, y.dtype(), y.raw(), count);
}

bool permute(Node& node, std::span<const int64_t> perm) {
  if (node.opset >= 13) return permute_axis(node, perm, -1);
  // Flattened rows stay rows only when they are the last dim, before and after.
  const auto last = static_cast<int64_t>(perm.size()) - 1;
  const Attribute* attribute = node.find("axis");
  const int64_t axis = attribute != nullptr ? attribute->i : 1;
  return !perm.empty() && (axis == last || axis == -1) && perm.back() == last;
}

template <Kind kind>
constexpr OpDef normalized() {
  return op<Softmax, parse<kind>, infer, run>(since(1)).with_traits(kInPlace).with_permute(permute);
}

}  // namespace

KINGLET_OP(Softmax, normalized<Kind::kSoftmax>());
KINGLET_OP(LogSoftmax, normalized<Kind::kLogSoftmax>());
KINGLET_OP(Hardmax, normalized<Kind::kHardmax>());

}  // namespace kinglet::ops
