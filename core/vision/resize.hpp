#pragma once
// Bilinear resizing of a picture into planes of floats.

#include <span>

#include "vision/image.hpp"

namespace kinglet::vision {

/// Resizes `image` to `size` and writes the planes blue, green, red, [3, height, width], values in [0, 255].
/// The filter is a triangle over one source pixel when enlarging (plain bilinear) and over one target pixel
/// when shrinking, so that thin strokes fade instead of vanishing (Heckbert, "Filtering by repeated
/// integration", 1986).
/// Throws kInvalidArgument when a size is 0 or too large or `planes` has not 3 * height * width values.
void resize_to_planes(const ImageView& image, Size size, std::span<float> planes);

}  // namespace kinglet::vision
