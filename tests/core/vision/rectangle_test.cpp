#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

#include "pictures.hpp"
#include "vision/rectangle.hpp"

using namespace kinglet;
using namespace kinglet::vision;
using namespace kinglet::vision::test;
using Catch::Approx;

namespace {

Rectangle turned(Point centre, float width, float height, double degrees) {
  const double radians = degrees * std::numbers::pi / 180;
  return {
      centre, {static_cast<float>(std::cos(radians)), static_cast<float>(std::sin(radians))}, width, height};
}

/// The least area of rectangles along every side of the hull, all points projected each time.
double least_area(const std::vector<Point>& hull) {
  double least = INFINITY;
  for (size_t i = 0; i < hull.size(); ++i) {
    const Point a = hull[i], b = hull[(i + 1) % hull.size()];
    const double length = std::hypot(b.x - a.x, b.y - a.y), ux = (b.x - a.x) / length,
                 uy = (b.y - a.y) / length;
    double u_min = INFINITY, u_max = -INFINITY, v_min = INFINITY, v_max = -INFINITY;
    for (const Point p : hull) {
      u_min = std::min(u_min, p.x * ux + p.y * uy);
      u_max = std::max(u_max, p.x * ux + p.y * uy);
      v_min = std::min(v_min, p.y * ux - p.x * uy);
      v_max = std::max(v_max, p.y * ux - p.x * uy);
    }
    least = std::min(least, (u_max - u_min) * (v_max - v_min));
  }
  return least;
}

void check_quad(const Quad& actual, const Quad& expected) {
  for (size_t i = 0; i < 4; ++i) {
    CHECK(actual[i].x == Approx(expected[i].x).margin(1e-3));
    CHECK(actual[i].y == Approx(expected[i].y).margin(1e-3));
  }
}

}  // namespace

TEST_CASE("convex hull: corners only, once", "[vision]") {
  std::vector<Point> points = {{0, 0}, {2, 0}, {4, 0}, {4, 4}, {0, 4}, {2, 2}, {0, 0}, {0, 2}, {4, 4}};
  CHECK(convex_hull(points).size() == 4);
  std::vector<Point> line = {{0, 0}, {1, 1}, {2, 2}, {3, 3}};
  CHECK(convex_hull(line).size() == 2);
  std::vector<Point> same = {{1, 2}, {1, 2}};
  CHECK(convex_hull(same).size() == 1);
  std::vector<Point> none;
  CHECK(convex_hull(none).empty());
}

TEST_CASE("smallest rectangle: finds the rectangle its points came from", "[vision]") {
  for (const double degrees : {0.0, 1.0, 17.0, 44.0, 46.0, 80.0, 89.0, 90.0, 123.0, 179.0}) {
    INFO(degrees);
    const Rectangle source = turned({50, 40}, 30, 8, degrees);
    const Quad quad = corners(source);
    std::vector<Point> points(quad.begin(), quad.end());
    points.push_back({50, 40});
    points.push_back({(quad[0].x + quad[2].x) / 2 + 1, (quad[0].y + quad[2].y) / 2});
    const Rectangle found = min_area_rectangle(convex_hull(points));
    CHECK(found.width * found.height == Approx(240).epsilon(1e-4));
    CHECK(std::max(found.width, found.height) == Approx(30).epsilon(1e-4));
    check_quad(corners(found), quad);
  }
}

TEST_CASE("smallest rectangle: least area over all sides, on random points", "[vision]") {
  std::mt19937 random(5);
  for (size_t round = 0; round < 500; ++round) {
    std::vector<Point> points;
    const size_t count = 3 + random() % 40;
    for (size_t i = 0; i < count; ++i) {
      points.push_back(
          {static_cast<float>(random() % 100), static_cast<float>(random() % (1 + round % 100))});
    }
    const std::vector<Point> hull = convex_hull(points);
    if (hull.size() < 3) continue;
    const Rectangle found = min_area_rectangle(hull);
    CHECK(found.width * found.height == Approx(least_area(hull)).epsilon(1e-4));
    for (const Point p : points) {
      const double dx = p.x - found.centre.x, dy = p.y - found.centre.y;
      CHECK(std::abs(dx * found.direction.x + dy * found.direction.y) <= found.width / 2 + 1e-3);
      CHECK(std::abs(dy * found.direction.x - dx * found.direction.y) <= found.height / 2 + 1e-3);
    }
  }
}

TEST_CASE("smallest rectangle: of nothing, a point, a line", "[vision]") {
  CHECK(min_area_rectangle({}).width == 0);
  const std::vector<Point> point = {{3, 4}};
  check_quad(corners(min_area_rectangle(point)), {Point{3, 4}, {3, 4}, {3, 4}, {3, 4}});
  const std::vector<Point> line = {{0, 0}, {3, 4}};
  const Rectangle found = min_area_rectangle(line);
  CHECK(found.width == Approx(5));
  CHECK(found.height == Approx(0).margin(1e-6));
}

TEST_CASE("corners: the reader's top left comes first, then clockwise", "[vision]") {
  check_quad(corners({{10, 10}, {1, 0}, 8, 2}), {Point{6, 9}, {14, 9}, {14, 11}, {6, 11}});
  check_quad(corners({{10, 10}, {0, 1}, 2, 8}), {Point{6, 9}, {14, 9}, {14, 11}, {6, 11}});
  check_quad(corners({{10, 10}, {-1, 0}, 8, 2}), {Point{6, 9}, {14, 9}, {14, 11}, {6, 11}});
  // Text that climbs: the left end is lower.
  const Quad climbing = corners(turned({0, 0}, 20, 2, -30));
  CHECK(climbing[0].x < climbing[1].x);
  CHECK(climbing[0].y > climbing[1].y);
  CHECK(climbing[3].y > climbing[0].y);
}
