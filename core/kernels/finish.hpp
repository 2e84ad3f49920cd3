#pragma once
// Activations that a kernel can apply in registers, before the store. Internal to kernels/.

#include "kernels/activation.hpp"
#include "kernels/simd.hpp"

namespace kinglet::kernels {

/// The activation as vectors; made once a call.
struct Finish {
  Activation::Kind kind = Activation::Kind::kNone;
  simd::f32x4 alpha = {}, beta = {};
  // Of HardSwish; here because V8 would build constants anew at every use.
  simd::f32x4 sixth = simd::splat(1.0f / 6.0f), half = simd::splat(0.5f), one = simd::splat(1.0f);
};

/// Whether finish() does all of this activation; else apply() has to run over the stored values.
constexpr bool finishes_in_registers(Activation::Kind kind) {
  return kind == Activation::Kind::kNone || kind == Activation::Kind::kRelu || kind == Activation::Kind::kClip ||
         kind == Activation::Kind::kHardSwish;
}

/// No activation at all where it cannot be done in registers.
inline Finish make_finish(Activation activation) {
  if (!finishes_in_registers(activation.kind)) return {};
  return {.kind = activation.kind, .alpha = simd::splat(activation.alpha), .beta = simd::splat(activation.beta)};
}

inline __attribute__((always_inline)) simd::f32x4 finish(const Finish& f, simd::f32x4 v) {
  switch (f.kind) {
    case Activation::Kind::kRelu: return simd::clamp_below(v, simd::f32x4{});
    case Activation::Kind::kClip: return simd::clamp_above(simd::clamp_below(v, f.alpha), f.beta);
    case Activation::Kind::kHardSwish: {
      const simd::f32x4 gate = simd::madd(v, f.sixth, f.half);
      return simd::madd(v * f.alpha, simd::clamp_above(simd::clamp_below(gate, simd::f32x4{}), f.one), f.beta);
    }
    default: return v;
  }
}

}  // namespace kinglet::kernels
