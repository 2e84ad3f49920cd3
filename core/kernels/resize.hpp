#pragma once
// Resize of channels-last f32 images along two dimensions, [batch, height, width, channels]. The caller turns
// ONNX's coordinate modes into one table a dimension; every index lies inside the input.

#include <cstddef>
#include <cstdint>

namespace kinglet::kernels {

/// out = in[low] * (1 - weight) + in[high] * weight
struct LinearTap {
  uint32_t low;
  uint32_t high;
  float weight;
};

struct ResizeShape {
  size_t batch = 1;
  size_t channels = 0;
  size_t in_height = 0, in_width = 0;
  size_t out_height = 0, out_width = 0;
};

/// rows[out_height] and columns[out_width] name the input row and column of each output one. Output lines
/// [begin, end) of batch * out_height.
void resize_nearest(const ResizeShape& shape, const uint32_t* rows, const uint32_t* columns,
                    const float* input, ptrdiff_t input_stride, float* output, ptrdiff_t output_stride,
                    size_t begin, size_t end);

void resize_linear(const ResizeShape& shape, const LinearTap* rows, const LinearTap* columns,
                   const float* input, ptrdiff_t input_stride, float* output, ptrdiff_t output_stride,
                   size_t begin, size_t end);

}  // namespace kinglet::kernels
