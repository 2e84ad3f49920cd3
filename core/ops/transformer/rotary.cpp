#include "ops/transformer/rotary.hpp"

#include <algorithm>

#include "ops/in_f32.hpp"

namespace kinglet::ops {
namespace {

void rotate_row(const Rotary& rotary, const float* cos, const float* sin, size_t size, const float* x,
                float* y) {
  const size_t next = rotary.interleaved ? 1 : rotary.half, step = rotary.interleaved ? 2 : 1;
  for (size_t i = 0; i < rotary.half; ++i) {
    const float a = x[i * step], b = x[i * step + next];
    y[i * step] = a * cos[i] - b * sin[i];
    y[i * step + next] = a * sin[i] + b * cos[i];
  }
  if (y != x) std::copy(x + 2 * rotary.half, x + size, y + 2 * rotary.half);
}

}  // namespace

Rotary rotary_of(RunContext& c, const Tensor& cos, const Tensor& sin, size_t size, bool interleaved) {
  const bool fits =
      cos.rank() >= 2 && cos.shape() == sin.shape() && static_cast<size_t>(cos.shape().back()) <= size / 2;
  c.require(fits, "caches {} and {} do not turn heads of {}", cos.shape(), sin.shape(), size);
  return {as_f32(c, cos), as_f32(c, sin), static_cast<size_t>(cos.shape().back()), interleaved};
}

void check_rows(std::span<const int64_t> positions, int64_t rows) {
  for (const int64_t p : positions)
    Requires::require(p >= 0 && p < rows, "position {} is outside of the {} rows", p, rows);
}

void rotate(const Rotary& rotary, std::span<const int64_t> positions, size_t batch, size_t heads, size_t rows,
            size_t size, const float* x, const HeadStrides& x_at, float* y, const HeadStrides& y_at) {
  const auto offset = [](const HeadStrides& at, size_t b, size_t h, size_t r) {
    return static_cast<ptrdiff_t>(b) * at.batch + static_cast<ptrdiff_t>(h) * at.head +
           static_cast<ptrdiff_t>(r) * at.row;
  };
  for (size_t b = 0; b < batch; ++b) {
    for (size_t r = 0; r < rows; ++r) {
      const size_t angles = static_cast<size_t>(positions[b * rows + r]) * rotary.half;
      for (size_t h = 0; h < heads; ++h) {
        rotate_row(rotary, rotary.cos + angles, rotary.sin + angles, size, x + offset(x_at, b, h, r),
                   y + offset(y_at, b, h, r));
      }
    }
  }
}

}  // namespace kinglet::ops
