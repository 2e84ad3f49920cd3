#include "kernels/math.hpp"

#include "kernels/vector_math.hpp"

namespace kinglet::kernels {

void exp(const float* x, float* y, size_t n) {
  map(x, y, n, [](f32x4 v) { return exp(v); });
}
void log(const float* x, float* y, size_t n) {
  map(x, y, n, [](f32x4 v) { return log(v); });
}
void tanh(const float* x, float* y, size_t n) {
  map(x, y, n, Tanh());
}
void sigmoid(const float* x, float* y, size_t n) {
  map(x, y, n, [f = Logistic()](f32x4 v) { return f.sigmoid(v); });
}
void erf(const float* x, float* y, size_t n) {
  map(x, y, n, Erf());
}
void sqrt(const float* x, float* y, size_t n) {
  map(x, y, n, [](f32x4 v) { return simd::sqrt(v); });
}
void reciprocal(const float* x, float* y, size_t n) {
  map(x, y, n, [](f32x4 v) { return simd::splat(1.0f) / v; });
}
void abs(const float* x, float* y, size_t n) {
  map(x, y, n, [](f32x4 v) { return simd::abs(v); });
}
void negate(const float* x, float* y, size_t n) {
  map(x, y, n, [](f32x4 v) { return -v; });
}
void floor(const float* x, float* y, size_t n) {
  map(x, y, n, [](f32x4 v) { return simd::floor(v); });
}
void ceil(const float* x, float* y, size_t n) {
  map(x, y, n, [](f32x4 v) { return simd::ceil(v); });
}
void round_even(const float* x, float* y, size_t n) {
  map(x, y, n, [](f32x4 v) { return simd::nearest(v); });
}

}  // namespace kinglet::kernels
