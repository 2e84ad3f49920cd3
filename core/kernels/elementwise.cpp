#include "kernels/elementwise.hpp"

#include <algorithm>

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

/// An array, or one number in all lanes of a vector that is read again and again.
struct Operand {
  const float* data;
  size_t step;  ///< floats from a vector to the next: kLanes or 0
};

/// y = f(a, b), so many vectors. One loop for arrays and numbers alike, and without rests of vectors, is a sixth of the code.
void for_vectors(Binary op, Operand a, Operand b, float* y, size_t vectors) {
  with_function(op, [=](auto f) mutable {
    for (; vectors != 0; --vectors, a.data += a.step, b.data += b.step, y += simd::kLanes) {
      simd::store(y, f(simd::load(a.data), simd::load(b.data)));
    }
  });
}

/// The last `count` elements of n, filled up with ones, which no function here minds as a divisor.
Operand end_of(Operand x, size_t n, size_t count, float (&buffer)[simd::kLanes]) {
  if (x.step == 0) return x;
  std::fill_n(buffer, simd::kLanes, 1.0f);
  std::copy_n(x.data + n - count, count, buffer);
  return {buffer, 0};
}

void apply(Binary op, Operand a, Operand b, float* y, size_t n) {
  const size_t rest = n % simd::kLanes;
  float from_a[simd::kLanes], from_b[simd::kLanes], to[simd::kLanes];
  // Before y, which may be a or b, is written.
  const Operand end_of_a = end_of(a, n, rest, from_a), end_of_b = end_of(b, n, rest, from_b);
  for_vectors(op, a, b, y, n / simd::kLanes);
  if (rest == 0) return;
  for_vectors(op, end_of_a, end_of_b, to, 1);
  std::copy_n(to, rest, y + n - rest);
}

struct Splat {
  explicit Splat(float x) { simd::store(lanes, simd::splat(x)); }
  operator Operand() const { return {lanes, 0}; }
  float lanes[simd::kLanes];
};

}  // namespace

void binary(Binary op, const float* a, const float* b, float* y, size_t n) {
  apply(op, {a, simd::kLanes}, {b, simd::kLanes}, y, n);
}

void binary_scalar(Binary op, const float* a, float b, float* y, size_t n) {
  apply(op, {a, simd::kLanes}, Splat(b), y, n);
}

void scalar_binary(Binary op, float a, const float* b, float* y, size_t n) {
  apply(op, Splat(a), {b, simd::kLanes}, y, n);
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
