#include "vision/text_boxes.hpp"

#include <algorithm>
#include <cmath>

#include <xtensor/xadapt.hpp>
#include <xtensor/xnoalias.hpp>
#include <xtensor/xoperation.hpp>

#include "base/error.hpp"
#include "vision/components.hpp"
#include "vision/line_image.hpp"
#include "vision/rectangle.hpp"

namespace kinglet::vision {
namespace {

void check_options(const TextBoxOptions& o) {
  const auto in = [](float value, float low, float high) { return value >= low && value <= high; };
  if (!in(o.threshold, 0, 1) || !in(o.box_threshold, 0, 1) || !in(o.unclip_ratio, 0, 100) ||
      !in(o.min_side, 0, 1e6f)) {
    throw_error(ErrorCode::kInvalidArgument,
                "text boxes: expected thresholds in [0, 1], unclip ratio in [0, 100], min side in [0, 1e6], "
                "got {}, {}, {}, {}",
                o.threshold, o.box_threshold, o.unclip_ratio, o.min_side);
  }
}

std::vector<uint8_t> threshold_map(std::span<const float> probabilities, float threshold) {
  std::vector<uint8_t> bitmap(probabilities.size());
  const std::array<size_t, 1> shape{bitmap.size()};
  const auto map = xt::adapt(probabilities.data(), shape[0], xt::no_ownership(), shape);
  auto out = xt::adapt(bitmap.data(), shape[0], xt::no_ownership(), shape);
  xt::noalias(out) = xt::cast<uint8_t>(map > threshold);
  return bitmap;
}

/// Around the centres of the pixels, then half a pixel wider on each side: exact for level rectangles, and
/// closer for turned ones than a rectangle around the pixels' own corners.
Rectangle rectangle_around(const Component& component) {
  std::vector<Point> points;
  points.reserve(component.runs.size() * 2);
  for (const Run& run : component.runs) {
    const float y = static_cast<float>(run.row) + 0.5f;
    points.push_back({static_cast<float>(run.begin) + 0.5f, y});
    points.push_back({static_cast<float>(run.end) - 0.5f, y});
  }
  Rectangle rectangle = min_area_rectangle(convex_hull(points));
  rectangle.width += 1;
  rectangle.height += 1;
  return rectangle;
}

/// The mean probability of the pixels whose centres lie inside the convex `quad`; 0 when there are none.
float mean_inside(std::span<const float> probabilities, Size map, const Quad& quad) {
  const auto [top, bottom] = std::ranges::minmax(quad, {}, &Point::y);
  const auto clamp_index = [](float value, size_t limit) {
    return static_cast<size_t>(std::clamp(value, 0.0f, static_cast<float>(limit)));
  };
  const size_t y_begin = clamp_index(std::ceil(top.y - 0.5f), map.height);
  const size_t y_end = clamp_index(std::floor(bottom.y - 0.5f) + 1, map.height);
  double sum = 0;
  uint64_t count = 0;
  for (size_t y = y_begin; y < y_end; ++y) {
    const float centre = static_cast<float>(y) + 0.5f;
    float left = INFINITY, right = -INFINITY;
    for (size_t i = 0; i < 4; ++i) {
      const Point a = quad[i], b = quad[(i + 1) % 4];
      // A level edge is skipped: its ends belong to the edges beside it.
      if (a.y == b.y || std::min(a.y, b.y) > centre || std::max(a.y, b.y) < centre) continue;
      const float x = a.x + (centre - a.y) / (b.y - a.y) * (b.x - a.x);
      left = std::min(left, x);
      right = std::max(right, x);
    }
    const size_t x_begin = clamp_index(std::ceil(left - 0.5f), map.width);
    const size_t x_end = clamp_index(std::floor(right - 0.5f) + 1, map.width);
    for (size_t x = x_begin; x < x_end; ++x) {
      const float p = probabilities[y * map.width + x];
      if (p > 0) sum += std::min(p, 1.0f);
    }
    if (x_end > x_begin) count += x_end - x_begin;
  }
  return count == 0 ? 0 : static_cast<float>(sum / static_cast<double>(count));
}

void grow(Rectangle& rectangle, float ratio) {
  const float perimeter = 2 * (rectangle.width + rectangle.height);
  const float distance = rectangle.width * rectangle.height * ratio / perimeter;
  rectangle.width += 2 * distance;
  rectangle.height += 2 * distance;
}

}  // namespace

std::vector<TextBox> find_text_boxes(std::span<const float> probabilities, Size map, Size image,
                                     const TextBoxOptions& options) {
  check_options(options);
  check_count(probabilities.size(), pixel_count(map, "probability map"), "values of the probability map");
  pixel_count(image, "image");

  const std::vector<uint8_t> bitmap = threshold_map(probabilities, options.threshold);
  const float width = static_cast<float>(image.width), height = static_cast<float>(image.height);
  const float scale_x = width / static_cast<float>(map.width),
              scale_y = height / static_cast<float>(map.height);

  const auto min_extent = static_cast<size_t>(options.min_side);

  std::vector<Quad> quads;
  std::vector<float> scores;
  for (const Component& component : find_components(bitmap, map, min_extent, options.max_boxes)) {
    Rectangle rectangle = rectangle_around(component);
    if (std::min(rectangle.width, rectangle.height) < options.min_side) continue;
    const float score = mean_inside(probabilities, map, corners(rectangle));
    if (score < options.box_threshold) continue;
    grow(rectangle, options.unclip_ratio);
    Quad quad = corners(rectangle);
    for (Point& point : quad) {
      point = {std::clamp(point.x * scale_x, 0.0f, width), std::clamp(point.y * scale_y, 0.0f, height)};
    }
    quads.push_back(upright(quad));
    scores.push_back(score);
  }

  std::vector<TextBox> boxes;
  for (const size_t i : reading_order(quads)) boxes.push_back({quads[i], scores[i]});
  return boxes;
}

}  // namespace kinglet::vision
