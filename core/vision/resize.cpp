#include "vision/resize.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "vision/pixels.hpp"

namespace kinglet::vision {
namespace {

/// For each target position the source positions that reach it, with weights that sum to 1.
struct Filter {
  struct Window {
    size_t first, count;
  };
  std::vector<Window> windows;
  std::vector<float> weights;  // [target, stride]
  size_t stride = 0;           // the largest count
};

Filter triangle_filter(size_t source, size_t target) {
  const double scale = static_cast<double>(source) / static_cast<double>(target);
  const double reach = std::max(1.0, scale);
  Filter filter;
  filter.stride = std::min(source, static_cast<size_t>(std::ceil(reach)) * 2 + 1);
  filter.windows.resize(target);
  filter.weights.resize(target * filter.stride);
  for (size_t i = 0; i < target; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const auto first = static_cast<size_t>(std::max(0.0, std::floor(centre - reach)));
    const size_t end =
        std::min({source, first + filter.stride, static_cast<size_t>(std::ceil(centre + reach))});
    float* weights = &filter.weights[i * filter.stride];
    double sum = 0;
    for (size_t x = first; x < end; ++x) {
      const double weight = std::max(0.0, 1 - std::abs(static_cast<double>(x) + 0.5 - centre) / reach);
      weights[x - first] = static_cast<float>(weight);
      sum += weight;
    }
    for (size_t k = 0; k < end - first; ++k) weights[k] = static_cast<float>(weights[k] / sum);
    filter.windows[i] = {first, end - first};
  }
  return filter;
}

/// One source row [width] to planes [3, target].
void filter_row(const uint8_t* rgba, size_t width, const Filter& filter, std::vector<float>& pixels,
                float* out) {
  for (size_t x = 0; x < width; ++x) load_bgr(rgba + 4 * x, &pixels[3 * x]);
  const size_t target = filter.windows.size();
  for (size_t i = 0; i < target; ++i) {
    const auto [first, count] = filter.windows[i];
    const float* weights = &filter.weights[i * filter.stride];
    const float* source = &pixels[3 * first];
    float b = 0, g = 0, r = 0;
    for (size_t k = 0; k < count; ++k, source += 3) {
      b += weights[k] * source[0];
      g += weights[k] * source[1];
      r += weights[k] * source[2];
    }
    out[i] = b;
    out[target + i] = g;
    out[2 * target + i] = r;
  }
}

}  // namespace

void resize_to_planes(const ImageView& image, Size size, std::span<float> planes) {
  check_image(image);
  const size_t plane_size = pixel_count(size, "resized image");
  check_count(planes.size(), uint64_t{3} * plane_size, "values of the planes");

  const Filter columns = triangle_filter(image.size.width, size.width);
  const Filter rows = triangle_filter(image.size.height, size.height);
  // Windows only move down, so the last `stride` filtered rows are all that a target row can ask for.
  std::vector<float> ring(rows.stride * 3 * size.width);
  std::vector<float> pixels(3 * image.size.width);
  size_t next_row = 0;

  for (size_t y = 0; y < size.height; ++y) {
    const auto [first, count] = rows.windows[y];
    for (; next_row < first + count; ++next_row) {
      if (next_row < first) continue;
      filter_row(&image.rgba[4 * next_row * image.size.width], image.size.width, columns, pixels,
                 &ring[(next_row % rows.stride) * 3 * size.width]);
    }
    for (size_t plane = 0; plane < 3; ++plane) {
      float* out = &planes[plane * plane_size + y * size.width];
      std::fill_n(out, size.width, 0.0f);
      for (size_t k = 0; k < count; ++k) {
        const float weight = rows.weights[y * rows.stride + k];
        const float* source = &ring[(((first + k) % rows.stride) * 3 + plane) * size.width];
        for (size_t x = 0; x < size.width; ++x) out[x] += weight * source[x];
      }
    }
  }
}

}  // namespace kinglet::vision
