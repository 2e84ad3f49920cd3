#pragma once
// Activations that other kernels end with, and that run alone in place.

#include <cstddef>
#include <cstdint>

namespace kinglet::kernels {

/// An activation with its parameters, named as the ONNX operators are; a NaN stays a NaN in all of them.
struct Activation {
  enum class Kind : uint8_t {
    kNone,
    kRelu,
    kClip,         ///< alpha = lowest, beta = highest value
    kLeakyRelu,    ///< x < 0 ? alpha * x : x
    kElu,          ///< x < 0 ? alpha * (exp(x) - 1) : x
    kHardSigmoid,  ///< clamp(alpha * x + beta, 0, 1)
    kHardSwish,    ///< alpha * x * clamp(x / 6 + 0.5, 0, 1) + beta: scale and shift often follow it, and are
                   ///< free here
    kSigmoid,
    kSilu,  ///< x * sigmoid(x)
    kTanh,
    kGelu,      ///< 0.5 * x * (1 + erf(x / sqrt(2)))
    kGeluTanh,  ///< Gelu by tanh: ONNX Gelu with approximate = "tanh"
  };
  Kind kind = Kind::kNone;
  float alpha = 0.0f;
  float beta = 0.0f;
};

/// y[i] = activation(x[i]) for i in [0, n); y may be x.
void apply(Activation activation, const float* x, float* y, size_t n);

inline void apply(Activation activation, float* x, size_t n) { apply(activation, x, x, n); }

}  // namespace kinglet::kernels
