#pragma once
// A picture to the input of a PP-OCR text detector.

#include <cstddef>
#include <span>

#include "vision/image.hpp"

namespace kinglet::vision {

struct DetectionInputOptions {
  enum class Limit {
    kLongSide,   ///< shrink until the long side is at most `side`; smaller ones stay (PaddleOCR's "max")
    kShortSide,  ///< enlarge until the short side is at least `side`; larger ones stay (PaddleOCR's "min")
  };
  Limit limit = Limit::kLongSide;
  size_t side = 960;  ///< pixels; PaddleOCR uses 960 with kLongSide and 736 with kShortSide
};

/// Whatever the options say, no side of the detector's input is longer than this.
inline constexpr size_t kMaxDetectionSide = 4096;

/// The size at which the detector sees a picture of `image` pixels: scaled by the options, then each side
/// rounded to a multiple of 32, which the network's five halvings need; at least 32.
/// Throws kInvalidArgument when the image or `options.side` is 0 or too large.
Size detection_size(Size image, const DetectionInputOptions& options = {});

/// Writes the detector's input [1, 3, size.height, size.width]: resized, planes blue, green, red (PaddleOCR
/// reads pictures as BGR), normalized with kDetectorNormalization. `size` comes from detection_size.
/// Throws kInvalidArgument when sizes do not fit each other.
void detection_input(const ImageView& image, Size size, std::span<float> input);

}  // namespace kinglet::vision
