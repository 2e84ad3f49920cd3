#include "vision/components.hpp"

#include <algorithm>

namespace kinglet::vision {
namespace {

struct Forest {
  std::vector<uint32_t> parents;

  uint32_t root(uint32_t i) {
    while (parents[i] != i) i = parents[i] = parents[parents[i]];
    return i;
  }

  void join(uint32_t a, uint32_t b) {
    a = root(a);
    b = root(b);
    // The smaller index stays the root, so a component is known by the first of its runs.
    if (a < b) parents[b] = a;
    else parents[a] = b;
  }
};

void append_runs(const uint8_t* row, uint32_t y, uint32_t width, std::vector<Run>& runs) {
  for (uint32_t x = 0; x < width;) {
    if (row[x] == 0) {
      ++x;
      continue;
    }
    const uint32_t begin = x;
    while (x < width && row[x] != 0) ++x;
    runs.push_back({y, begin, x});
  }
}

/// Joins the runs [above, row) with those of the next row, [row, end), where they touch.
void join_rows(const std::vector<Run>& runs, size_t above, size_t row, Forest& forest) {
  for (size_t i = row; i < runs.size(); ++i) {
    while (above < row && runs[above].end < runs[i].begin) ++above;
    for (size_t j = above; j < row && runs[j].begin <= runs[i].end; ++j) {
      forest.join(static_cast<uint32_t>(i), static_cast<uint32_t>(j));
    }
  }
}

struct Extent {
  uint64_t pixels = 0;
  uint32_t left = UINT32_MAX, right = 0, top = UINT32_MAX, bottom = 0;

  void add(const Run& run) {
    pixels += run.end - run.begin;
    left = std::min(left, run.begin);
    right = std::max(right, run.end);
    top = std::min(top, run.row);
    bottom = std::max(bottom, run.row + 1);
  }
};

}  // namespace

std::vector<Component> find_components(std::span<const uint8_t> bitmap, Size size, size_t min_side,
                                       size_t max_count) {
  check_count(bitmap.size(), pixel_count(size, "bitmap"), "pixels of the bitmap");

  std::vector<Run> runs;
  Forest forest;
  size_t above = 0;
  for (size_t y = 0; y < size.height; ++y) {
    const size_t row = runs.size();
    append_runs(&bitmap[y * size.width], static_cast<uint32_t>(y), static_cast<uint32_t>(size.width), runs);
    for (size_t i = row; i < runs.size(); ++i) forest.parents.push_back(static_cast<uint32_t>(i));
    join_rows(runs, above, row, forest);
    above = row;
  }

  std::vector<Extent> extents(runs.size());
  for (uint32_t i = 0; i < runs.size(); ++i) extents[forest.root(i)].add(runs[i]);

  std::vector<uint32_t> kept;
  for (uint32_t i = 0; i < runs.size(); ++i) {
    const Extent& extent = extents[i];
    if (extent.pixels > 0 && extent.right - extent.left >= min_side &&
        extent.bottom - extent.top >= min_side) {
      kept.push_back(i);
    }
  }
  if (kept.size() > max_count) {
    std::ranges::nth_element(kept, kept.begin() + static_cast<ptrdiff_t>(max_count), std::ranges::greater(),
                             [&](uint32_t i) { return extents[i].pixels; });
    kept.resize(max_count);
    std::ranges::sort(kept);
  }

  std::vector<Component> components(kept.size());
  for (size_t k = 0; k < kept.size(); ++k) components[k].pixels = extents[kept[k]].pixels;
  for (uint32_t i = 0; i < runs.size(); ++i) {
    const uint32_t root = forest.root(i);
    const auto place = std::ranges::lower_bound(kept, root);
    if (place != kept.end() && *place == root) {
      components[static_cast<size_t>(place - kept.begin())].runs.push_back(runs[i]);
    }
  }
  return components;
}

}  // namespace kinglet::vision
