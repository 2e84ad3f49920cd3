#pragma once
// Pixel values to what a network was trained on.

#include <array>
#include <span>

namespace kinglet::vision {

/// Per plane: value / 255, minus `mean`, divided by `deviation`.
struct Normalization {
  std::array<float, 3> mean, deviation;
};

/// PaddleOCR's text detectors: ImageNet's statistics, applied in this order to blue, green, red.
inline constexpr Normalization kDetectorNormalization{{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};

/// PaddleOCR's recognizers and orientation classifiers: [0, 255] to [-1, 1].
inline constexpr Normalization kRecognizerNormalization{{0.5f, 0.5f, 0.5f}, {0.5f, 0.5f, 0.5f}};

/// Normalizes three planes [3, size / 3] of values in [0, 255] in place. Throws kInvalidArgument when the
/// size is not a multiple of 3.
void normalize_planes(std::span<float> planes, const Normalization& normalization);

}  // namespace kinglet::vision
