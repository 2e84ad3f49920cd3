#pragma once
// The probability map of a text detector to boxes around the lines of text.

#include <span>
#include <vector>

#include "vision/image.hpp"

namespace kinglet::vision {

struct TextBoxOptions {
  float threshold = 0.3f;      ///< a pixel is text when its probability is above
  float box_threshold = 0.6f;  ///< a box is kept when the mean probability inside is at least
  /// How far a box grows beyond what the network marks. PaddleOCR's releases use 1.5 to 2; recognizers keep
  /// more of the spaces between words with the looser boxes.
  float unclip_ratio = 2.0f;
  float min_side = 3;       ///< boxes with a shorter side, in pixels of the map, are dropped
  size_t max_boxes = 1000;  ///< the largest parts of the map are looked at, no more
};

struct TextBox {
  Quad quad;    ///< in pixels of the picture, inside it; upright (line_image.hpp)
  float score;  ///< mean probability, [0, 1]
};

/// Boxes from `probabilities` [map.height, map.width] of a picture of `image` pixels, in reading order.
///
/// Post-processing of Differentiable Binarization (Liao et al., arXiv:1911.08947, section 3.4): threshold,
/// connected parts, smallest rectangle around each, score, and growth by area * unclip_ratio / perimeter,
/// since the network is trained to mark the shrunken core of a line. Growing a rectangle is moving its sides,
/// so no polygon clipping is needed. Not-a-number counts as probability 0.
/// Throws kInvalidArgument when sizes do not fit or an option is out of its range.
std::vector<TextBox> find_text_boxes(std::span<const float> probabilities, Size map, Size image,
                                     const TextBoxOptions& options = {});

/// The order in which `quads` are read, as indices: by lines from the top, and inside a line from the left,
/// where "top" and "left" are those of a reader of most of the text: the direction most quads run in is the
/// direction of lines, so a photo held askew or upside down reads right once its quads are known to be
/// (upright, half_turn).
std::vector<size_t> reading_order(std::span<const Quad> quads);

}  // namespace kinglet::vision
