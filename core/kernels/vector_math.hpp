#pragma once
// Transcendental functions on four lanes, and the loop that maps them over an array. Internal to kernels/.
//
// Polynomials of exp, log and tanh: Cephes (S. Moshier, single precision). erf: N. Juffa's two-branch minimax form.

#include <limits>

#include "kernels/simd.hpp"

namespace kinglet::kernels {

using simd::f32x4;
using simd::i32x4;
using simd::u32x4;

/// x[0] * t^(n-1) + ... + x[n-1] by Horner's rule.
template <class... C>
inline f32x4 polynomial(f32x4 t, float first, C... rest) {
  f32x4 sum = simd::splat(first);
  ((sum = simd::madd(sum, t, simd::splat(rest))), ...);
  return sum;
}

/// exp(r) - 1 for |r| <= 0.35.
inline f32x4 expm1_reduced(f32x4 r) {
  const f32x4 p = polynomial(r, 1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f,
                             1.6666665459e-1f, 5.0000001201e-1f);
  return simd::madd(p * r, r, r);
}

inline f32x4 exp(f32x4 x) {
  // Past these bounds the result is 0 or infinity all the same, and the exponents below stay in range.
  x = simd::clamp_above(simd::clamp_below(x, simd::splat(-104.0f)), simd::splat(89.0f));
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
  const f32x4 magic = simd::splat(12582912.0f);
  const f32x4 shifted = x * simd::splat(1.44269504088896341f) + magic;
  const f32x4 n = shifted - magic;
  // ln 2 in two parts, the first short enough for n times it to be exact.
  f32x4 r = simd::madd(n, simd::splat(-0.693359375f), x);
  r = simd::madd(n, simd::splat(2.12194440e-4f), r);
  // 2^n as two factors: n = 128 and the denormal results need it.
  const i32x4 exponent = simd::bits<i32x4>(simd::bits<u32x4>(shifted) - simd::bits<u32x4>(magic));
  const i32x4 half = exponent >> 1;
  const auto power = [](i32x4 e) {
    return simd::bits<f32x4>((simd::bits<u32x4>(e) + simd::splat(uint32_t{127})) << 23);
  };
  return (expm1_reduced(r) + simd::splat(1.0f)) * power(half) * power(exponent - half);
}

inline f32x4 expm1(f32x4 x) {
  const f32x4 inside = simd::clamp_above(simd::clamp_below(x, simd::splat(-0.35f)), simd::splat(0.35f));
  return simd::select(simd::abs(x) < simd::splat(0.34f), expm1_reduced(inside), exp(x) - simd::splat(1.0f));
}

inline f32x4 log(f32x4 x) {
  const f32x4 infinity = simd::splat(std::numeric_limits<float>::infinity());
  const i32x4 denormal = x < simd::splat(std::numeric_limits<float>::min());
  const f32x4 scaled = simd::select(denormal, x * simd::splat(8388608.0f), x);
  // The mantissa's interval [sqrt(1/2), sqrt(2)) begins at the bits of sqrt(1/2).
  const i32x4 offset = simd::bits<i32x4>(simd::bits<u32x4>(scaled) - simd::splat(uint32_t{0x3f3504f3}));
  const i32x4 exponent = offset >> 23;
  const f32x4 m = simd::bits<f32x4>(simd::bits<u32x4>(scaled) - (simd::bits<u32x4>(exponent) << 23)) - simd::splat(1.0f);
  const f32x4 e = simd::to_float(exponent) - simd::select(denormal, simd::splat(23.0f), f32x4{});
  const f32x4 z = m * m;
  f32x4 y = polynomial(m, 7.0376836292e-2f, -1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f, 1.4249322787e-1f,
                       -1.6668057665e-1f, 2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f);
  y = y * m * z;
  y = simd::madd(e, simd::splat(-2.12194440e-4f), y);
  y = simd::madd(z, simd::splat(-0.5f), y);
  f32x4 result = simd::madd(e, simd::splat(0.693359375f), m + y);
  result = simd::select(x < infinity, result, x);
  result = simd::select(x > f32x4{}, result, simd::splat(std::numeric_limits<float>::quiet_NaN()));
  return simd::select(x == f32x4{}, -infinity, result);
}

inline f32x4 tanh(f32x4 x) {
  const f32x4 one = simd::splat(1.0f);
  const f32x4 magnitude = simd::abs(x);
  const f32x4 z = x * x;
  const f32x4 p = polynomial(z, -5.70498872745e-3f, 2.06390887954e-2f, -5.37397155531e-2f, 1.33314422036e-1f,
                             -3.33332819422e-1f);
  const f32x4 near = simd::madd(p * z, x, x);
  // 1 - 2 / (exp(2 |x|) + 1) rounds to 1 from 9.1 on.
  const f32x4 bounded = simd::clamp_above(magnitude, simd::splat(10.0f));
  const f32x4 far = one - simd::splat(2.0f) / (exp(bounded + bounded) + one);
  return simd::copy_sign(simd::select(magnitude < simd::splat(0.625f), near, far), x);
}

inline f32x4 sigmoid(f32x4 x) {
  // exp(-|x|) never overflows, and as the numerator of negative x it keeps their small results exact.
  const f32x4 one = simd::splat(1.0f);
  const f32x4 e = exp(-simd::abs(x));
  return simd::select(x < f32x4{}, e, one) / (one + e);
}

inline f32x4 erf(f32x4 x) {
  const f32x4 magnitude = simd::abs(x);
  const f32x4 square = x * x;
  const f32x4 near = simd::madd(polynomial(square, -5.96761703e-4f, 4.99119423e-3f, -2.67681349e-2f, 1.12819925e-1f,
                                           -3.76125336e-1f, 1.28379166e-1f),
                                x, x);
  const f32x4 t = simd::clamp_above(magnitude, simd::splat(4.0f));
  const f32x4 log_complement = polynomial(t, -1.72853470e-5f, 3.83197126e-4f, -3.88396438e-3f, 2.42546219e-2f,
                                          -1.06777877e-1f, -6.34846687e-1f, -1.28717512e-1f, 0.0f) -
                               t;
  const f32x4 far = simd::copy_sign(simd::splat(1.0f) - exp(log_complement), x);
  return simd::select(magnitude < simd::splat(0.927734375f), near, far);
}

/// y[i] = f(x[i]) four at a time; the lanes past the end are computed from zeros and dropped.
template <class F>
inline void map(const float* x, float* y, size_t n, F f) {
  simd::for_vectors(n, [&](size_t i, size_t lanes) KINGLET_INLINE_LAMBDA {
    simd::store_partial(y + i, f(simd::load_partial(x + i, lanes)), lanes);
  });
}

}  // namespace kinglet::kernels
