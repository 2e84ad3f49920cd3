// Det: determinants of the square matrices [..., n, n], by elimination with partial pivoting.
// Inverse of com.microsoft: their inverses; what is not finite says that there is none.

#include <algorithm>
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

void infer_inverse(const Det&, InferContext& c) {
  check_type(c.dtype(0), kFloats);
  const SymShape& in = c.shape(0);
  if (in.has_rank()) {
    c.require(in.rank() >= 2, "needs a matrix: rank >= 2, got {}", in.rank());
    unify(in[in.rank() - 1], in[in.rank() - 2]);
  }
  c.out(0, c.dtype(0), in);
}

/// `a` [n, 2 * n], whose right half is the identity, gets the inverse of its left half there.
void invert(double* a, size_t n) {
  const size_t width = 2 * n;
  for (size_t k = 0; k < n; ++k) {
    size_t pivot = k;
    for (size_t row = k + 1; row < n; ++row) {
      if (std::fabs(a[row * width + k]) > std::fabs(a[pivot * width + k])) pivot = row;
    }
    if (pivot != k) std::swap_ranges(a + k * width, a + (k + 1) * width, a + pivot * width);
    const double diagonal = a[k * width + k];
    for (size_t i = k; i < width; ++i) a[k * width + i] /= diagonal;
    for (size_t row = 0; row < n; ++row) {
      if (row == k) continue;
      const double factor = a[row * width + k];
      for (size_t i = k; i < width; ++i) a[row * width + i] -= factor * a[k * width + i];
    }
  }
}

void run_inverse(const Det&, RunContext& c) {
  const Tensor& in = c.in(0);
  Tensor& out = c.out(0);
  if (in.count() == 0) return;
  const auto n = static_cast<size_t>(in.shape().back());
  const size_t row = n * dtype_size(in.dtype());
  double* const matrix = c.scratch<double>(n, 2 * n);
  for (size_t at = 0; at < in.count() / n; at += n) {
    std::fill_n(matrix, n * 2 * n, 0.0);
    for (size_t i = 0; i < n; ++i) {
      convert(in.dtype(), in.raw() + (at + i) * row, DType::kFloat64, matrix + i * 2 * n, n);
      matrix[i * 2 * n + n + i] = 1;
    }
    invert(matrix, n);
    for (size_t i = 0; i < n; ++i)
      convert(DType::kFloat64, matrix + i * 2 * n + n, out.dtype(), out.raw() + (at + i) * row, n);
  }
}

}  // namespace

KINGLET_OP(Det, op<Det, parse, infer, run>(since(11)));
KINGLET_OP_IN(com_microsoft, "com.microsoft", Inverse, op<Det, parse, infer_inverse, run_inverse>(since(1)));

}  // namespace kinglet::ops
