#include "base/half.hpp"

#include <catch2/catch_amalgamated.hpp>

#include <cmath>
#include <limits>

using namespace kinglet;

namespace {

/// The value of a binary16, by its definition (IEEE 754-2019, 3.4).
double half_value(uint16_t bits) {
  const int exponent = bits >> 10 & 0x1f;
  const int mantissa = bits & 0x3ff;
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  if (exponent == 0x1f) return mantissa == 0 ? sign * std::numeric_limits<double>::infinity() : std::nan("");
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

}  // namespace

TEST_CASE("every float16 converts to float and back", "[base]") {
  size_t wrong = 0;
  for (uint32_t b = 0; b < 65536; ++b) {
    const auto bits = static_cast<uint16_t>(b);
    const float got = half_to_float(bits);
    const double expected = half_value(bits);
    if (std::isnan(expected)) {
      wrong += !std::isnan(got);
      wrong += !std::isnan(half_to_float(float_to_half(got)));
      continue;
    }
    wrong += static_cast<double>(got) != expected || std::signbit(got) != std::signbit(expected);
    wrong += float_to_half(got) != bits;
  }
  CHECK(wrong == 0);
}

TEST_CASE("float to float16 rounds to the nearest, ties to even, between all neighbours", "[base]") {
  size_t wrong = 0;
  for (uint32_t b = 0; b < 0x7c00; ++b) {  // all finite positive ones, the last with infinity above it
    const auto low = static_cast<uint16_t>(b);
    const auto high = static_cast<uint16_t>(b + 1);
    const float a = half_to_float(low);
    // Above the largest, halfway is to where the next one would be.
    const float c = high == 0x7c00 ? 65536.0f : half_to_float(high);
    const float middle = (a + c) / 2;  // exact in float
    for (const float sign : {1.0f, -1.0f}) {
      const uint16_t s = sign < 0 ? 0x8000 : 0;
      const uint16_t even = (b & 1) == 0 ? low : high;
      wrong += float_to_half(sign * middle) != (s | even);
      wrong += float_to_half(sign * std::nextafter(middle, a)) != (s | low);
      wrong += float_to_half(sign * std::nextafter(middle, c)) != (s | high);
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("float to float16 at the edges", "[base]") {
  CHECK(float_to_half(1e30f) == 0x7c00);
  CHECK(float_to_half(-std::numeric_limits<float>::infinity()) == 0xfc00);
  CHECK(float_to_half(std::numeric_limits<float>::denorm_min()) == 0);
  CHECK(float_to_half(-0.0f) == 0x8000);
  CHECK(float_to_half(1e-9f) == 0);
}

TEST_CASE("every bfloat16 converts to float and back", "[base]") {
  size_t wrong = 0;
  for (uint32_t b = 0; b < 65536; ++b) {
    BFloat16 value;
    value.bits = static_cast<uint16_t>(b);
    const float f = value;
    if (std::isnan(f)) {
      wrong += !std::isnan(static_cast<float>(BFloat16(f)));
    } else {
      wrong += BFloat16(f).bits != value.bits;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("float to bfloat16 rounds to the nearest, ties to even", "[base]") {
  size_t wrong = 0;
  for (uint32_t b = 0; b < 0x7f80; b += 1) {
    const auto low = static_cast<uint16_t>(b);
    const auto high = static_cast<uint16_t>(b + 1);
    const uint32_t middle = (b << 16) | 0x8000;
    wrong += float_to_bfloat(std::bit_cast<float>(middle)) != ((b & 1) == 0 ? low : high);
    wrong += float_to_bfloat(std::bit_cast<float>(middle - 1)) != low;
    wrong += float_to_bfloat(std::bit_cast<float>(middle + 1)) != high;
  }
  CHECK(wrong == 0);
  CHECK(std::isnan(static_cast<float>(BFloat16(std::bit_cast<float>(0x7f800001u)))));
}
