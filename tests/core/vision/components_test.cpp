#include <random>
#include <set>
#include <string>

#include "pictures.hpp"
#include "vision/components.hpp"

using namespace kinglet;
using namespace kinglet::vision;
using namespace kinglet::vision::test;

namespace {

struct Bitmap {
  std::vector<uint8_t> pixels;
  Size size;
};

Bitmap bitmap(const std::vector<std::string>& rows) {
  Bitmap out{{}, {rows[0].size(), rows.size()}};
  for (const std::string& row : rows) {
    for (const char c : row) out.pixels.push_back(c == '#' ? 255 : 0);
  }
  return out;
}

using Part = std::set<size_t>;  // pixels, by row * width + column

std::vector<Part> parts(const Bitmap& b, size_t min_side = 1, size_t max_count = SIZE_MAX) {
  std::vector<Part> out;
  for (const Component& component : find_components(b.pixels, b.size, min_side, max_count)) {
    Part part;
    for (const Run& run : component.runs) {
      for (size_t x = run.begin; x < run.end; ++x) part.insert(run.row * b.size.width + x);
    }
    CHECK(part.size() == component.pixels);
    out.push_back(part);
  }
  return out;
}

std::vector<size_t> sizes(const std::vector<Part>& found) {
  std::vector<size_t> out;
  for (const Part& part : found) out.push_back(part.size());
  return out;
}

/// The plain way: flood from every pixel that no part has yet.
std::vector<Part> flood(const Bitmap& b) {
  std::vector<Part> out;
  std::vector<bool> seen(b.pixels.size());
  const auto width = static_cast<ptrdiff_t>(b.size.width), height = static_cast<ptrdiff_t>(b.size.height);
  for (size_t start = 0; start < b.pixels.size(); ++start) {
    if (b.pixels[start] == 0 || seen[start]) continue;
    Part part;
    std::vector<size_t> todo = {start};
    seen[start] = true;
    while (!todo.empty()) {
      const size_t at = todo.back();
      todo.pop_back();
      part.insert(at);
      const auto x = static_cast<ptrdiff_t>(at) % width, y = static_cast<ptrdiff_t>(at) / width;
      for (ptrdiff_t ny = std::max<ptrdiff_t>(0, y - 1); ny <= std::min(height - 1, y + 1); ++ny) {
        for (ptrdiff_t nx = std::max<ptrdiff_t>(0, x - 1); nx <= std::min(width - 1, x + 1); ++nx) {
          const auto next = static_cast<size_t>(ny * width + nx);
          if (b.pixels[next] == 0 || seen[next]) continue;
          seen[next] = true;
          todo.push_back(next);
        }
      }
    }
    out.push_back(part);
  }
  return out;
}

}  // namespace

TEST_CASE("components: shapes", "[vision]") {
  struct Row {
    const char* label;
    std::vector<std::string> bitmap;
    std::vector<size_t> sizes;
  };
  const std::vector<Row> rows = {
      {"nothing", {"...", "..."}, {}},
      {"everything", {"###", "###"}, {6}},
      {"corners touch", {"#..", ".#.", "..#"}, {3}},
      {"a gap of one", {"#.#", "#.#"}, {2, 2}},
      {"joined at the bottom", {"#.#.#", "#.#.#", "#####"}, {11}},
      {"joined from the right", {"....#", "##..#", ".####"}, {8}},
      {"a ring and what is in it", {"#####", "#...#", "#.#.#", "#...#", "#####"}, {16, 1}},
      {"one pixel", {"#"}, {1}},
  };
  for (const Row& row : rows) {
    INFO(row.label);
    CHECK(sizes(parts(bitmap(row.bitmap))) == row.sizes);
  }
}

TEST_CASE("components: small ones go, the largest stay, in order of rows", "[vision]") {
  const Bitmap b = bitmap({"##...#.###", "##...#.###", "......#...", "###......."});
  CHECK(sizes(parts(b)) == std::vector<size_t>{4, 9, 3});
  CHECK(sizes(parts(b, 2)) == std::vector<size_t>{4, 9});
  CHECK(sizes(parts(b, 1, 2)) == std::vector<size_t>{4, 9});
  CHECK(sizes(parts(b, 1, 1)) == std::vector<size_t>{9});
  CHECK(parts(b, 1, 0).empty());
}

TEST_CASE("components: as flood fill finds them, on noise", "[vision]") {
  std::mt19937 random(3);
  for (size_t round = 0; round < 200; ++round) {
    Bitmap b{{}, {1 + random() % 17, 1 + random() % 17}};
    const uint32_t density = 1 + random() % 9;
    for (size_t i = 0; i < b.size.width * b.size.height; ++i)
      b.pixels.push_back(random() % 10 < density ? 1 : 0);
    CHECK(parts(b) == flood(b));
  }
}

TEST_CASE("components: sizes that do not fit are refused", "[vision]") {
  const std::vector<uint8_t> pixels(6);
  check_invalid([&] { find_components(pixels, {2, 2}, 1, 9); }, "expected 4, got 6");
  check_invalid([&] { find_components({}, {0, 0}, 1, 9); }, "0 x 0");
}
