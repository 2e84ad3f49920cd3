#include "pictures.hpp"
#include "vision/detection_input.hpp"
#include "vision/normalize.hpp"
#include "vision/resize.hpp"

using namespace kinglet;
using namespace kinglet::vision;
using namespace kinglet::vision::test;
using Catch::Approx;

namespace {

std::vector<float> resize(const Picture& picture, Size size) {
  std::vector<float> planes(3 * size.width * size.height, kNan);
  resize_to_planes(picture.view(), size, planes);
  return planes;
}

Picture grey_row(const std::vector<uint8_t>& values) {
  return Picture(values.size(), 1,
                 [&](size_t x, size_t) { return Picture::Pixel{values[x], values[x], values[x], 255}; });
}

}  // namespace

TEST_CASE("resize: the same size copies the bytes, as blue, green, red", "[vision]") {
  const Picture picture(2, 2, [](size_t x, size_t y) {
    return Picture::Pixel{static_cast<uint8_t>(255 - x), static_cast<uint8_t>(10 + y),
                          static_cast<uint8_t>(x + y), 255};
  });
  CHECK(resize(picture, {2, 2}) == std::vector<float>{0, 1, 1, 2, 10, 10, 11, 11, 255, 254, 255, 254});
}

TEST_CASE("resize: a row of pixels", "[vision]") {
  struct Row {
    const char* label;
    std::vector<uint8_t> source;
    std::vector<float> target;
  };
  const std::vector<Row> rows = {
      {"twice as wide: between the centres, the edge repeated", {0, 100}, {0, 25, 75, 100}},
      {"three times as wide", {0, 90}, {0, 0, 30, 60, 90, 90}},
      {"half: a triangle over two source pixels", {0, 0, 80, 80}, {80.f / 7, 480.f / 7}},
      {"to one pixel", {0, 90, 180}, {90}},
      {"from one pixel", {77}, {77, 77, 77, 77, 77}},
      {"a thin stroke fades but stays",
       {255, 255, 255, 0, 255, 255, 255, 255},
       {255 * (1 - 0.625f / 3.5f), 255 * (1 - 0.375f / 3.5f)}},
  };
  for (const Row& row : rows) {
    INFO(row.label);
    const std::vector<float> planes = resize(grey_row(row.source), {row.target.size(), 1});
    for (size_t i = 0; i < row.target.size(); ++i) CHECK(planes[i] == Approx(row.target[i]).margin(0.1));
  }
}

TEST_CASE("resize: columns are treated as rows are", "[vision]") {
  const Picture picture(
      1, 2, [](size_t, size_t y) { return Picture::Pixel{0, 0, static_cast<uint8_t>(100 * y), 255}; });
  const std::vector<float> planes = resize(picture, {1, 4});
  CHECK(std::vector<float>(planes.begin(), planes.begin() + 4) == std::vector<float>{0, 25, 75, 100});
}

TEST_CASE("resize: an even colour stays even at every size", "[vision]") {
  for (size_t from = 1; from <= 17; ++from) {
    const Picture picture(from, 18 - from, [](size_t, size_t) { return Picture::Pixel{30, 20, 10, 255}; });
    for (size_t to = 1; to <= 17; ++to) {
      const std::vector<float> planes = resize(picture, {to, 18 - to});
      for (size_t i = 0; i < planes.size(); ++i) {
        CHECK(planes[i] == Approx(10.0 * static_cast<double>(1 + i / (to * (18 - to)))).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE("resize: what is transparent is white paper", "[vision]") {
  const Picture picture(
      2, 1, [](size_t x, size_t) { return Picture::Pixel{0, 0, 0, static_cast<uint8_t>(x == 0 ? 0 : 51)}; });
  const std::vector<float> planes = resize(picture, {2, 1});
  CHECK(planes[0] == Approx(255));
  CHECK(planes[1] == Approx(204));
}

TEST_CASE("resize: sizes that do not fit are refused", "[vision]") {
  std::vector<float> planes(12);
  const std::vector<uint8_t> bytes(16);
  check_invalid([&] { resize_to_planes({bytes, {2, 2}}, {2, 3}, planes); }, "expected 18, got 12");
  check_invalid([&] { resize_to_planes({bytes, {2, 3}}, {2, 2}, planes); }, "expected 24, got 16");
  check_invalid([&] { resize_to_planes({bytes, {0, 2}}, {2, 2}, planes); }, "0 x 2");
  check_invalid([&] { resize_to_planes({{}, {0, 0}}, {2, 2}, planes); }, "0 x 0");
  check_invalid([&] { resize_to_planes({bytes, {2, 2}}, {0, 2}, planes); }, "resized image");
  // 65536 * 65536 * 4 is 0 in 32 bits.
  check_invalid([&] { resize_to_planes({{}, {65536, 65536}}, {2, 2}, planes); }, "65536 x 65536");
  check_invalid([&] { resize_to_planes({bytes, {SIZE_MAX, SIZE_MAX}}, {2, 2}, planes); }, "image");
}

TEST_CASE("normalize: per plane", "[vision]") {
  std::vector<float> planes = {0, 255, 0, 255, 0, 255};
  normalize_planes(planes, {{0.5f, 0.25f, 0}, {0.5f, 0.25f, 2}});
  const std::vector<float> expected = {-1, 1, -1, 3, 0, 0.5f};
  for (size_t i = 0; i < 6; ++i) CHECK(planes[i] == Approx(expected[i]).margin(1e-6));
  std::vector<float> four(4);
  check_invalid([&] { normalize_planes(four, kDetectorNormalization); }, "multiple of 3");
}

TEST_CASE("detection size", "[vision]") {
  using Limit = DetectionInputOptions::Limit;
  struct Row {
    const char* label;
    Size image;
    DetectionInputOptions options;
    Size expected;
  };
  const std::vector<Row> rows = {
      {"fits: only rounded", {640, 480}, {}, {640, 480}},
      {"rounded down and up", {650, 500}, {}, {640, 512}},
      {"shrunk to the long side", {1920, 1080}, {}, {960, 544}},
      {"portrait", {1080, 1920}, {}, {544, 960}},
      {"a phone's photo", {4000, 3000}, {}, {960, 704}},
      {"tiny: never below 32", {3, 2}, {}, {32, 32}},
      {"a thread", {60000, 10}, {}, {960, 32}},
      {"short side: enlarged", {368, 736}, {Limit::kShortSide, 736}, {736, 1472}},
      {"short side: large enough", {800, 1000}, {Limit::kShortSide, 736}, {800, 992}},
      {"short side: the long side has a limit too", {10, 5000}, {Limit::kShortSide, 736}, {32, 4096}},
  };
  for (const Row& row : rows) {
    INFO(row.label);
    const Size size = detection_size(row.image, row.options);
    CHECK(size.width == row.expected.width);
    CHECK(size.height == row.expected.height);
  }
  check_invalid([] { detection_size({0, 5}); }, "0 x 5");
  check_invalid([] { detection_size({100, 100}, {Limit::kLongSide, 0}); }, "detection side");
  check_invalid([] { detection_size({100, 100}, {Limit::kLongSide, SIZE_MAX}); }, "detection side");
}

TEST_CASE("detection input: planes are blue, green, red, each normalized by its place", "[vision]") {
  const Picture picture(32, 32, [](size_t, size_t) { return Picture::Pixel{255, 128, 0, 255}; });
  std::vector<float> input(3 * 32 * 32);
  detection_input(picture.view(), {32, 32}, input);
  CHECK(input[5] == Approx((0.0 - 0.485) / 0.229).epsilon(1e-5));
  CHECK(input[1024 + 5] == Approx((128.0 / 255 - 0.456) / 0.224).epsilon(1e-5));
  CHECK(input[2048 + 5] == Approx((1.0 - 0.406) / 0.225).epsilon(1e-5));
}
