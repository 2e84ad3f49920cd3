// CDist of com.microsoft: the distances of the rows of A [m, k] and B [n, k], squared or not.

#include <cmath>

#include "ops/elementwise.hpp"
#include "ops/parallel.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct CDist {
  bool squared;
};

CDist parse(const NodeView& n) {
  const std::string metric = n.attr_string("metric", "sqeuclidean");
  if (metric != "sqeuclidean" && metric != "euclidean") throw_error(ErrorCode::kModel, "attribute '{}' is '{}'", "metric", metric);
  return {metric == "sqeuclidean"};
}

void infer(const CDist&, InferContext& c) {
  const DType type = common_type(c, 0, 2, type_set(DType::kFloat32) | type_set(DType::kFloat64));
  const SymShape &a = c.shape(0), &b = c.shape(1);
  for (const SymShape* s : {&a, &b}) c.require(!s->has_rank() || s->rank() == 2, "expected rank 2, got {}", *s);
  if (a.has_rank() && b.has_rank()) unify(a[1], b[1]);
  c.out(0, type, SymShape({a.has_rank() ? a[0] : Dim(), b.has_rank() ? b[0] : Dim()}));
}

template <class T>
void distances(const CDist& op, RunContext& c) {
  const T *const a = c.in(0).data<T>(), *const b = c.in(1).data<T>();
  T* const y = c.out(0).data<T>();
  const auto n = static_cast<size_t>(c.in(1).dim(0)), k = static_cast<size_t>(c.in(1).dim(1));
  parallel(static_cast<size_t>(c.in(0).dim(0)), worth_a_thread(n * k), [&](size_t begin, size_t end, size_t) {
    for (size_t i = begin * n; i < end * n; ++i) {
      const T *const p = a + i / n * k, *const q = b + i % n * k;
      T sum = 0;
      for (size_t d = 0; d < k; ++d) sum += (p[d] - q[d]) * (p[d] - q[d]);
      y[i] = op.squared ? sum : std::sqrt(sum);
    }
  });
}

void run(const CDist& op, RunContext& c) {
  if (c.out(0).count() == 0) return;
  c.in(0).dtype() == DType::kFloat64 ? distances<double>(op, c) : distances<float>(op, c);
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", CDist, op<CDist, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
