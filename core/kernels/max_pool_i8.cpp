#include "kernels/max_pool_i8.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/inlining.hpp"
#include "kernels/geometry.hpp"

namespace kinglet::kernels {
namespace {

constexpr size_t kBytes = 16;

/// The taps of a window along one dimension that are inside the input.
struct Taps {
  ptrdiff_t first, end;

  Taps(const Geometry& g, size_t dim, ptrdiff_t out) {
    const ptrdiff_t start = out * g.stride[dim] - g.pad[dim], step = g.dilation[dim];
    end = std::clamp<ptrdiff_t>(ceil_div(g.in[dim] - start, step), 0, g.kernel[dim]);
    first = std::clamp<ptrdiff_t>(ceil_div(-start, step), 0, end);
  }
};

/// y[c] = the greater of it and x[c].
template <class Code>
KINGLET_APART void raise_to(const Code* x, Code* y, size_t n) {
  using Vector [[gnu::vector_size(kBytes)]] = Code;
  size_t c = 0;
  for (; c + kBytes <= n; c += kBytes) {
    Vector a, b;
    std::memcpy(&a, x + c, kBytes);
    std::memcpy(&b, y + c, kBytes);
    a = a > b ? a : b;
    std::memcpy(y + c, &a, kBytes);
  }
  for (; c < n; ++c) y[c] = std::max(y[c], x[c]);
}

template <class Code>
void max_pool(const PoolShape& shape, const Code* x, Code* y) {
  const Geometry g(shape);
  const size_t channels = shape.channels;
  const size_t pixels = shape.batch * static_cast<size_t>(g.out[0] * g.out[1] * g.out[2]);
  for (size_t pixel = 0; pixel < pixels; ++pixel, y += channels) {
    const auto width = static_cast<size_t>(g.out[2]);
    const Line line(g, pixel / width);
    const auto column = static_cast<ptrdiff_t>(pixel % width);
    const Taps tz(g, 0, line.z), ty(g, 1, line.y), tx(g, 2, column);
    std::fill_n(y, channels, std::numeric_limits<Code>::lowest());
    for (ptrdiff_t z = tz.first; z < tz.end; ++z) {
      for (ptrdiff_t row = ty.first; row < ty.end; ++row) {
        const ptrdiff_t start = input_line(g, line, z, row) + column * g.stride[2] - g.pad[2];
        for (ptrdiff_t k = tx.first; k < tx.end; ++k) {
          raise_to(x + static_cast<size_t>(start + k * g.dilation[2]) * channels, y, channels);
        }
      }
    }
  }
}

}  // namespace

void max_pool_i8(const PoolShape& shape, Codes input, void* output) {
  if (input.is_signed) return max_pool(shape, static_cast<const int8_t*>(input.data), static_cast<int8_t*>(output));
  max_pool(shape, static_cast<const uint8_t*>(input.data), static_cast<uint8_t*>(output));
}

}  // namespace kinglet::kernels
