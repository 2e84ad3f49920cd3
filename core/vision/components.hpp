#pragma once
// Connected parts of a thresholded map.

#include <cstdint>
#include <span>
#include <vector>

#include "vision/image.hpp"

namespace kinglet::vision {

/// Neighbouring set pixels of one row: columns [begin, end).
struct Run {
  uint32_t row, begin, end;
};

/// A connected part of a bitmap (pixels that touch by a side or a corner).
struct Component {
  std::vector<Run> runs;  ///< by row, then by column
  uint64_t pixels = 0;
};

/// The parts of `bitmap` [height, width] (non-zero is set) whose width and height are both at least
/// `min_side`; the `max_count` with most pixels, in the order in which a reader of rows meets them.
/// Union-find over runs of pixels: two passes over the runs, whatever the shapes.
/// Throws kInvalidArgument when the sizes do not fit.
std::vector<Component> find_components(std::span<const uint8_t> bitmap, Size size, size_t min_side,
                                       size_t max_count);

}  // namespace kinglet::vision
