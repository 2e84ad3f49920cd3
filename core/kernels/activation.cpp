#include "kernels/activation.hpp"

#include "kernels/vector_math.hpp"

namespace kinglet::kernels {
namespace {

struct Table {
  float half = 0.5f, one = 1.0f, sixth = 1.0f / 6.0f;
  float sqrt_half = 0.70710678118654752f;
  // Of Gelu by tanh: sqrt(2 / pi), and that times 0.044715.
  float inner = 0.7978845608f, inner_cubic = 0.7978845608f * 0.044715f;
};
constexpr Table kTable;

/// map() as a function for each kind: apply() itself stays small, however often it is called for a few numbers.
template <class F>
KINGLET_APART void map_apart(const float* x, float* y, size_t n, const F& f) {
  map(x, y, n, F(f));
}

}  // namespace

void apply(Activation activation, const float* x, float* y, size_t n) {
  const Table& k = simd::opaque(kTable);
  const f32x4 alpha = simd::splat(activation.alpha), beta = simd::splat(activation.beta);
  const f32x4 half = simd::load_splat(&k.half), one = simd::load_splat(&k.one);
  const auto clamp01 = [one](f32x4 v) { return simd::clamp_above(simd::clamp_below(v, f32x4{}), one); };
  using Kind = Activation::Kind;
  switch (activation.kind) {
    case Kind::kNone:
      if (x != y) __builtin_memcpy(y, x, n * sizeof(float));
      return;
    case Kind::kRelu: return map_apart(x, y, n, [](f32x4 v) { return simd::clamp_below(v, f32x4{}); });
    case Kind::kClip:
      return map_apart(x, y, n, [alpha, beta](f32x4 v) { return simd::clamp_above(simd::clamp_below(v, alpha), beta); });
    case Kind::kLeakyRelu:
      return map_apart(x, y, n, [alpha](f32x4 v) { return simd::select(v < f32x4{}, v * alpha, v); });
    case Kind::kElu:
      return map_apart(x, y, n, [alpha](f32x4 v) { return simd::select(v < f32x4{}, alpha * expm1(v), v); });
    case Kind::kHardSigmoid:
      return map_apart(x, y, n, [alpha, beta, clamp01](f32x4 v) { return clamp01(simd::madd(v, alpha, beta)); });
    case Kind::kHardSwish:
      return map_apart(x, y, n, [alpha, beta, clamp01, half, sixth = simd::load_splat(&k.sixth)](f32x4 v) {
        return simd::madd(v * alpha, clamp01(simd::madd(v, sixth, half)), beta);
      });
    case Kind::kSigmoid: return map_apart(x, y, n, [f = Logistic()](f32x4 v) { return f.sigmoid(v); });
    case Kind::kSilu: return map_apart(x, y, n, [f = Logistic()](f32x4 v) { return f.silu(v); });
    case Kind::kTanh: return map_apart(x, y, n, Tanh());
    case Kind::kGelu:
      return map_apart(x, y, n, [half, f = Erf(), sqrt_half = simd::load_splat(&k.sqrt_half)](f32x4 v) {
        const f32x4 h = v * half;
        return simd::madd(h, f(v * sqrt_half), h);
      });
    case Kind::kGeluTanh:
      return map_apart(x, y, n,
                       [half, f = Tanh(), cubic = simd::load_splat(&k.inner_cubic),
                        linear = simd::load_splat(&k.inner)](f32x4 v) {
                         const f32x4 h = v * half;
                         return simd::madd(h, f(v * simd::madd(v * v, cubic, linear)), h);
                       });
  }
}

}  // namespace kinglet::kernels
