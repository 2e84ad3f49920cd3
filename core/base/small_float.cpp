#include "base/small_float.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace kinglet {
namespace {

struct Format {
  int exponent_bits, fraction_bits, bias;
  uint8_t largest;  ///< code of the largest finite number
  uint8_t nan;
  int infinity;     ///< its code, or -1
  bool negative_zero;
};

Format format_of(DType type) {
  switch (type) {
    case DType::kFloat8E4M3FN: return {4, 3, 7, 0x7e, 0x7f, -1, true};
    case DType::kFloat8E4M3FNUZ: return {4, 3, 8, 0x7f, 0x80, -1, false};
    case DType::kFloat8E5M2: return {5, 2, 15, 0x7b, 0x7f, 0x7c, true};
    case DType::kFloat8E5M2FNUZ: return {5, 2, 16, 0x7f, 0x80, -1, false};
    // It has no NaN: the sign bit alone is what is left of one.
    case DType::kFloat4E2M1: return {2, 1, 1, 0x7, 0x8, -1, true};
    default: throw_error(ErrorCode::kInternal, "{} is no small float", type);
  }
}

uint8_t power_of_two_code(float value, SmallFloatRounding rounding) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  uint32_t exponent = (bits >> 23) & 0xff;
  const uint32_t fraction = bits & 0x7fffff;
  if (exponent == 0xff) return 0xff;
  bool up = false;
  switch (rounding.power) {
    case PowerRounding::kUp: up = fraction != 0; break;
    case PowerRounding::kDown: break;
    case PowerRounding::kNearest: up = (fraction & 0x400000) != 0 && ((fraction & 0x3fffff) != 0 || exponent != 0); break;
  }
  if (up) ++exponent;
  return static_cast<uint8_t>(exponent == 0xff && rounding.saturate ? 0xfe : exponent);
}

}  // namespace

float small_float_to_float(DType type, uint8_t code) {
  if (type == DType::kFloat8E8M0) {
    return code == 0xff ? std::numeric_limits<float>::quiet_NaN() : std::ldexp(1.0f, code - 127);
  }
  const Format f = format_of(type);
  const int sign_bit = 1 << (f.exponent_bits + f.fraction_bits);
  const int magnitude = code & (sign_bit - 1);
  const float sign = (code & sign_bit) != 0 ? -1.0f : 1.0f;
  if (type != DType::kFloat4E2M1) {
    if (f.negative_zero ? magnitude > f.largest && magnitude != f.infinity : code == f.nan) {
      return std::numeric_limits<float>::quiet_NaN();
    }
    if (magnitude == f.infinity) return sign * std::numeric_limits<float>::infinity();
  }
  const int exponent = magnitude >> f.fraction_bits;
  const int fraction = magnitude & ((1 << f.fraction_bits) - 1);
  const int significand = exponent == 0 ? fraction : fraction | (1 << f.fraction_bits);
  return sign * std::ldexp(static_cast<float>(significand), (exponent == 0 ? 1 : exponent) - f.bias - f.fraction_bits);
}

uint8_t float_to_small_float(DType type, float value, SmallFloatRounding rounding) {
  if (type == DType::kFloat8E8M0) return power_of_two_code(value, rounding);
  const Format f = format_of(type);
  if (std::isnan(value)) return f.nan;
  const auto sign = static_cast<uint8_t>(std::signbit(value) ? 1 << (f.exponent_bits + f.fraction_bits) : 0);
  const bool saturate = rounding.saturate || type == DType::kFloat4E2M1;
  int code = f.largest + 1;
  if (std::isfinite(value)) {
    const float magnitude = std::abs(value);
    int exponent = 0;
    std::frexp(magnitude, &exponent);  // magnitude = [0.5, 1) * 2^exponent
    exponent = magnitude == 0 ? 1 - f.bias : std::max(exponent - 1, 1 - f.bias);
    if (exponent <= 128 - f.bias) {
      // The significand as a whole number; its leading bit carries into the exponent where the number is normal.
      const auto significand = static_cast<int>(std::nearbyint(std::ldexp(magnitude, f.fraction_bits - exponent)));
      code = ((exponent + f.bias - 1) << f.fraction_bits) + significand;
    }
  }
  if (code > f.largest) {
    if (saturate) return static_cast<uint8_t>(sign | f.largest);
    if (f.infinity >= 0) return static_cast<uint8_t>(sign | f.infinity);
    return f.negative_zero ? static_cast<uint8_t>(sign | f.nan) : f.nan;
  }
  if (code == 0 && !f.negative_zero) return 0;
  return static_cast<uint8_t>(sign | code);
}

}  // namespace kinglet
