#include <algorithm>
#include <cmath>

#include "vision/text_boxes.hpp"

namespace kinglet::vision {
namespace {

/// Quads whose directions differ by less than 4 degrees agree.
constexpr float kAgreeingCosine = 0.9976f;

float length(Point v) { return std::hypot(v.x, v.y); }
float dot(Point a, Point b) { return a.x * b.x + a.y * b.y; }

Point along(const Quad& quad) { return {quad[1].x - quad[0].x, quad[1].y - quad[0].y}; }
Point down(const Quad& quad) { return {quad[3].x - quad[0].x, quad[3].y - quad[0].y}; }

/// The mean direction, of length 1, of the largest group of quads that agree, long ones counting more.
Point text_direction(std::span<const Quad> quads) {
  Point best{1, 0};
  float most = 0;
  for (const Quad& candidate : quads) {
    const Point direction = along(candidate);
    Point sum{0, 0};
    for (const Quad& quad : quads) {
      const Point other = along(quad);
      if (dot(direction, other) > kAgreeingCosine * length(direction) * length(other)) {
        sum = {sum.x + other.x, sum.y + other.y};
      }
    }
    if (length(sum) > most) {
      most = length(sum);
      best = {sum.x / most, sum.y / most};
    }
  }
  return best;
}

struct Placed {
  size_t index;
  float x, y, height;  // centre along and across the lines of text
};

}  // namespace

std::vector<size_t> reading_order(std::span<const Quad> quads) {
  const Point direction = text_direction(quads), across{-direction.y, direction.x};
  std::vector<Placed> placed;
  for (size_t i = 0; i < quads.size(); ++i) {
    const Quad& q = quads[i];
    const Point centre{(q[0].x + q[1].x + q[2].x + q[3].x) / 4, (q[0].y + q[1].y + q[2].y + q[3].y) / 4};
    placed.push_back({i, dot(centre, direction), dot(centre, across), length(down(q))});
  }
  std::ranges::stable_sort(placed, {}, &Placed::y);

  // A row is what overlaps its first quad by half a line; a large heading does not swallow the small print
  // beside it.
  for (auto row = placed.begin(); row != placed.end();) {
    auto end = row + 1;
    while (end != placed.end() && end->y - row->y < 0.5f * std::min(row->height, end->height)) ++end;
    std::stable_sort(row, end, [](const Placed& a, const Placed& b) { return a.x < b.x; });
    row = end;
  }

  std::vector<size_t> order;
  for (const Placed& place : placed) order.push_back(place.index);
  return order;
}

}  // namespace kinglet::vision
