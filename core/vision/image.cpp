#include "vision/image.hpp"

#include "base/error.hpp"

namespace kinglet::vision {

size_t pixel_count(Size size, std::string_view what) {
  if (size.width == 0 || size.height == 0 || size.width > kMaxSide || size.height > kMaxSide ||
      uint64_t{size.width} * size.height > kMaxPixels) {
    throw_error(ErrorCode::kInvalidArgument,
                "{}: expected sides of 1 to {} and at most {} pixels, got {} x {}", what, kMaxSide,
                kMaxPixels, size.width, size.height);
  }
  return size.width * size.height;
}

void check_image(const ImageView& image) {
  check_count(image.rgba.size(), uint64_t{pixel_count(image.size, "image")} * 4, "bytes of the image");
}

void check_count(size_t actual, uint64_t expected, std::string_view what) {
  if (actual != expected) {
    throw_error(ErrorCode::kInvalidArgument, "{}: expected {}, got {}", what, expected, actual);
  }
}

}  // namespace kinglet::vision
