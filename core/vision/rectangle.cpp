#include "vision/rectangle.hpp"

#include <algorithm>
#include <cmath>
#include <ranges>

namespace kinglet::vision {
namespace {

double cross(Point origin, Point a, Point b) {
  return (double{a.x} - origin.x) * (double{b.y} - origin.y) -
         (double{a.y} - origin.y) * (double{b.x} - origin.x);
}

double dot(Point a, double x, double y) { return a.x * x + a.y * y; }

/// One chain of the hull, over points that come in order; the last point is left to the other chain.
template <class Points>
void append_chain(const Points& points, std::vector<Point>& hull) {
  const size_t start = hull.size();
  for (const Point& point : points) {
    while (hull.size() >= start + 2 && cross(hull[hull.size() - 2], hull.back(), point) <= 0) hull.pop_back();
    hull.push_back(point);
  }
  hull.pop_back();
}

}  // namespace

std::vector<Point> convex_hull(std::vector<Point>& points) {
  std::ranges::sort(points, [](Point a, Point b) { return a.x != b.x ? a.x < b.x : a.y < b.y; });
  const auto duplicates =
      std::ranges::unique(points, [](Point a, Point b) { return a.x == b.x && a.y == b.y; });
  points.erase(duplicates.begin(), duplicates.end());
  if (points.size() < 3) return points;
  std::vector<Point> hull;
  append_chain(points, hull);
  append_chain(std::views::reverse(points), hull);
  return hull;
}

Rectangle min_area_rectangle(std::span<const Point> hull) {
  const size_t n = hull.size();
  if (n == 0) return {};
  if (n == 1) return {hull[0], {1, 0}, 0, 0};

  Rectangle best;
  double best_area = INFINITY;
  // The corners farthest along, across and against the current side; they only ever move forward.
  size_t along = 1, across = 1, against = 1;
  for (size_t i = 0; i < n; ++i) {
    const Point from = hull[i], to = hull[(i + 1) % n];
    const double length = std::hypot(double{to.x} - from.x, double{to.y} - from.y);
    const double ux = (double{to.x} - from.x) / length, uy = (double{to.y} - from.y) / length;
    const auto advance = [&](size_t& corner, double x, double y) {
      for (size_t steps = 0; steps < n; ++steps) {
        if (dot(hull[(corner + 1) % n], x, y) <= dot(hull[corner], x, y)) break;
        corner = (corner + 1) % n;
      }
    };
    advance(along, ux, uy);
    if (i == 0) across = along;
    advance(across, -uy, ux);
    if (i == 0) against = across;
    advance(against, -ux, -uy);

    const double u_min = dot(hull[against], ux, uy), u_max = dot(hull[along], ux, uy);
    const double v_min = dot(from, -uy, ux), v_max = dot(hull[across], -uy, ux);
    const double area = (u_max - u_min) * (v_max - v_min);
    if (area < best_area) {
      best_area = area;
      const double u = (u_min + u_max) / 2, v = (v_min + v_max) / 2;
      best.centre = {static_cast<float>(u * ux - v * uy), static_cast<float>(u * uy + v * ux)};
      best.direction = {static_cast<float>(ux), static_cast<float>(uy)};
      best.width = static_cast<float>(u_max - u_min);
      best.height = static_cast<float>(v_max - v_min);
    }
  }
  return best;
}

Quad corners(const Rectangle& r) {
  const Point u{r.direction.x * r.width / 2, r.direction.y * r.width / 2};
  const Point v{-r.direction.y * r.height / 2, r.direction.x * r.height / 2};
  Quad quad{Point{r.centre.x - u.x - v.x, r.centre.y - u.y - v.y},
            Point{r.centre.x + u.x - v.x, r.centre.y + u.y - v.y},
            Point{r.centre.x + u.x + v.x, r.centre.y + u.y + v.y},
            Point{r.centre.x - u.x + v.x, r.centre.y - u.y + v.y}};
  std::ranges::stable_sort(quad, {}, &Point::x);
  if (quad[0].y > quad[1].y) std::swap(quad[0], quad[1]);
  if (quad[2].y > quad[3].y) std::swap(quad[2], quad[3]);
  return {quad[0], quad[2], quad[3], quad[1]};
}

}  // namespace kinglet::vision
