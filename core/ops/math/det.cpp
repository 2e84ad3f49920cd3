// Det: determinants of the square matrices [..., n, n], by elimination with partial pivoting.

#include <cmath>
#include <utility>

#include "ops/convert.hpp"
#include "ops/elementwise.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct Det {};
Det parse(const NodeView&) { return {}; }

void infer(const Det&, InferContext& c) {
  check_type(c.dtype(0), kFloats);
  const SymShape& in = c.shape(0);
  if (!in.has_rank()) return c.out(0, c.dtype(0), {});
  c.require(in.rank() >= 2, "needs a matrix: rank >= 2, got {}", in.rank());
  unify(in[in.rank() - 1], in[in.rank() - 2]);
  c.out(0, c.dtype(0), SymShape(std::vector<Dim>(in.dims().begin(), in.dims().end() - 2)));
}

/// `a` is lost.
double determinant(double* a, size_t n) {
  double product = 1;
  for (size_t k = 0; k < n; ++k) {
    size_t pivot = k;
    for (size_t row = k + 1; row < n; ++row) {
      if (std::fabs(a[row * n + k]) > std::fabs(a[pivot * n + k])) pivot = row;
    }
    if (pivot != k) {
      std::swap_ranges(a + k * n, a + (k + 1) * n, a + pivot * n);
      product = -product;
    }
    const double diagonal = a[k * n + k];
    product *= diagonal;
    if (diagonal == 0) return product;
    for (size_t row = k + 1; row < n; ++row) {
      const double factor = a[row * n + k] / diagonal;
      for (size_t i = k + 1; i < n; ++i) a[row * n + i] -= factor * a[k * n + i];
    }
  }
  return product;
}

void run(const Det&, RunContext& c) {
  const Tensor& in = c.in(0);
  Tensor& out = c.out(0);
  const auto n = static_cast<size_t>(in.shape().back());
  const size_t size = dtype_size(in.dtype());
  double* matrix = c.scratch<double>(n * n);
  for (size_t i = 0; i < out.count(); ++i) {
    convert(in.dtype(), in.raw() + i * n * n * size, DType::kFloat64, matrix, n * n);
    const double value = determinant(matrix, n);
    convert(DType::kFloat64, &value, out.dtype(), out.raw() + i * size, 1);
  }
}

}  // namespace

KINGLET_OP(Det, op<Det, parse, infer, run>(since(11)));

}  // namespace kinglet::ops
