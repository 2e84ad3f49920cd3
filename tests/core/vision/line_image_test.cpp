#include <cmath>

#include "pictures.hpp"
#include "vision/line_image.hpp"

using namespace kinglet;
using namespace kinglet::vision;
using namespace kinglet::vision::test;
using Catch::Approx;

namespace {

constexpr Quad kLevel{Point{4, 6}, {20, 6}, {20, 14}, {4, 14}};

std::vector<float> line(const Picture& picture, const Quad& quad, size_t content, Size size) {
  std::vector<float> input(3 * size.width * size.height, kNan);
  line_input(picture.view(), quad, content, size, input);
  return input;
}

/// What ramps() is at a place, after the recognizer's normalization.
double red(double x) { return (4 * (x - 0.5) + 100) / 127.5 - 1; }
double green(double y) { return (4 * (y - 0.5) + 50) / 127.5 - 1; }

}  // namespace

TEST_CASE("line image: affine cuts of a ramp are ramps", "[vision]") {
  const Picture picture = ramps(32, 32);
  const std::vector<Quad> quads = {
      kLevel,
      {Point{4, 6}, {20, 10}, {18, 18}, {2, 14}},  // turned
      {Point{20, 14}, {4, 14}, {4, 6}, {20, 6}},   // upside down
      {Point{14, 4}, {14, 24}, {6, 24}, {6, 4}},   // downwards
  };
  for (const Quad& quad : quads) {
    for (const Size size : {Size{16, 8}, Size{40, 20}, Size{5, 3}, Size{1, 1}}) {
      const std::vector<float> input = line(picture, quad, size.width, size);
      const size_t plane = size.width * size.height;
      for (size_t y = 0; y < size.height; ++y) {
        for (size_t x = 0; x < size.width; ++x) {
          const double u = (static_cast<double>(x) + 0.5) / static_cast<double>(size.width);
          const double v = (static_cast<double>(y) + 0.5) / static_cast<double>(size.height);
          const double px = quad[0].x + u * (quad[1].x - quad[0].x) + v * (quad[3].x - quad[0].x);
          const double py = quad[0].y + u * (quad[1].y - quad[0].y) + v * (quad[3].y - quad[0].y);
          CHECK(input[y * size.width + x] == Approx(7 / 127.5 - 1).margin(1e-5));
          CHECK(input[plane + y * size.width + x] == Approx(green(py)).margin(1e-4));
          CHECK(input[2 * plane + y * size.width + x] == Approx(red(px)).margin(1e-4));
        }
      }
    }
  }
}

TEST_CASE("line image: perspective takes the middle of the line to where the diagonals cross", "[vision]") {
  const Picture picture = ramps(32, 32);
  const Quad quad{Point{2, 4}, {26, 10}, {26, 18}, {2, 28}};
  // Diagonals (2, 4)-(26, 18) and (26, 10)-(2, 28) cross at x = 2 + 24 * 24 / 32, y = 4 + 14 * 24 / 32.
  const std::vector<float> input = line(picture, quad, 33, {33, 33});
  CHECK(input[33 * 33 + 16 * 33 + 16] == Approx(green(14.5)).margin(0.01));
  CHECK(input[2 * 33 * 33 + 16 * 33 + 16] == Approx(red(20)).margin(0.01));
}

TEST_CASE("line image: strong shrinking averages instead of skipping", "[vision]") {
  const Picture stripes(64, 64, [](size_t x, size_t) {
    const uint8_t value = x % 2 == 0 ? 0 : 255;
    return Picture::Pixel{value, value, value, 255};
  });
  for (const float value : line(stripes, {Point{0, 0}, {64, 0}, {64, 64}, {0, 64}}, 8, {8, 8})) {
    CHECK(value == Approx(0).margin(0.05));
  }
}

TEST_CASE("line image: outside of the picture its edge goes on", "[vision]") {
  const Picture picture = ramps(8, 8);
  const std::vector<float> input = line(picture, {Point{-20, 2}, {-10, 2}, {-10, 6}, {-20, 6}}, 4, {4, 4});
  CHECK(input[2 * 16] == Approx(red(0.5)).margin(1e-5));
}

TEST_CASE("line image: padding is zero", "[vision]") {
  const std::vector<float> input = line(ramps(32, 32), kLevel, 3, {7, 5});
  for (size_t i = 0; i < input.size(); ++i) {
    if (i % 7 >= 3) CHECK(input[i] == Approx(0).margin(1e-6));
    else CHECK(std::abs(input[i]) > 0.01f);
  }
}

TEST_CASE("line width: the box's aspect at the given height", "[vision]") {
  CHECK(line_width(kLevel) == 96);
  CHECK(line_width(kLevel, 24) == 48);
  CHECK(line_width({Point{0, 0}, {1, 0}, {1, 500}, {0, 500}}) == 1);
  CHECK(line_width({Point{0, 0}, {60000, 0}, {60000, 3}, {0, 3}}) == kMaxLineWidth);
  check_invalid([] { line_width(kLevel, 0); }, "line height");
  check_invalid([] { line_width(kLevel, SIZE_MAX); }, "line height");
}

TEST_CASE("upright: only high boxes are turned", "[vision]") {
  const Quad high{Point{0, 0}, {10, 0}, {10, 15}, {0, 15}}, low{Point{0, 0}, {10, 0}, {10, 14}, {0, 14}};
  CHECK(upright(low)[0].x == 0);
  const Quad turned = upright(high);
  CHECK(turned[0].x == 10);
  CHECK(turned[0].y == 0);
  CHECK(turned[1].y == 15);
  CHECK(half_turn(high)[0].x == 10);
  CHECK(half_turn(high)[0].y == 15);
}

TEST_CASE("line batch: each line as if alone, padded to the common width", "[vision]") {
  const Picture picture = ramps(32, 32);
  const std::vector<Quad> quads = {kLevel, {Point{4, 6}, {12, 6}, {12, 14}, {4, 14}}};
  const size_t width = 100, line_count = 3 * kLineHeight * width;
  std::vector<float> batch(2 * line_count, kNan);
  line_batch(picture.view(), quads, width, batch);
  for (size_t i = 0; i < 2; ++i) {
    const std::vector<float> alone = line(picture, quads[i], line_width(quads[i]), {width, kLineHeight});
    CHECK(std::equal(alone.begin(), alone.end(), batch.begin() + static_cast<ptrdiff_t>(i * line_count)));
  }
  std::vector<float> squeezed(3 * kLineHeight * 50);
  line_batch(picture.view(), {quads.data(), 1}, 50, squeezed);
  CHECK(squeezed == line(picture, kLevel, 50, {50, kLineHeight}));
  line_batch(picture.view(), {}, width, {});
}

TEST_CASE("orientation: input and decision", "[vision]") {
  std::vector<float> input(3 * kLineHeight * kOrientationWidth);
  orientation_input(ramps(32, 32).view(), kLevel, input);
  CHECK(input == line(ramps(32, 32), kLevel, 96, {kOrientationWidth, kLineHeight}));
  CHECK(is_upside_down(std::vector<float>{0.05f, 0.95f}));
  CHECK_FALSE(is_upside_down(std::vector<float>{0.2f, 0.8f}));
  CHECK(is_upside_down(std::vector<float>{0.2f, 0.8f}, 0.5f));
  CHECK_FALSE(is_upside_down(std::vector<float>{kNan, kNan}));
  check_invalid([] { is_upside_down(std::vector<float>{1}); }, "expected 2, got 1");
}

TEST_CASE("line image: quads that are none and sizes that do not fit are refused", "[vision]") {
  const Picture picture = ramps(32, 32);
  const std::vector<std::pair<const char*, Quad>> bad = {
      {"a point", {Point{3, 3}, {3, 3}, {3, 3}, {3, 3}}},
      {"a line", {Point{0, 0}, {5, 5}, {10, 10}, {15, 15}}},
      {"counterclockwise", {Point{4, 14}, {20, 14}, {20, 6}, {4, 6}}},
      {"a bow tie", {Point{4, 6}, {20, 14}, {20, 6}, {4, 14}}},
      {"concave", {Point{0, 0}, {20, 0}, {5, 5}, {0, 20}}},
      {"not a number", {Point{kNan, 6}, {20, 6}, {20, 14}, {4, 14}}},
      {"infinite", {Point{4, 6}, {kInfinity, 6}, {20, 14}, {4, 14}}},
      {"far away", {Point{4, 6}, {1e7f, 6}, {1e7f, 14}, {4, 14}}},
  };
  std::vector<float> input(3 * 64);
  for (const auto& [label, quad] : bad) {
    INFO(label);
    check_invalid([&] { line_width(quad); }, "quad");
    check_invalid([&] { line_input(picture.view(), quad, 8, {8, 8}, input); }, "quad");
  }
  check_invalid([&] { line_input(picture.view(), kLevel, 8, {8, 9}, input); }, "expected 216, got 192");
  check_invalid([&] { line_input(picture.view(), kLevel, 9, {8, 8}, input); }, "content width");
  check_invalid([&] { line_input(picture.view(), kLevel, 0, {8, 8}, input); }, "content width");
  check_invalid([&] { line_input({{}, {0, 0}}, kLevel, 8, {8, 8}, input); }, "image");
  check_invalid([&] { line_batch(picture.view(), {}, 0, {}); }, "line");
  check_invalid([&] { line_batch(picture.view(), {&kLevel, 1}, 100, input); }, "batch");
}
