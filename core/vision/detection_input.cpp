#include "vision/detection_input.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "vision/normalize.hpp"
#include "vision/resize.hpp"

namespace kinglet::vision {

Size detection_size(Size image, const DetectionInputOptions& options) {
  pixel_count(image, "image");
  if (options.side == 0 || options.side > kMaxDetectionSide) {
    throw_error(ErrorCode::kInvalidArgument, "detection side: expected 1 to {}, got {}", kMaxDetectionSide,
                options.side);
  }
  const double long_side = static_cast<double>(std::max(image.width, image.height));
  const double short_side = static_cast<double>(std::min(image.width, image.height));
  const double side = static_cast<double>(options.side);
  double ratio = options.limit == DetectionInputOptions::Limit::kLongSide ? std::min(1.0, side / long_side)
                                                                          : std::max(1.0, side / short_side);
  ratio = std::min(ratio, kMaxDetectionSide / long_side);
  const auto round_side = [&](size_t pixels) {
    const double multiples = std::nearbyint(std::floor(static_cast<double>(pixels) * ratio) / 32);
    return static_cast<size_t>(std::max(1.0, multiples)) * 32;
  };
  return {round_side(image.width), round_side(image.height)};
}

void detection_input(const ImageView& image, Size size, std::span<float> input) {
  resize_to_planes(image, size, input);
  normalize_planes(input, kDetectorNormalization);
}

}  // namespace kinglet::vision
