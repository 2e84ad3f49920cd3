#include "kernels/elementwise.hpp"

#include "kernels/simd.hpp"

namespace kinglet::kernels {
namespace {

using simd::f32x4;

/// Calls run(f) with the function of two vectors that `op` names.
template <class Run>
void with_function(Binary op, Run run) {
  switch (op) {
    case Binary::kAdd: return run([](f32x4 a, f32x4 b) { return a + b; });
    case Binary::kSub: return run([](f32x4 a, f32x4 b) { return a - b; });
    case Binary::kMul: return run([](f32x4 a, f32x4 b) { return a * b; });
    case Binary::kDiv: return run([](f32x4 a, f32x4 b) { return a / b; });
    case Binary::kMin: return run([](f32x4 a, f32x4 b) { return simd::min(a, b); });
    case Binary::kMax: return run([](f32x4 a, f32x4 b) { return simd::max(a, b); });
  }
}

/// Lanes from i of an array; past its end they are 1, which no function here minds as a divisor.
inline f32x4 operand(const float* p, size_t i, size_t lanes) {
  return simd::load_partial(p + i, lanes, 1.0f);
}

/// A scalar has the same value in all lanes.
inline f32x4 operand(f32x4 value, size_t, size_t) { return value; }

/// y[i] = f(a[i], b[i])
template <class A, class B, class F>
inline void loop(A a, B b, float* y, size_t n, F f) {
  simd::for_vectors(n, [&](size_t i, size_t lanes) KINGLET_INLINE_LAMBDA {
    simd::store_partial(y + i, f(operand(a, i, lanes), operand(b, i, lanes)), lanes);
  });
}

}  // namespace

void binary(Binary op, const float* a, const float* b, float* y, size_t n) {
  with_function(op, [=](auto f) { loop(a, b, y, n, f); });
}

void binary_scalar(Binary op, const float* a, float b, float* y, size_t n) {
  with_function(op, [=](auto f) { loop(a, simd::splat(b), y, n, f); });
}

void scalar_binary(Binary op, float a, const float* b, float* y, size_t n) {
  with_function(op, [=](auto f) { loop(simd::splat(a), b, y, n, f); });
}

void binary_row(Binary op, const float* a, const float* b, float* y, size_t rows, size_t columns) {
  if (columns == 1) return binary_scalar(op, a, *b, y, rows);
  for (size_t r = 0; r < rows; ++r) binary(op, a + r * columns, b, y + r * columns, columns);
}

void row_binary(Binary op, const float* a, const float* b, float* y, size_t rows, size_t columns) {
  if (columns == 1) return scalar_binary(op, *a, b, y, rows);
  for (size_t r = 0; r < rows; ++r) binary(op, a, b + r * columns, y + r * columns, columns);
}

void binary_column(Binary op, const float* a, const float* b, float* y, size_t rows, size_t columns) {
  if (columns == 1) return binary(op, a, b, y, rows);
  for (size_t r = 0; r < rows; ++r) binary_scalar(op, a + r * columns, b[r], y + r * columns, columns);
}

void column_binary(Binary op, const float* a, const float* b, float* y, size_t rows, size_t columns) {
  if (columns == 1) return binary(op, a, b, y, rows);
  for (size_t r = 0; r < rows; ++r) scalar_binary(op, a[r], b + r * columns, y + r * columns, columns);
}

}  // namespace kinglet::kernels
