#pragma once
// Transcendental functions on four lanes, and the loop that maps them over an array. Internal to kernels/.
//
// Polynomials of exp and log: Cephes (S. Moshier, single precision).

#include <limits>

#include "kernels/simd.hpp"

namespace kinglet::kernels {

using simd::f32x4;
using simd::i32x4;
using simd::u32x4;

/// c[0] * t^(n-1) + ... + c[n-1] by Horner's rule.
template <size_t N>
inline f32x4 polynomial(f32x4 t, const float (&c)[N]) {
  f32x4 sum = simd::load_splat(&c[0]);
  for (size_t i = 1; i < N; ++i) sum = simd::madd(sum, t, simd::load_splat(&c[i]));
  return sum;
}

struct ExpTable {
  // Past these bounds the result is 0 or infinity all the same, and the exponents stay in range.
  float least = -104.0f, most = 89.0f;
  float log2e = 1.44269504088896341f;
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
  float magic = 12582912.0f;
  // -ln 2 in two parts, the first short enough for an integer times it to be exact.
  float minus_ln2_high = -0.693359375f, minus_ln2_low = 2.12194440e-4f;
  float one = 1.0f;
  int32_t exponent_bias = 127;
  float expm1[6] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                    4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
};
inline constexpr ExpTable kExpTable;

/// exp(r) - 1 for |r| <= 0.35.
inline f32x4 expm1_reduced(f32x4 r) {
  return simd::madd(polynomial(r, simd::opaque(kExpTable).expm1) * r, r, r);
}

inline f32x4 exp(f32x4 x) {
  const ExpTable& k = simd::opaque(kExpTable);
  x = simd::clamp_above(simd::clamp_below(x, simd::load_splat(&k.least)), simd::load_splat(&k.most));
  const f32x4 magic = simd::load_splat(&k.magic);
  const f32x4 shifted = simd::madd(x, simd::load_splat(&k.log2e), magic);
  const f32x4 n = shifted - magic;
  f32x4 r = simd::madd(n, simd::load_splat(&k.minus_ln2_high), x);
  r = simd::madd(n, simd::load_splat(&k.minus_ln2_low), r);
  // 2^n as two factors: n = 128 and the denormal results need it.
  const i32x4 exponent = simd::bits<i32x4>(simd::bits<u32x4>(shifted) - simd::bits<u32x4>(magic));
  const i32x4 half = exponent >> 1;
  const auto power = [&](i32x4 e) {
    return simd::bits<f32x4>(simd::bits<u32x4>(e + simd::load_splat(&k.exponent_bias)) << 23);
  };
  return (expm1_reduced(r) + simd::load_splat(&k.one)) * power(half) * power(exponent - half);
}

inline f32x4 expm1(f32x4 x) {
  static constexpr float kBounds[] = {0.34f, 0.35f, 1.0f};
  const auto& k = simd::opaque(kBounds);
  const f32x4 bound = simd::load_splat(&k[1]);
  const f32x4 inside = simd::clamp_above(simd::clamp_below(x, -bound), bound);
  return simd::select(simd::abs(x) < simd::load_splat(&k[0]), expm1_reduced(inside),
                      exp(x) - simd::load_splat(&k[2]));
}

struct LogTable {
  float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  float least_normal = std::numeric_limits<float>::min();
  float denormal_scale = 8388608.0f, denormal_exponent = 23.0f;
  // The mantissa's interval [sqrt(1/2), sqrt(2)) begins at the bits of sqrt(1/2).
  int32_t sqrt_half_bits = 0x3f3504f3;
  float one = 1.0f, minus_half = -0.5f;
  float ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
  float c[9] = {7.0376836292e-2f,  -1.1514610310e-1f, 1.1676998740e-1f,  -1.2420140846e-1f, 1.4249322787e-1f,
                -1.6668057665e-1f, 2.0000714765e-1f,  -2.4999993993e-1f, 3.3333331174e-1f};
};
inline constexpr LogTable kLogTable;

inline f32x4 log(f32x4 x) {
  const LogTable& k = simd::opaque(kLogTable);
  const f32x4 infinity = simd::load_splat(&k.infinity);
  const i32x4 denormal = x < simd::load_splat(&k.least_normal);
  const f32x4 scaled = simd::select(denormal, x * simd::load_splat(&k.denormal_scale), x);
  const auto scaled_bits = simd::bits<u32x4>(scaled);
  const i32x4 offset =
      simd::bits<i32x4>(scaled_bits - simd::bits<u32x4>(simd::load_splat(&k.sqrt_half_bits)));
  const i32x4 exponent = offset >> 23;
  const f32x4 m =
      simd::bits<f32x4>(scaled_bits - (simd::bits<u32x4>(exponent) << 23)) - simd::load_splat(&k.one);
  const f32x4 e =
      simd::to_float(exponent) - simd::select(denormal, simd::load_splat(&k.denormal_exponent), f32x4{});
  const f32x4 z = m * m;
  f32x4 y = polynomial(m, k.c) * m * z;
  y = simd::madd(e, simd::load_splat(&k.ln2_low), y);
  y = simd::madd(z, simd::load_splat(&k.minus_half), y);
  f32x4 result = simd::madd(e, simd::load_splat(&k.ln2_high), m + y);
  result = simd::select(x < infinity, result, x);
  result = simd::select(x > f32x4{}, result, simd::load_splat(&k.nan));
  return simd::select(x == f32x4{}, -infinity, result);
}

/// x * numerator(x^2) / denominator(x^2): a fit (least relative error) of an odd function up to `most`. It
/// ends a little above 1 there and is clamped, so that large x give exactly 1.
struct TanhTable {
  float most = 9.0f, one = 1.0f;
  float numerator[5] = {1.3487161609759823e-8f, 2.0694076738436706e-5f, 3.5004750825464725e-3f,
                        1.3385076820850372e-1f, 1.0f};
  float denominator[5] = {7.827219405953656e-7f, 3.293798363301903e-4f, 2.5895366445183754e-2f,
                          4.67183917760849e-1f, 1.0f};
};
struct ErfTable {
  float most = 3.92f, one = 1.0f;
  float numerator[6] = {2.060558699668036e-6f,  2.8523069340735674e-4f, 3.7570632994174957e-3f,
                        5.2727364003658295e-2f, 1.9014456868171692e-1f, 1.1283791065216064f};
  float denominator[6] = {3.821400605374947e-5f,  1.161367865279317e-3f, 1.495284866541624e-2f,
                          1.1401275545358658e-1f, 5.018439888954163e-1f, 1.0f};
};
inline constexpr TanhTable kTanhTable;
inline constexpr ErfTable kErfTable;

/// Functions over arrays are objects that hold their constants: a store to the array could change what a table
/// holds for all that a compiler knows, so it would load the table's numbers for every vector.
template <const auto& kTable>
class OddRational {
 public:
  inline f32x4 operator()(f32x4 x) const {
    x = simd::clamp_above(simd::clamp_below(x, -most_), most_);
    const f32x4 z = x * x;
    const f32x4 y = x * value(numerator_, z) / value(denominator_, z);
    return simd::clamp_above(simd::clamp_below(y, -one_), one_);
  }

 private:
  static constexpr size_t kTerms = sizeof kTable.numerator / sizeof(float);
  struct Polynomial {
    f32x4 c[kTerms];
    explicit Polynomial(const float (&from)[kTerms]) {
      for (size_t i = 0; i < kTerms; ++i) c[i] = simd::load_splat(&from[i]);
    }
  };
  static inline f32x4 value(const Polynomial& p, f32x4 t) {
    f32x4 sum = p.c[0];
    for (size_t i = 1; i < kTerms; ++i) sum = simd::madd(sum, t, p.c[i]);
    return sum;
  }

  f32x4 most_ = simd::load_splat(&simd::opaque(kTable).most), one_ = simd::load_splat(&simd::opaque(kTable).one);
  Polynomial numerator_{simd::opaque(kTable).numerator}, denominator_{simd::opaque(kTable).denominator};
};

using Tanh = OddRational<kTanhTable>;
using Erf = OddRational<kErfTable>;

inline f32x4 tanh(f32x4 x) { return Tanh()(x); }
inline f32x4 erf(f32x4 x) { return Erf()(x); }

/// exp(r) = 1 + r + r^2 * (c[0] + c[1] r + ...) for |r| <= 0.35: a fit, relative error 3e-9.
struct ShortExpTable {
  float least = -87.3f;
  float log2e = 1.44269504088896341f, magic = 12582912.0f, one = 1.0f;
  float minus_ln2_high = -0.693359375f, minus_ln2_low = 2.12194440e-4f;
  float c[5] = {0.49999994f, 0.16666520f, 0.041668393f, 0.0083687808f, 0.0013814499f};
};
inline constexpr ShortExpTable kShortExpTable;

/// exp, but 0 wherever that is no normal number: what a softmax hides or drives towards 0 otherwise costs a
/// processor a hundred cycles a vector. For x <= 88 and NaN. An object for the reason given at OddRational.
class ExpOrZero {
 public:
  inline f32x4 operator()(f32x4 x) const {
    const f32x4 inside = simd::clamp_below(x, least_);
    const f32x4 shifted = simd::madd(inside, log2e_, magic_);
    const f32x4 n = shifted - magic_;
    const f32x4 r = simd::madd(n, minus_ln2_low_, simd::madd(n, minus_ln2_high_, inside));
    const f32x4 r2 = r * r;
    const f32x4 high = simd::madd(r2, c_[4], simd::madd(r, c_[3], c_[2]));
    const f32x4 reduced = simd::madd(simd::madd(high, r2, simd::madd(r, c_[1], c_[0])), r2, one_ + r);
    const auto power = simd::bits<f32x4>((simd::bits<u32x4>(shifted) << 23) + simd::bits<u32x4>(one_));
    return simd::select(x < least_, f32x4{}, reduced * power);
  }

 private:
  static f32x4 constant(const float& x) { return simd::load_splat(&x); }
  const ShortExpTable& k_ = simd::opaque(kShortExpTable);
  f32x4 least_ = constant(k_.least), log2e_ = constant(k_.log2e), magic_ = constant(k_.magic);
  f32x4 one_ = constant(k_.one);
  f32x4 minus_ln2_high_ = constant(k_.minus_ln2_high), minus_ln2_low_ = constant(k_.minus_ln2_low);
  f32x4 c_[5] = {constant(k_.c[0]), constant(k_.c[1]), constant(k_.c[2]), constant(k_.c[3]), constant(k_.c[4])};
};

struct LogisticTable {
  // Within these bounds exp(-x) and its inverse are normal numbers.
  float least = -87.0f, most = 87.0f;
  float log2e = 1.44269504088896341f, magic = 12582912.0f, one = 1.0f;
  float minus_ln2_high = -0.693359375f, minus_ln2_low = 2.12194440e-4f;
  // exp(-r) = 1 - r + r^2 * (c[0] + c[1] r + ...) for |r| <= 0.35: a fit, relative error 3e-9.
  float c[5] = {0.49999994f, -0.16666520f, 0.041668393f, -0.0083687808f, 0.0013814499f};
};
inline constexpr LogisticTable kLogisticTable;

/// Functions of 1 + exp(-x), which takes half the instructions of exp, because the sum swallows what is small.
class Logistic {
 public:
  inline f32x4 sigmoid(f32x4 x) const {
    if (!simd::any(~(x >= least_))) return one_ / one_plus_exp_minus(simd::clamp_above(x, most_));
    // NaN and results that are no normal number: exp(-|x|) never overflows, and as the numerator of negative x
    // it keeps them exact.
    const f32x4 e = exp(-simd::abs(x));
    return simd::select(x < f32x4{}, e, one_) / (one_ + e);
  }

  /// x * sigmoid(x), but -1e-36 below x = -87.
  inline f32x4 silu(f32x4 x) const {
    const f32x4 above = simd::clamp_below(x, least_);
    return above / one_plus_exp_minus(simd::clamp_above(above, most_));
  }

 private:
  /// For x within the bounds; of NaN it may make a number.
  inline f32x4 one_plus_exp_minus(f32x4 x) const {
    const f32x4 shifted = simd::madd(x, log2e_, magic_);
    const f32x4 n = shifted - magic_;
    const f32x4 r = simd::madd(n, minus_ln2_low_, simd::madd(n, minus_ln2_high_, x));
    const f32x4 r2 = r * r;
    const f32x4 high = simd::madd(r2, c_[4], simd::madd(r, c_[3], c_[2]));
    const f32x4 power = simd::madd(simd::madd(high, r2, simd::madd(r, c_[1], c_[0])), r2, one_ - r);
    return simd::bits<f32x4>(simd::bits<u32x4>(power) - (simd::bits<u32x4>(shifted) << 23)) + one_;
  }

  static f32x4 constant(const float& x) { return simd::load_splat(&x); }
  const LogisticTable& k_ = simd::opaque(kLogisticTable);
  f32x4 least_ = constant(k_.least), most_ = constant(k_.most), one_ = constant(k_.one);
  f32x4 log2e_ = constant(k_.log2e), magic_ = constant(k_.magic);
  f32x4 minus_ln2_high_ = constant(k_.minus_ln2_high), minus_ln2_low_ = constant(k_.minus_ln2_low);
  f32x4 c_[5] = {constant(k_.c[0]), constant(k_.c[1]), constant(k_.c[2]), constant(k_.c[3]), constant(k_.c[4])};
};

/// y[i] = f(x[i]) four at a time; the lanes past the end are computed from zeros and dropped.
template <class F>
inline void map(const float* x, float* y, size_t n, F f) {
  simd::for_vectors(n, [&](size_t i, size_t lanes) KINGLET_INLINE_LAMBDA {
    simd::store_partial(y + i, f(simd::load_partial(x + i, lanes)), lanes);
  });
}

}  // namespace kinglet::kernels
