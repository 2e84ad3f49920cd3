#include "kernels/half.hpp"

#include <bit>
#include <cmath>
#include <span>

#include "base/half.hpp"
#include "reference.hpp"

namespace kinglet::kernels::test {
namespace {

struct Format {
  void (*widen)(const uint16_t*, float*, size_t);
  void (*narrow)(const float*, uint16_t*, size_t);
  float (*widen_one)(uint16_t);
  uint16_t (*narrow_one)(float);
};
constexpr Format kFormats[] = {{widen_f16, narrow_f16, half_to_float, float_to_half},
                               {widen_bf16, narrow_bf16, bfloat_to_float, float_to_bfloat}};

/// Every number of 16 bits, and floats around each: halfway to the next, and one step to either side of that.
std::vector<float> floats_around(const Format& format) {
  std::vector<float> x;
  for (uint32_t b = 0; b < 65536; ++b) {
    const float value = format.widen_one(static_cast<uint16_t>(b)), next = format.widen_one(static_cast<uint16_t>(b + 1));
    const float middle = value / 2 + next / 2;
    for (const float f : {value, middle, std::nextafter(middle, -INFINITY), std::nextafter(middle, INFINITY)}) x.push_back(f);
  }
  for (const float f : {1e30f, -1e30f, 1e-40f, -1e-45f, 0x1.ffep15f, 0x1.fffp15f, -NAN}) x.push_back(f);
  return x;
}

TEST_CASE("rows of float16 and bfloat16 are what their elements are") {
  for (const Format& format : kFormats) {
    std::vector<uint16_t> halves(65536);
    for (size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
    std::vector<float> wide(halves.size());
    format.widen(halves.data(), wide.data(), halves.size());
    size_t wrong = 0;
    for (size_t i = 0; i < halves.size(); ++i) {
      const float expected = format.widen_one(halves[i]);
      const bool same = std::isnan(expected) ? std::isnan(wide[i]) : std::bit_cast<uint32_t>(expected) == std::bit_cast<uint32_t>(wide[i]);
      wrong += !same;
    }
    CHECK(wrong == 0);

    const std::vector<float> x = floats_around(format);
    std::vector<uint16_t> narrow(x.size());
    format.narrow(x.data(), narrow.data(), x.size());
    wrong = 0;
    for (size_t i = 0; i < x.size(); ++i) wrong += narrow[i] != format.narrow_one(x[i]);
    CHECK(wrong == 0);
  }
}

TEST_CASE("rows of float16 and bfloat16: short ones, and one over the other") {
  for (const Format& format : kFormats) {
    for (size_t n = 0; n <= 9; ++n) {
      CAPTURE(n);
      // No byte more than the rows need: sanitizers see what is read past them.
      std::vector<float> x(n), back(n);
      for (size_t i = 0; i < n; ++i) x[i] = static_cast<float>(i) - 3.5f;
      std::vector<uint16_t> halves(n);
      format.narrow(x.data(), halves.data(), n);
      format.widen(halves.data(), back.data(), n);
      CHECK(back == x);
      format.narrow(x.data(), reinterpret_cast<uint16_t*>(x.data()), n);
      const auto* const over = reinterpret_cast<const std::byte*>(x.data());
      const auto bytes = std::as_bytes(std::span(halves));
      CHECK(std::equal(bytes.begin(), bytes.end(), over));
    }
  }
}

}  // namespace
}  // namespace kinglet::kernels::test
