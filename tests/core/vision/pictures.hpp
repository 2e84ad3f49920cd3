#pragma once
// Drawn pictures and error checks for the tests of vision/.

#include <functional>
#include <limits>
#include <vector>

#include <catch2/catch_amalgamated.hpp>

#include "base/error.hpp"
#include "vision/image.hpp"

namespace kinglet::vision::test {

inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// A picture whose pixels come from a function of their column and row: {red, green, blue, alpha}.
class Picture {
 public:
  using Pixel = std::array<uint8_t, 4>;

  Picture(size_t width, size_t height, const std::function<Pixel(size_t x, size_t y)>& pixel)
      : size_{width, height} {
    for (size_t y = 0; y < height; ++y) {
      for (size_t x = 0; x < width; ++x) {
        const Pixel p = pixel(x, y);
        bytes_.insert(bytes_.end(), p.begin(), p.end());
      }
    }
  }

  ImageView view() const { return {bytes_, size_}; }

 private:
  std::vector<uint8_t> bytes_;
  Size size_;
};

/// A picture that is 4 * column + 100 red and 4 * row + 50 green: bilinear sampling gives exact values
/// anywhere inside.
inline Picture ramps(size_t width, size_t height) {
  return Picture(width, height, [](size_t x, size_t y) {
    return Picture::Pixel{static_cast<uint8_t>(4 * x + 100), static_cast<uint8_t>(4 * y + 50), 7, 255};
  });
}

/// `call` throws kInvalidArgument and its message has `part` in it.
template <class Call>
void check_invalid(const Call& call, const std::string& part) {
  try {
    call();
    FAIL_CHECK("nothing was thrown; expected an error about: " << part);
  } catch (const Error& error) {
    CHECK(error.code == ErrorCode::kInvalidArgument);
    CHECK_THAT(error.message, Catch::Matchers::ContainsSubstring(part));
  }
}

}  // namespace kinglet::vision::test
