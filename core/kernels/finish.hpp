#pragma once
// Activations that a kernel can apply in registers, before the store. Internal to kernels/.

#include <limits>

#include "base/inlining.hpp"
#include "kernels/activation.hpp"
#include "kernels/simd.hpp"

namespace kinglet::kernels {

/// The activation as vectors; made once a call.
struct Finish {
  enum class Kind : uint8_t { kNothing, kClamp, kHardSwish };
  Kind kind = Kind::kNothing;
  simd::f32x4 low = {}, high = {};    ///< of the clamp
  simd::f32x4 alpha = {}, beta = {};  ///< of HardSwish
  // Of HardSwish too; here because V8 would build constants anew at every use.
  simd::f32x4 sixth = simd::splat(1.0f / 6.0f), half = simd::splat(0.5f), one = simd::splat(1.0f);
};

/// Whether finish() does all of this activation; else apply() has to run over the stored values.
constexpr bool finishes_in_registers(Activation::Kind kind) {
  return kind == Activation::Kind::kNone || kind == Activation::Kind::kRelu ||
         kind == Activation::Kind::kClip || kind == Activation::Kind::kHardSwish;
}

/// Nothing at all where it cannot be done in registers.
inline Finish make_finish(Activation activation) {
  Finish f;
  const simd::f32x4 alpha = simd::splat(activation.alpha), beta = simd::splat(activation.beta);
  switch (activation.kind) {
    case Activation::Kind::kRelu:
      f.kind = Finish::Kind::kClamp;
      f.high = simd::splat(std::numeric_limits<float>::infinity());
      break;
    case Activation::Kind::kClip:
      f.kind = Finish::Kind::kClamp;
      f.low = alpha;
      f.high = beta;
      break;
    case Activation::Kind::kHardSwish:
      f.kind = Finish::Kind::kHardSwish;
      f.alpha = alpha;
      f.beta = beta;
      break;
    default: break;
  }
  return f;
}

/// kClamp alone, of all vectors of a tile.
template <size_t N>
KINGLET_INLINE void clamp(const Finish& f, simd::f32x4 (&v)[N]) {
  for (size_t i = 0; i < N; ++i) v[i] = simd::clamp_above(simd::clamp_below(v[i], f.low), f.high);
}

/// kHardSwish alone.
template <size_t N>
KINGLET_INLINE void hard_swish(const Finish& f, simd::f32x4 (&v)[N]) {
  for (size_t i = 0; i < N; ++i) {
    const simd::f32x4 gate = simd::clamp_below(simd::madd(v[i], f.sixth, f.half), simd::f32x4{});
    v[i] = simd::madd(v[i] * f.alpha, simd::clamp_above(gate, f.one), f.beta);
  }
}

/// Over all vectors of a tile, so that the kind is looked at once.
template <size_t N>
KINGLET_INLINE void finish(const Finish& f, simd::f32x4 (&v)[N]) {
  if (f.kind == Finish::Kind::kClamp) {
    clamp(f, v);
  } else if (f.kind == Finish::Kind::kHardSwish) {
    hard_swish(f, v);
  }
}

}  // namespace kinglet::kernels
