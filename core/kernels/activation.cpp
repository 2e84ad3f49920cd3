#include "kernels/activation.hpp"

#include "kernels/vector_math.hpp"

namespace kinglet::kernels {
namespace {

f32x4 clamp01(f32x4 v) { return simd::clamp_above(simd::clamp_below(v, f32x4{}), simd::splat(1.0f)); }

}  // namespace

void apply(Activation activation, const float* x, float* y, size_t n) {
  const f32x4 alpha = simd::splat(activation.alpha);
  const f32x4 beta = simd::splat(activation.beta);
  const f32x4 half = simd::splat(0.5f);
  using Kind = Activation::Kind;
  switch (activation.kind) {
    case Kind::kNone:
      if (x != y) __builtin_memcpy(y, x, n * sizeof(float));
      return;
    case Kind::kRelu: return map(x, y, n, [&](f32x4 v) { return simd::clamp_below(v, f32x4{}); });
    case Kind::kClip:
      return map(x, y, n, [&](f32x4 v) { return simd::clamp_above(simd::clamp_below(v, alpha), beta); });
    case Kind::kLeakyRelu: return map(x, y, n, [&](f32x4 v) { return simd::select(v < f32x4{}, v * alpha, v); });
    case Kind::kElu: return map(x, y, n, [&](f32x4 v) { return simd::select(v < f32x4{}, alpha * expm1(v), v); });
    case Kind::kHardSigmoid: return map(x, y, n, [&](f32x4 v) { return clamp01(simd::madd(v, alpha, beta)); });
    case Kind::kHardSwish:
      return map(x, y, n, [&](f32x4 v) {
        return simd::madd(v * alpha, clamp01(simd::madd(v, simd::splat(1.0f / 6.0f), half)), beta);
      });
    case Kind::kSigmoid: return map(x, y, n, [](f32x4 v) { return sigmoid(v); });
    case Kind::kSilu: return map(x, y, n, [](f32x4 v) { return v * sigmoid(v); });
    case Kind::kTanh: return map(x, y, n, [](f32x4 v) { return tanh(v); });
    case Kind::kGelu:
      return map(x, y, n, [&](f32x4 v) {
        const f32x4 h = v * half;
        return simd::madd(h, erf(v * simd::splat(0.70710678118654752f)), h);
      });
    case Kind::kGeluTanh:
      return map(x, y, n, [&](f32x4 v) {
        const f32x4 inner = v * simd::madd(v * v, simd::splat(0.7978845608f * 0.044715f), simd::splat(0.7978845608f));
        const f32x4 h = v * half;
        return simd::madd(h, tanh(inner), h);
      });
  }
}

}  // namespace kinglet::kernels
