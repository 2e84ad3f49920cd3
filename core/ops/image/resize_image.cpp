#include "ops/image/resize_image.hpp"

#include "kernels/resize.hpp"
#include "ops/parallel.hpp"

namespace kinglet::ops {
namespace {

/// The tensors as [batch, height, width, channels] when only height and width are resized.
struct Image {
  kernels::ResizeShape shape;
  ResizeAxis height, width;
};

std::optional<Image> as_image(std::span<const ResizeAxis> axes) {
  Image image;
  kernels::ResizeShape& s = image.shape;
  s.channels = 1;
  size_t d = 0;
  for (; d < axes.size() && !axes[d].resized; ++d) s.batch *= static_cast<size_t>(axes[d].in);
  if (d < axes.size()) image.height = axes[d++];
  if (d < axes.size() && axes[d].resized) image.width = axes[d++];
  for (; d < axes.size(); ++d) {
    if (axes[d].resized) return std::nullopt;
    s.channels *= static_cast<size_t>(axes[d].in);
  }
  s.in_height = static_cast<size_t>(image.height.in);
  s.out_height = static_cast<size_t>(image.height.out);
  s.in_width = static_cast<size_t>(image.width.in);
  s.out_width = static_cast<size_t>(image.width.out);
  return image;
}

std::vector<uint32_t> to_u32(const std::vector<int64_t>& map) { return {map.begin(), map.end()}; }

void resize_nearest(const ResizeMode& mode, const Image& image, const float* in, float* out) {
  const kernels::ResizeShape& s = image.shape;
  const std::vector<uint32_t> rows = to_u32(nearest_indices(mode, image.height));
  const std::vector<uint32_t> columns = to_u32(nearest_indices(mode, image.width));
  const auto stride = static_cast<ptrdiff_t>(s.channels);
  parallel(s.batch * s.out_height, worth_a_thread(8 * s.out_width * s.channels), [&](size_t begin, size_t end, size_t) {
    kernels::resize_nearest(s, rows.data(), columns.data(), in, stride, out, stride, begin, end);
  });
}

std::vector<kernels::LinearTap> linear_taps(const ResizeMode& mode, const ResizeAxis& axis) {
  std::vector<kernels::LinearTap> out;
  if (!axis.resized) {
    for (uint32_t i = 0; i < static_cast<uint32_t>(axis.out); ++i) out.push_back({i, i, 0});
    return out;
  }
  const ResizeTaps taps = resize_taps(mode, axis);
  for (size_t i = 0; i + 1 < taps.index.size(); i += 2) {
    out.push_back({taps.index[i], taps.index[i + 1], taps.weight[i + 1]});
  }
  return out;
}

/// dst[rows, taps] from src[rows, columns].
void resize_columns(const std::vector<kernels::LinearTap>& taps, const float* src, size_t columns, float* dst,
                    size_t rows) {
  for (size_t row = 0; row < rows; ++row, src += columns) {
    for (const kernels::LinearTap& tap : taps) {
      *dst++ = src[tap.low] * (1 - tap.weight) + src[tap.high] * tap.weight;
    }
  }
}

void resize_linear(const ResizeMode& mode, const Image& image, const float* in, float* out, RunContext& c) {
  kernels::ResizeShape s = image.shape;
  const size_t lines = s.batch * s.out_height;
  const std::vector<kernels::LinearTap> rows = linear_taps(mode, image.height);
  const std::vector<kernels::LinearTap> columns = linear_taps(mode, image.width);
  if (s.channels > 1) {
    const auto stride = static_cast<ptrdiff_t>(s.channels);
    return parallel(lines, worth_a_thread(16 * s.out_width * s.channels), [&](size_t begin, size_t end, size_t) {
      kernels::resize_linear(s, rows.data(), columns.data(), in, stride, out, stride, begin, end);
    });
  }
  // The kernel works along channels. Without them it resizes the height with whole rows for channels, and the
  // width follows.
  const size_t width = s.in_width;
  float* tall = image.width.resized ? c.scratch<float>(lines * width) : out;
  s.channels = width;
  s.in_width = s.out_width = 1;
  const kernels::LinearTap only{0, 0, 0};
  const auto stride = static_cast<ptrdiff_t>(width);
  kernels::resize_linear(s, rows.data(), &only, in, stride, tall, stride, 0, lines);
  if (image.width.resized) resize_columns(columns, tall, width, out, lines);
}

}  // namespace

bool resize_image(const ResizeMode& mode, std::span<const ResizeAxis> axes, const Tensor& in, Tensor& out,
                  RunContext& c) {
  if (in.dtype() != DType::kFloat32 || mode.coordinates == Coordinates::kTfCropAndResize) return false;
  const std::optional<Image> image = as_image(axes);
  if (!image) return false;
  if (mode.interpolation == Interpolation::kNearest) {
    if (image->shape.channels == 1) return false;  // the kernel copies whole pixels
    resize_nearest(mode, *image, in.data<float>(), out.data<float>());
    return true;
  }
  if (mode.interpolation != Interpolation::kLinear || mode.antialias || mode.exclude_outside) return false;
  resize_linear(mode, *image, in.data<float>(), out.data<float>(), c);
  return true;
}

}  // namespace kinglet::ops
