#pragma once
// Activations that a kernel can apply in registers, before the store. Internal to kernels/.

#include "kernels/activation.hpp"
#include "kernels/simd.hpp"

namespace kinglet::kernels {

/// The activation as vectors; made once a call.
struct Finish {
  Activation::Kind kind = Activation::Kind::kNone;
  simd::f32x4 low = {}, high = {};
};

/// Whether finish() does all of this activation; else apply() has to run over the stored values.
constexpr bool finishes_in_registers(Activation::Kind kind) {
  return kind == Activation::Kind::kNone || kind == Activation::Kind::kRelu || kind == Activation::Kind::kClip ||
         kind == Activation::Kind::kHardSwish;
}

/// No activation at all where it cannot be done in registers.
inline Finish make_finish(Activation activation) {
  if (!finishes_in_registers(activation.kind)) return {};
  return {activation.kind, simd::splat(activation.alpha), simd::splat(activation.beta)};
}

inline __attribute__((always_inline)) simd::f32x4 finish(const Finish& f, simd::f32x4 v) {
  switch (f.kind) {
    case Activation::Kind::kRelu: return simd::clamp_below(v, simd::f32x4{});
    case Activation::Kind::kClip: return simd::clamp_above(simd::clamp_below(v, f.low), f.high);
    case Activation::Kind::kHardSwish: {
      const simd::f32x4 gate = simd::madd(v, simd::splat(1.0f / 6.0f), simd::splat(0.5f));
      return v * simd::clamp_above(simd::clamp_below(gate, simd::f32x4{}), simd::splat(1.0f));
    }
    default: return v;
  }
}

}  // namespace kinglet::kernels
