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

/// map() of what `make` gives, as a function for each kind: apply() itself stays small, however often it is called for a
/// few numbers.
template <class Make>
KINGLET_APART void map_apart(const float* x, float* y, size_t n, const Make& make) {
  map(x, y, n, make());
}

}  // namespace

void apply(Activation activation, const float* x, float* y, size_t n) {
  const Table& k = simd::opaque(kTable);
  const auto clamp01 = [](f32x4 v, f32x4 one) { return simd::clamp_above(simd::clamp_below(v, f32x4{}), one); };
  const float &a = activation.alpha, &b = activation.beta;
  using Kind = Activation::Kind;
  switch (activation.kind) {
    case Kind::kNone:
      if (x != y) __builtin_memcpy(y, x, n * sizeof(float));
      return;
    case Kind::kRelu:
      return map_apart(x, y, n, [] { return [](f32x4 v) { return simd::clamp_below(v, f32x4{}); }; });
    case Kind::kClip:
      return map_apart(x, y, n, [&] {
        return [low = simd::splat(a), high = simd::splat(b)](f32x4 v) { return simd::clamp_above(simd::clamp_below(v, low), high); };
      });
    case Kind::kLeakyRelu:
      return map_apart(x, y, n, [&] {
        return [alpha = simd::splat(a)](f32x4 v) { return simd::select(v < f32x4{}, v * alpha, v); };
      });
    case Kind::kElu:
      return map_apart(x, y, n, [&] {
        return [alpha = simd::splat(a)](f32x4 v) { return simd::select(v < f32x4{}, alpha * expm1(v), v); };
      });
    case Kind::kHardSigmoid:
      return map_apart(x, y, n, [&] {
        return [=, alpha = simd::splat(a), beta = simd::splat(b), one = simd::load_splat(&k.one)](f32x4 v) {
          return clamp01(simd::madd(v, alpha, beta), one);
        };
      });
    case Kind::kHardSwish:
      return map_apart(x, y, n, [&] {
        return [=, alpha = simd::splat(a), beta = simd::splat(b), one = simd::load_splat(&k.one),
                half = simd::load_splat(&k.half), sixth = simd::load_splat(&k.sixth)](f32x4 v) {
          return simd::madd(v * alpha, clamp01(simd::madd(v, sixth, half), one), beta);
        };
      });
    case Kind::kSigmoid:
      return map_apart(x, y, n, [] { return [f = Logistic()](f32x4 v) { return f.sigmoid(v); }; });
    case Kind::kSilu: return map_apart(x, y, n, [] { return [f = Logistic()](f32x4 v) { return f.silu(v); }; });
    case Kind::kTanh: return map_apart(x, y, n, [] { return Tanh(); });
    case Kind::kGelu:
      return map_apart(x, y, n, [&k] {
        return [f = Erf(), half = simd::load_splat(&k.half), sqrt_half = simd::load_splat(&k.sqrt_half)](f32x4 v) {
          const f32x4 h = v * half;
          return simd::madd(h, f(v * sqrt_half), h);
        };
      });
    case Kind::kGeluTanh:
      return map_apart(x, y, n, [&k] {
        return [f = Tanh(), half = simd::load_splat(&k.half), cubic = simd::load_splat(&k.inner_cubic),
                linear = simd::load_splat(&k.inner)](f32x4 v) {
          const f32x4 h = v * half;
          return simd::madd(h, f(v * simd::madd(v * v, cubic, linear)), h);
        };
      });
  }
}

}  // namespace kinglet::kernels
