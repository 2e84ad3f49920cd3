#include "kernels/pooling.hpp"

#include <algorithm>
#include <limits>

#include "kernels/geometry.hpp"
#include "kernels/simd.hpp"

namespace kinglet::kernels {
namespace {

using simd::f32x4;

/// Taps [first, last) of one dimension that lie in [low, high) of the input.
struct Taps {
  ptrdiff_t first, last;
  ptrdiff_t start;  ///< input position of tap 0

  Taps(const Geometry& g, size_t dim, ptrdiff_t position, ptrdiff_t low, ptrdiff_t high) {
    start = position * g.stride[dim] - g.pad[dim];
    first = std::clamp<ptrdiff_t>(ceil_div(low - start, g.dilation[dim]), 0, g.kernel[dim]);
    last = std::clamp<ptrdiff_t>(ceil_div(high - start, g.dilation[dim]), first, g.kernel[dim]);
  }

  ptrdiff_t count() const { return last - first; }
};

/// The part of the input under the window of one output pixel.
struct Window {
  const Geometry& g;
  const float* image;
  ptrdiff_t stride;
  Taps z, y, x;

  ptrdiff_t count() const { return z.count() * y.count() * x.count(); }

  /// acc[v] = f(acc[v], input) over all taps, for V vectors of channels from c; the last vector has `lanes`.
  template <size_t V, class F>
  inline __attribute__((always_inline)) void fold(f32x4 (&acc)[V], size_t c, size_t lanes, F f) const {
    for (ptrdiff_t kz = z.first; kz < z.last; ++kz) {
      for (ptrdiff_t ky = y.first; ky < y.last; ++ky) {
        const ptrdiff_t line = (z.start + kz * g.dilation[0]) * g.in[1] + y.start + ky * g.dilation[1];
        const float* p = image + (line * g.in[2] + x.start + x.first * g.dilation[2]) * stride + c;
        for (ptrdiff_t kx = x.first; kx < x.last; ++kx, p += g.dilation[2] * stride) {
          for (size_t v = 0; v < V; ++v) {
            acc[v] = f(acc[v], simd::load_partial(p + v * simd::kLanes, v + 1 < V ? simd::kLanes : lanes));
          }
        }
      }
    }
  }
};

/// pool_pixel() of less channels than a vector has lanes.
template <class F, class End>
KINGLET_APART void pool_pixel_of_few(const Window& window, size_t channels, f32x4 initial, float* out, F f, End end) {
  f32x4 acc[1] = {initial};
  window.fold(acc, 0, channels, f);
  simd::store_partial(out, end(acc[0]), channels);
}

/// out[c] = end(fold of f over the window) for all channels, four of them at least. The last vector overlaps the one before
/// it where they are no whole number of vectors.
template <class F, class End>
KINGLET_APART void pool_pixel_of_many(const Window& window, size_t channels, f32x4 initial, float* out, F f, End end) {
  constexpr size_t kWide = 4;
  size_t c = 0;
  for (; c + kWide * simd::kLanes <= channels; c += kWide * simd::kLanes) {
    f32x4 acc[kWide] = {initial, initial, initial, initial};
    window.fold(acc, c, simd::kLanes, f);
    for (size_t v = 0; v < kWide; ++v) simd::store(out + c + v * simd::kLanes, end(acc[v]));
  }
  for (; c < channels; c += simd::kLanes) {
    const size_t at = std::min(c, channels - simd::kLanes);
    f32x4 acc[1] = {initial};
    window.fold(acc, at, simd::kLanes, f);
    simd::store(out + at, end(acc[0]));
  }
}

template <class F, class End>
void pool_pixel(const Window& window, size_t channels, f32x4 initial, float* out, F f, End end) {
  if (channels < simd::kLanes) return pool_pixel_of_few(window, channels, initial, out, f, end);
  pool_pixel_of_many(window, channels, initial, out, f, end);
}

/// Calls f(window, output line, output column) for the pixels of lines [begin, end).
template <class F>
void for_each_pixel(const Geometry& g, const float* input, ptrdiff_t input_stride, size_t begin, size_t end,
                    F f) {
  for (size_t index = begin; index < end; ++index) {
    const Line line(g, index);
    const Taps z(g, 0, line.z, 0, g.in[0]), y(g, 1, line.y, 0, g.in[1]);
    const float* const image = input + line.image * g.in_pixels() * input_stride;
    for (ptrdiff_t column = 0; column < g.out[2]; ++column) {
      f(Window{g, image, input_stride, z, y, Taps(g, 2, column, 0, g.in[2])}, line, column,
        static_cast<ptrdiff_t>(index) * g.out[2] + column);
    }
  }
}

/// to[c] = f(to[c], fold over the rows of `from`)
template <class F>
KINGLET_APART void fold_rows(const float* from, ptrdiff_t stride, size_t rows, float* to, size_t columns, float initial, F f) {
  simd::for_vectors(columns, [&](size_t c, size_t lanes) KINGLET_INLINE_LAMBDA {
    f32x4 acc = simd::splat(initial);
    const float* row = from + c;
    for (size_t i = 0; i < rows; ++i, row += stride) acc = f(acc, simd::load_partial(row, lanes));
    simd::store_partial(to + c, f(simd::load_partial(to + c, lanes), acc), lanes);
  });
}

/// y[b, c] = fold of f over the pixels of x[b, :, c]. Parts of kPart pixels, and of these kPart again: they
/// stay in the first cache while the channels pass over them, and a running sum over a large image would lose
/// three of seven digits (a gate made of it carries that error to every pixel).
template <class F>
void pool_all(const float* x, ptrdiff_t x_stride, float* y, size_t batch, size_t pixels, size_t channels,
              float initial, F f) {
  constexpr size_t kPart = 64, kGroup = 256;
  float parts[kGroup];
  for (size_t b = 0; b < batch; ++b, x += static_cast<ptrdiff_t>(pixels) * x_stride, y += channels) {
    std::fill_n(y, channels, initial);
    for (size_t group = 0; group < channels; group += kGroup) {
      const size_t columns = std::min(kGroup, channels - group);
      for (size_t p = 0; p < pixels;) {
        std::fill_n(parts, columns, initial);
        for (const size_t end = std::min(pixels, p + kPart * kPart); p < end;) {
          const size_t rows = std::min(kPart, end - p);
          fold_rows(x + static_cast<ptrdiff_t>(p) * x_stride + group, x_stride, rows, parts, columns, initial, f);
          p += rows;
        }
        fold_rows(parts, 0, 1, y + group, columns, initial, f);
      }
    }
  }
}

}  // namespace

size_t output_lines(const PoolShape& shape) {
  const Geometry g(shape);
  return shape.batch * static_cast<size_t>(g.out[0] * g.out[1]);
}

void max_pool(const PoolShape& shape, const float* input, ptrdiff_t input_stride, float* output,
              ptrdiff_t output_stride, size_t begin, size_t end) {
  const Geometry g(shape);
  const f32x4 least = simd::splat(-std::numeric_limits<float>::infinity());
  for_each_pixel(
      g, input, input_stride, begin, end, [&](const Window& window, const Line&, ptrdiff_t, ptrdiff_t pixel) {
        pool_pixel(
            window, shape.channels, least, output + pixel * output_stride,
            [](f32x4 acc, f32x4 v) { return simd::clamp_below(acc, v); }, [](f32x4 acc) { return acc; });
      });
}

void average_pool(const PoolShape& shape, bool count_include_pad, const float* input, ptrdiff_t input_stride,
                  float* output, ptrdiff_t output_stride, size_t begin, size_t end) {
  const Geometry g(shape);
  Geometry::Sizes padded_end = g.in;
  for (size_t i = 0; i < shape.rank; ++i) padded_end[kMaxSpatialRank - shape.rank + i] += shape.pad_end[i];
  const auto padded_taps = [&](size_t dim, ptrdiff_t position) {
    return Taps(g, dim, position, -g.pad[dim], padded_end[dim]).count();
  };
  for_each_pixel(g, input, input_stride, begin, end,
                 [&](const Window& window, const Line& line, ptrdiff_t column, ptrdiff_t pixel) {
                   const ptrdiff_t count =
                       count_include_pad
                           ? padded_taps(0, line.z) * padded_taps(1, line.y) * padded_taps(2, column)
                           : window.count();
                   const f32x4 divisor = simd::splat(static_cast<float>(std::max<ptrdiff_t>(count, 1)));
                   pool_pixel(
                       window, shape.channels, f32x4{}, output + pixel * output_stride,
                       [](f32x4 acc, f32x4 v) { return acc + v; }, [&](f32x4 acc) { return acc / divisor; });
                 });
}

void global_max_pool(const float* x, ptrdiff_t x_stride, float* y, size_t batch, size_t pixels,
                     size_t channels) {
  pool_all(x, x_stride, y, batch, pixels, channels, -std::numeric_limits<float>::infinity(),
           [](f32x4 acc, f32x4 v) { return simd::clamp_below(acc, v); });
}

void global_average_pool(const float* x, ptrdiff_t x_stride, float* y, size_t batch, size_t pixels,
                         size_t channels) {
  pool_all(x, x_stride, y, batch, pixels, channels, 0.0f, [](f32x4 acc, f32x4 v) { return acc + v; });
  for (size_t i = 0; i < batch * channels; ++i) y[i] /= static_cast<float>(pixels);
}

}  // namespace kinglet::kernels
