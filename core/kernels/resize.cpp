#include "kernels/resize.hpp"

#include <algorithm>

#include "kernels/simd.hpp"

namespace kinglet::kernels {
namespace {

using simd::f32x4;

/// Input row `row` of the image that output line `index` belongs to.
const float* input_row(const ResizeShape& s, const float* input, ptrdiff_t stride, size_t index, size_t row) {
  const size_t line = index / s.out_height * s.in_height + row;
  return input + static_cast<ptrdiff_t>(line * s.in_width) * stride;
}

}  // namespace

void resize_nearest(const ResizeShape& shape, const uint32_t* rows, const uint32_t* columns,
                    const float* input, ptrdiff_t input_stride, float* output, ptrdiff_t output_stride,
                    size_t begin, size_t end) {
  float* out = output + static_cast<ptrdiff_t>(begin * shape.out_width) * output_stride;
  for (size_t index = begin; index < end; ++index) {
    const float* const row = input_row(shape, input, input_stride, index, rows[index % shape.out_height]);
    for (size_t column = 0; column < shape.out_width; ++column, out += output_stride) {
      std::copy_n(row + static_cast<ptrdiff_t>(columns[column]) * input_stride, shape.channels, out);
    }
  }
}

void resize_linear(const ResizeShape& shape, const LinearTap* rows, const LinearTap* columns,
                   const float* input, ptrdiff_t input_stride, float* output, ptrdiff_t output_stride,
                   size_t begin, size_t end) {
  float* out = output + static_cast<ptrdiff_t>(begin * shape.out_width) * output_stride;
  for (size_t index = begin; index < end; ++index) {
    const LinearTap row = rows[index % shape.out_height];
    const float* const low = input_row(shape, input, input_stride, index, row.low);
    const float* const high = input_row(shape, input, input_stride, index, row.high);
    const f32x4 row_weight = simd::splat(row.weight);
    for (size_t column = 0; column < shape.out_width; ++column, out += output_stride) {
      const LinearTap tap = columns[column];
      const ptrdiff_t left = static_cast<ptrdiff_t>(tap.low) * input_stride;
      const ptrdiff_t right = static_cast<ptrdiff_t>(tap.high) * input_stride;
      const f32x4 weight = simd::splat(tap.weight);
      simd::for_vectors(shape.channels, [&](size_t c, size_t lanes) KINGLET_INLINE_LAMBDA {
        const auto blend = [&](const float* line) KINGLET_INLINE_LAMBDA {
          const f32x4 a = simd::load_partial(line + left + static_cast<ptrdiff_t>(c), lanes);
          const f32x4 b = simd::load_partial(line + right + static_cast<ptrdiff_t>(c), lanes);
          return a * (simd::splat(1.0f) - weight) + b * weight;
        };
        const f32x4 top = blend(low), bottom = blend(high);
        simd::store_partial(out + c, top * (simd::splat(1.0f) - row_weight) + bottom * row_weight, lanes);
      });
    }
  }
}

}  // namespace kinglet::kernels
