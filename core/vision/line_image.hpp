#pragma once
// One line of text, cut out of its picture and laid straight for the recognizer or the orientation
// classifier.

#include <cstddef>
#include <span>

#include "vision/image.hpp"

namespace kinglet::vision {

/// The heights of the inputs of PP-OCR's recognizers (v3 and later) and orientation classifiers, in pixels.
inline constexpr size_t kLineHeight = 48;
/// The width of the orientation classifier's input.
inline constexpr size_t kOrientationWidth = 192;
/// Lines longer than this are squeezed into it.
inline constexpr size_t kMaxLineWidth = 4096;

/// `quad` turned so that its text runs from left to right: boxes at least 1.5 times as high as wide hold text
/// that runs downwards, whose right side becomes the top (as PaddleOCR does).
Quad upright(const Quad& quad);

/// The same line read upside down, for when the orientation classifier finds it so.
Quad half_turn(const Quad& quad);

/// How wide the line in `quad` is when it is scaled to `height`, in [1, kMaxLineWidth].
/// Throws kInvalidArgument when the quad is not convex, clockwise on the screen, finite and of some area, or
/// the height is 0 or above kMaxLineWidth.
size_t line_width(const Quad& quad, size_t height = kLineHeight);

/// Writes the line in `quad` as planes blue, green, red [3, size.height, size.width] with
/// kRecognizerNormalization. The line takes the first `content_width` columns (at most size.width: what is
/// beyond is padding, 0, as PaddleOCR pads); it is stretched by the homography that takes the unit square to
/// the quad (Heckbert, "Fundamentals of Texture Mapping and Image Warping", 1989, section 2.2.3), bilinear,
/// averaged over several samples a pixel where it shrinks. Outside of the picture its edge is repeated.
/// Throws kInvalidArgument when sizes do not fit or the quad is refused by line_width.
void line_input(const ImageView& image, const Quad& quad, size_t content_width, Size size,
                std::span<float> input);

/// As line_input, for the recognizer: lines of one picture into a batch [quads.size(), 3, kLineHeight,
/// width], each at its own line_width, padded to `width`; longer lines are squeezed.
void line_batch(const ImageView& image, std::span<const Quad> quads, size_t width, std::span<float> input);

/// As line_input, for the orientation classifier: [1, 3, kLineHeight, kOrientationWidth]; longer lines are
/// squeezed.
void orientation_input(const ImageView& image, const Quad& quad, std::span<float> input);

/// Whether the classifier's probabilities [upright, upside down] say that the line stands on its head, with
/// more than `threshold`. Throws kInvalidArgument unless there are two.
bool is_upside_down(std::span<const float> probabilities, float threshold = 0.9f);

}  // namespace kinglet::vision
