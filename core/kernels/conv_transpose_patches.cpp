#include "kernels/conv_transpose_patches.hpp"

#include <algorithm>

#include "kernels/gemm_block.hpp"
#include "kernels/geometry.hpp"

namespace kinglet::kernels {
namespace {

constexpr size_t kPatchBlock = 64;

/// Floats of a patch: output channels times kernel taps, in this order (that of the ONNX weights).
size_t patch_size(const ConvShape& shape, const Geometry& g) {
  return shape.out_channels * static_cast<size_t>(g.taps());
}

/// Copies one kernel row of patches to neighbouring places of an output line. `patches` and `output` are at the first tap
/// and the first pixel.
void copy_kernel_row(const Geometry& g, size_t channels, const float* patches, size_t count, size_t patch,
                     float* output, ptrdiff_t output_stride) {
  const auto width = static_cast<size_t>(g.kernel[2]);
  const auto taps = static_cast<size_t>(g.taps());
  for (size_t i = 0; i < count; ++i, patches += patch) {
    for (size_t x = 0; x < width; ++x, output += output_stride) {
      for (size_t c = 0; c < channels; ++c) output[c] = patches[c * taps + x];
    }
  }
}

/// Adds the residual to a run of pixels and ends it with the activation.
void finish_pixels(const Epilogue& epilogue, size_t channels, float* output, ptrdiff_t output_stride,
                   const float* residual, size_t count) {
  for (size_t i = 0; i < count; ++i, output += output_stride, residual += epilogue.residual_stride) {
    for (size_t c = 0; c < channels; ++c) output[c] += residual[c];
    apply(epilogue.activation, output, channels);
  }
}

}  // namespace

bool makes_patches(const ConvShape& shape) {
  const Geometry g(shape);
  for (size_t i = 0; i < kMaxSpatialRank; ++i) {
    if (g.kernel[i] != g.stride[i] || g.pad[i] != 0 || g.out[i] != g.in[i] * g.stride[i]) return false;
    if (g.dilation[i] != 1 && g.kernel[i] != 1) return false;
  }
  return shape.groups == 1 &&
         packed_columns(patch_size(shape, g)) < static_cast<size_t>(g.taps()) * packed_columns(shape.out_channels);
}

size_t packed_patch_weights_size(const ConvShape& shape) {
  return packed_b_size(shape.in_channels, patch_size(shape, Geometry(shape)));
}

void pack_patch_weights(float* packed, const ConvShape& shape, const float* weights) {
  const size_t patch = patch_size(shape, Geometry(shape));
  pack_b(packed, shape.in_channels, patch, weights, static_cast<ptrdiff_t>(patch), 1);
}

size_t patches_scratch_bytes(const ConvShape& shape) {
  return (kPatchBlock + 1) * patch_size(shape, Geometry(shape)) * sizeof(float);
}

void conv_transpose_patches(const ConvShape& shape, const float* input, ptrdiff_t input_stride,
                            const float* packed_weights, float* output, ptrdiff_t output_stride,
                            const Epilogue& epilogue, void* scratch, size_t begin, size_t end) {
  const Geometry g(shape);
  const size_t patch = patch_size(shape, g), channels = shape.out_channels;
  auto* const patches = static_cast<float*>(scratch);
  Epilogue product;
  if (epilogue.bias != nullptr) {
    float* const bias = patches + kPatchBlock * patch;
    for (size_t i = 0; i < patch; ++i) bias[i] = epilogue.bias[i / static_cast<size_t>(g.taps())];
    product.bias = bias;
  }
  // A residual comes between the product and the activation.
  if (epilogue.residual == nullptr) product.activation = epilogue.activation;

  size_t lines = 0;
  for (size_t index = begin; index < end; index += lines) {
    const Line line(g, index);
    const ptrdiff_t kz = line.z % g.stride[0], ky = line.y % g.stride[1];
    // The output lines from here on that the same input line gives.
    lines = std::min(end - index, static_cast<size_t>(g.stride[1] - ky));
    const ptrdiff_t from = ((line.image * g.in[0] + line.z / g.stride[0]) * g.in[1] + line.y / g.stride[1]) * g.in[2];
    for (ptrdiff_t column = 0; column < g.in[2]; column += static_cast<ptrdiff_t>(kPatchBlock)) {
      const size_t count = std::min(kPatchBlock, static_cast<size_t>(g.in[2] - column));
      gemm(count, patch, shape.in_channels, input + (from + column) * input_stride, input_stride, packed_weights, patches,
           static_cast<ptrdiff_t>(patch), product);
      for (size_t i = 0; i < lines; ++i) {
        const ptrdiff_t pixel = static_cast<ptrdiff_t>(index + i) * g.out[2] + column * g.stride[2];
        const ptrdiff_t tap = (kz * g.kernel[1] + ky + static_cast<ptrdiff_t>(i)) * g.kernel[2];
        float* const out = output + pixel * output_stride;
        copy_kernel_row(g, channels, patches + tap, count, patch, out, output_stride);
        if (epilogue.residual != nullptr) {
          finish_pixels(epilogue, channels, out, output_stride, epilogue.residual + pixel * epilogue.residual_stride,
                        count * static_cast<size_t>(g.stride[2]));
        }
      }
    }
  }
}

}  // namespace kinglet::kernels
