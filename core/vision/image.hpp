#pragma once
// Pictures and places in them, as every part of vision/ sees them.
//
// Coordinates are continuous and in pixels: the picture spans [0, width] x [0, height], x to the right, y
// down, and the centre of the first pixel is (0.5, 0.5). A box therefore scales with its picture without
// half-pixel terms.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace kinglet::vision {

struct Size {
  size_t width = 0, height = 0;
  friend bool operator==(const Size&, const Size&) = default;
};

struct Point {
  float x = 0, y = 0;
};

/// Corners of a text line as the reader of the line sees them: top left, top right, bottom right, bottom
/// left.
using Quad = std::array<Point, 4>;

/// A picture somebody else owns: 4 bytes a pixel (red, green, blue, alpha; alpha not premultiplied), rows
/// from the top without gaps. This is what a canvas' getImageData gives. Transparent parts are seen on white
/// paper.
struct ImageView {
  std::span<const uint8_t> rgba;
  Size size;
};

/// The longest side of a picture or a map, as in browsers, and the most pixels: 2^28, a gigabyte of RGBA.
inline constexpr uint64_t kMaxSide = 65535, kMaxPixels = uint64_t{1} << 28;

/// width * height. Throws kInvalidArgument, naming `what`, when a side is 0 or beyond kMaxSide or there are
/// more than kMaxPixels.
size_t pixel_count(Size size, std::string_view what);

/// Throws kInvalidArgument when the sizes are not sane or the bytes are not 4 * width * height.
void check_image(const ImageView& image);

/// Throws kInvalidArgument when `actual` elements were given for `what` and `expected` are needed.
void check_count(size_t actual, uint64_t expected, std::string_view what);

}  // namespace kinglet::vision
