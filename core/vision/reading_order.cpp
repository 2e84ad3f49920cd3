#include <algorithm>
#include <cmath>

#include "vision/text_boxes.hpp"

namespace kinglet::vision {
namespace {

float distance(Point a, Point b) { return std::hypot(b.x - a.x, b.y - a.y); }

/// The median angle (radians) of the boxes that are clearly wider than high.
float common_tilt(const std::vector<TextBox>& boxes) {
  std::vector<float> angles;
  for (const TextBox& box : boxes) {
    const auto& [tl, tr, br, bl] = box.quad;
    if (distance(tl, tr) > 1.5f * distance(tl, bl)) angles.push_back(std::atan2(tr.y - tl.y, tr.x - tl.x));
  }
  if (angles.empty()) return 0;
  const auto middle = angles.begin() + static_cast<ptrdiff_t>(angles.size() / 2);
  std::ranges::nth_element(angles, middle);
  return *middle;
}

struct Placed {
  size_t index;
  float x, y, height;  // centre along and across the lines of text
};

}  // namespace

void sort_reading_order(std::vector<TextBox>& boxes) {
  const float tilt = common_tilt(boxes), cosine = std::cos(tilt), sine = std::sin(tilt);
  std::vector<Placed> placed;
  for (size_t i = 0; i < boxes.size(); ++i) {
    const auto& [tl, tr, br, bl] = boxes[i].quad;
    const float x = (tl.x + tr.x + br.x + bl.x) / 4, y = (tl.y + tr.y + br.y + bl.y) / 4;
    placed.push_back({i, x * cosine + y * sine, y * cosine - x * sine, std::min(distance(tl, tr), distance(tl, bl))});
  }
  std::ranges::stable_sort(placed, {}, &Placed::y);

  for (auto row = placed.begin(); row != placed.end();) {
    auto end = row + 1;
    while (end != placed.end() && end->y - row->y < 0.5f * std::min(row->height, end->height)) ++end;
    std::stable_sort(row, end, [](const Placed& a, const Placed& b) { return a.x < b.x; });
    row = end;
  }

  std::vector<TextBox> sorted;
  sorted.reserve(boxes.size());
  for (const Placed& place : placed) sorted.push_back(boxes[place.index]);
  boxes = std::move(sorted);
}

}  // namespace kinglet::vision
