#pragma once
// The 8 and 4 bit float formats: codes to numbers and back.
//
// float8e4m3fn, float8e5m2 and the FNUZ formats: "FP8 Formats for Deep Learning" (Micikevicius et al., 2022) and "8-bit
// Numerical Formats for Deep Neural Networks" (Noune et al., 2022), as ONNX's "Float stored in 8 bits" tells.
// float4e2m1 and float8e8m0: OCP Microscaling Formats 1.0.

#include <cstdint>

#include "base/dtype.hpp"

namespace kinglet {

/// How float8e8m0, which holds powers of two alone, takes a number between two of them (ONNX Cast, round_mode).
enum class PowerRounding : uint8_t { kUp, kDown, kNearest };

struct SmallFloatRounding {
  /// Numbers out of range become the largest finite one; else infinity, or NaN in formats without.
  bool saturate = true;
  PowerRounding power = PowerRounding::kUp;
};

/// The number with this code, in a format of is_small_float().
float small_float_to_float(DType format, uint8_t code);

/// The code of `value`, rounded to nearest even (float8e8m0: as `rounding` says).
uint8_t float_to_small_float(DType format, float value, SmallFloatRounding rounding = {});

}  // namespace kinglet
