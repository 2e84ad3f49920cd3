#include <cmath>
#include <numbers>

#include "pictures.hpp"
#include "vision/text_boxes.hpp"

using namespace kinglet;
using namespace kinglet::vision;
using namespace kinglet::vision::test;
using Catch::Approx;

namespace {

/// A probability map with rectangles of one probability, drawn by the centres of pixels.
class Map {
 public:
  Map(size_t width, size_t height, float background = 0.02f)
      : size_{width, height}, values_(width * height, background) {}

  Map& draw(float cx, float cy, float width, float height, double degrees = 0, float probability = 0.9f) {
    const double c = std::cos(degrees * std::numbers::pi / 180),
                 s = std::sin(degrees * std::numbers::pi / 180);
    for (size_t y = 0; y < size_.height; ++y) {
      for (size_t x = 0; x < size_.width; ++x) {
        const double dx = static_cast<double>(x) + 0.5 - cx, dy = static_cast<double>(y) + 0.5 - cy;
        if (std::abs(dx * c + dy * s) <= width / 2 && std::abs(dy * c - dx * s) <= height / 2) {
          values_[y * size_.width + x] = probability;
        }
      }
    }
    return *this;
  }

  float& at(size_t x, size_t y) { return values_[y * size_.width + x]; }

  std::vector<TextBox> boxes(Size image, const TextBoxOptions& options = {}) const {
    return find_text_boxes(values_, size_, image, options);
  }
  std::vector<TextBox> boxes() const { return boxes(size_, {.unclip_ratio = 1.5f}); }

 private:
  Size size_;
  std::vector<float> values_;
};

float length(Point a, Point b) { return std::hypot(b.x - a.x, b.y - a.y); }

void check_quad(const Quad& actual, const Quad& expected, double margin) {
  for (size_t i = 0; i < 4; ++i) {
    INFO("corner " << i << ": " << actual[i].x << ", " << actual[i].y);
    CHECK(actual[i].x == Approx(expected[i].x).margin(margin));
    CHECK(actual[i].y == Approx(expected[i].y).margin(margin));
  }
}

Quad quad_at(float x, float y, float width = 40, float height = 10, double degrees = 0) {
  const float c = static_cast<float>(std::cos(degrees * std::numbers::pi / 180));
  const float s = static_cast<float>(std::sin(degrees * std::numbers::pi / 180));
  const auto corner = [&](float u, float v) { return Point{x + u * c - v * s, y + u * s + v * c}; };
  return {corner(0, 0), corner(width, 0), corner(width, height), corner(0, height)};
}

}  // namespace

TEST_CASE("text boxes: a level line grows by area * ratio / perimeter", "[vision]") {
  // 60 x 10: area 600, perimeter 140, so the sides move by 600 * 1.5 / 140 = 6.43.
  const auto boxes = Map(128, 64).draw(60, 30, 60, 10).boxes();
  REQUIRE(boxes.size() == 1);
  check_quad(boxes[0].quad, {Point{23.57f, 18.57f}, {96.43f, 18.57f}, {96.43f, 41.43f}, {23.57f, 41.43f}},
             0.01);
  CHECK(boxes[0].score == Approx(0.9).epsilon(1e-5));
}

TEST_CASE("text boxes: turned lines come back with their angle and size", "[vision]") {
  for (const double degrees : {-60.0, -30.0, -8.0, 8.0, 30.0, 60.0}) {
    INFO(degrees);
    const auto boxes = Map(200, 200).draw(100, 100, 90, 14, degrees).boxes();
    REQUIRE(boxes.size() == 1);
    const auto& [tl, tr, br, bl] = boxes[0].quad;
    const float grown = 90 * 14 * 1.5f / 208 * 2;
    CHECK(length(tl, tr) == Approx(90 + grown).margin(2.5));
    CHECK(length(tl, bl) == Approx(14 + grown).margin(2.5));
    CHECK(std::atan2(tr.y - tl.y, tr.x - tl.x) * 180 / std::numbers::pi == Approx(degrees).margin(1.5));
    CHECK((tl.x + br.x) / 2 == Approx(100).margin(0.6));
    CHECK((tl.y + br.y) / 2 == Approx(100).margin(0.6));
  }
}

TEST_CASE("text boxes: a column of text is turned so that its first corner starts the line", "[vision]") {
  const auto boxes = Map(64, 128).draw(30, 60, 10, 60).boxes();
  REQUIRE(boxes.size() == 1);
  const Quad& quad = boxes[0].quad;
  CHECK(quad[0].x > quad[2].x);
  CHECK(quad[0].y < quad[2].y);
  CHECK(length(quad[0], quad[1]) > 3 * length(quad[0], quad[3]));
}

TEST_CASE("text boxes: scaled to the picture and kept inside it", "[vision]") {
  const auto boxes = Map(100, 50).draw(5, 25, 60, 10).boxes({400, 100}, {.unclip_ratio = 1.5f});
  REQUIRE(boxes.size() == 1);
  // The part of the rectangle inside of the map is 35 x 10: it grows by 35 * 10 * 1.5 / 90 = 5.83.
  check_quad(boxes[0].quad, {Point{0, 28.33f}, {163.33f, 28.33f}, {163.33f, 71.67f}, {0, 71.67f}}, 0.05);
}

TEST_CASE("text boxes: what is dropped", "[vision]") {
  CHECK(Map(64, 64).boxes().empty());
  CHECK(Map(64, 64).draw(30, 30, 40, 10, 0, 0.25f).boxes().empty());
  CHECK(Map(64, 64).draw(30, 30, 40, 10, 0, 0.5f).boxes().empty());
  CHECK(Map(64, 64).draw(30, 30, 40, 2).boxes().empty());
  CHECK(Map(64, 64).draw(32, 32, 50, 1.5f, 45).boxes().empty());
  CHECK(Map(64, 64).draw(30, 30, 40, 10, 0, 0.5f).boxes({64, 64}, {.box_threshold = 0.4f}).size() == 1);
  CHECK(Map(64, 64).draw(30, 30, 40, 10).boxes({64, 64}, {.max_boxes = 0}).empty());
}

TEST_CASE("text boxes: the score is the mean over the rectangle, gaps included", "[vision]") {
  Map map(64, 64, 0);
  map.draw(32, 32, 40, 20, 0, 1).draw(32, 32, 20, 10, 0, 0.0f);
  const auto boxes = map.boxes({64, 64}, {.box_threshold = 0.1f});
  REQUIRE(boxes.size() == 1);
  CHECK(boxes[0].score == Approx(0.75).epsilon(1e-4));
}

TEST_CASE("text boxes: values that are no probabilities", "[vision]") {
  CHECK(Map(64, 64, kNan).boxes().empty());
  CHECK(Map(64, 64, -kInfinity).boxes().empty());

  const auto everything = Map(64, 32, kInfinity).boxes({640, 320});
  REQUIRE(everything.size() == 1);
  check_quad(everything[0].quad, {Point{0, 0}, {640, 0}, {640, 320}, {0, 320}}, 1e-3);
  CHECK(everything[0].score == 1);

  Map holed(64, 64);
  holed.draw(32, 32, 40, 10);
  holed.at(30, 31) = kNan;
  const auto boxes = holed.boxes();
  REQUIRE(boxes.size() == 1);
  CHECK(boxes[0].score == Approx(0.9 * 399 / 400).epsilon(1e-4));
}

TEST_CASE("text boxes: one pixel is a map too", "[vision]") {
  const float one = 1;
  CHECK(find_text_boxes({&one, 1}, {1, 1}, {10, 10}).empty());
  CHECK(find_text_boxes({&one, 1}, {1, 1}, {10, 10}, {.min_side = 0}).size() == 1);
}

TEST_CASE("text boxes: sizes and options that do not fit are refused", "[vision]") {
  const std::vector<float> map(12);
  check_invalid([&] { find_text_boxes(map, {4, 4}, {9, 9}); }, "expected 16, got 12");
  check_invalid([&] { find_text_boxes({}, {0, 4}, {9, 9}); }, "probability map");
  check_invalid([&] { find_text_boxes(map, {4, 3}, {9, 0}); }, "image");
  check_invalid([&] { find_text_boxes(map, {65536, 65536}, {9, 9}); }, "probability map");
  check_invalid([&] { find_text_boxes(map, {4, 3}, {9, 9}, {.threshold = kNan}); }, "thresholds");
  check_invalid([&] { find_text_boxes(map, {4, 3}, {9, 9}, {.unclip_ratio = kInfinity}); }, "unclip ratio");
  check_invalid([&] { find_text_boxes(map, {4, 3}, {9, 9}, {.min_side = -1}); }, "min side");
}

TEST_CASE("reading order", "[vision]") {
  struct Row {
    const char* label;
    std::vector<Quad> quads;  // in the order that is expected
  };
  const std::vector<Row> rows = {
      {"lines, then words",
       {quad_at(0, 0), quad_at(50, 2), quad_at(100, -2), quad_at(0, 12), quad_at(50, 11)}},
      {"a heading beside small print",
       {quad_at(60, 0, 40, 6), quad_at(0, 0, 50, 40), quad_at(60, 30, 40, 6)}},
      {"tilted: the right end of a line is lower than the next line's start",
       {quad_at(0, 0, 40, 10, 10), quad_at(100, 17.6f, 40, 10, 10), quad_at(0, 15, 40, 10, 10),
        quad_at(100, 32.6f, 40, 10, 10)}},
      {"upside down",
       {quad_at(100, 100, 40, 10, 180), quad_at(50, 101, 40, 10, 180), quad_at(100, 80, 40, 10, 180)}},
      {"turned by a quarter",
       {quad_at(100, 0, 40, 10, 90), quad_at(101, 50, 40, 10, 90), quad_at(80, 0, 40, 10, 90)}},
  };
  for (const Row& row : rows) {
    INFO(row.label);
    const std::vector<Quad> reversed(row.quads.rbegin(), row.quads.rend());
    const std::vector<size_t> order = reading_order(reversed);
    REQUIRE(order.size() == reversed.size());
    for (size_t i = 0; i < order.size(); ++i) CHECK(order[i] == reversed.size() - 1 - i);
  }
  CHECK(reading_order({}).empty());
  const std::vector<Quad> degenerate(3, Quad{});
  CHECK(reading_order(degenerate) == std::vector<size_t>{0, 1, 2});
}
