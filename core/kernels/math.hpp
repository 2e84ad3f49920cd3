#pragma once
// Unary functions over contiguous f32: y[i] = f(x[i]) for i in [0, n); y may be x.
//
// Relative error is below 5e-7 over the whole range, infinities and NaN included as in <cmath>. exp and log
// treat denormals like <cmath>; the sign of zero is kept where <cmath> keeps it.

#include <cstddef>

namespace kinglet::kernels {

void exp(const float* x, float* y, size_t n);
void log(const float* x, float* y, size_t n);
void tanh(const float* x, float* y, size_t n);
void sigmoid(const float* x, float* y, size_t n);
void erf(const float* x, float* y, size_t n);
void sqrt(const float* x, float* y, size_t n);
void reciprocal(const float* x, float* y, size_t n);
void abs(const float* x, float* y, size_t n);
void negate(const float* x, float* y, size_t n);
void floor(const float* x, float* y, size_t n);
void ceil(const float* x, float* y, size_t n);
/// Halves go to the even neighbour, as ONNX Round says.
void round_even(const float* x, float* y, size_t n);

}  // namespace kinglet::kernels
