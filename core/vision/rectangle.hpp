#pragma once
// The smallest rectangle, of any direction, around a set of points.

#include <span>
#include <vector>

#include "vision/image.hpp"

namespace kinglet::vision {

struct Rectangle {
  Point centre;
  Point direction{1, 0};        ///< of the side `width`, length 1
  float width = 0, height = 0;  ///< pixels
};

/// The corners of the convex hull, counterclockwise where y points up, without points on its sides
/// (Andrew's monotone chain, 1979). `points` are sorted in place.
std::vector<Point> convex_hull(std::vector<Point>& points);

/// The rectangle of least area around a convex hull: one of its sides lies on a side of the hull (Freeman and
/// Shapira 1975), so the hull is turned side by side between four calipers (Toussaint 1983). An empty hull
/// gives an empty rectangle at the origin.
Rectangle min_area_rectangle(std::span<const Point> hull);

/// The corners, with the top left one first as a reader of (mostly) horizontal text sees them: of the two
/// leftmost corners the upper is first, and the order is clockwise on the screen.
Quad corners(const Rectangle& rectangle);

}  // namespace kinglet::vision
