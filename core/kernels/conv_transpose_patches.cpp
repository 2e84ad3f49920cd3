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

struct Call {
  const ConvShape& shape;
  const Geometry& g;
  const float* input;
  ptrdiff_t input_stride;
  const float* packed_weights;
  float* output;
  ptrdiff_t output_stride;
  const Epilogue& epilogue;  ///< of the whole operator
  Epilogue product;          ///< the part of it that the product does
  float* patches;            ///< [kPatchBlock, patch_size]
};

/// Sets output pixels [first, last), which no patch covers.
void blank(const Call& call, ptrdiff_t first, ptrdiff_t last) {
  for (ptrdiff_t pixel = first; pixel < last; ++pixel) {
    float* const out = call.output + pixel * call.output_stride;
    for (size_t c = 0; c < call.shape.out_channels; ++c) {
      out[c] = call.epilogue.bias != nullptr ? call.epilogue.bias[c] : 0.0f;
    }
    apply(call.product.activation, out, call.shape.out_channels);
  }
}

/// Adds the residual to output pixels [first, last) and ends them with the activation.
void finish_pixels(const Call& call, ptrdiff_t first, ptrdiff_t last) {
  for (ptrdiff_t pixel = first; pixel < last; ++pixel) {
    float* const out = call.output + pixel * call.output_stride;
    const float* const residual = call.epilogue.residual + pixel * call.epilogue.residual_stride;
    for (size_t c = 0; c < call.shape.out_channels; ++c) out[c] += residual[c];
    apply(call.epilogue.activation, out, call.shape.out_channels);
  }
}

/// Output columns [first, last) of every line are covered by patches.
struct Covered {
  ptrdiff_t first, last;

  explicit Covered(const Geometry& g)
      : first(std::clamp<ptrdiff_t>(-g.pad[2], 0, g.out[2])),
        last(std::clamp<ptrdiff_t>(g.in[2] * g.stride[2] - g.pad[2], first, g.out[2])) {}
};

/// Copies kernel row `row` of `count` patches, which begin at output column `column`, to the line at pixel
/// `line_start`.
void copy_kernel_row(const Call& call, const Covered& covered, ptrdiff_t row, ptrdiff_t count,
                     ptrdiff_t column, ptrdiff_t line_start) {
  const Geometry& g = call.g;
  const auto patch = static_cast<ptrdiff_t>(patch_size(call.shape, g));
  const ptrdiff_t width = g.kernel[2], taps = g.taps();
  const auto channels = static_cast<ptrdiff_t>(call.shape.out_channels);
  const float* from = call.patches + row * width;
  for (ptrdiff_t i = 0; i < count; ++i, from += patch) {
    for (ptrdiff_t x = 0; x < width; ++x, ++column) {
      if (column < covered.first || column >= covered.last) continue;
      float* const out = call.output + (line_start + column) * call.output_stride;
      for (ptrdiff_t c = 0; c < channels; ++c) out[c] = from[c * taps + x];
    }
  }
}

/// The `lines` output lines from `index` on, all under the kernel rows from `row` on of the input line that
/// begins at pixel `input_start`.
void cover_lines(const Call& call, const Covered& covered, size_t index, ptrdiff_t lines,
                 ptrdiff_t input_start, ptrdiff_t row) {
  const Geometry& g = call.g;
  const auto patch = static_cast<ptrdiff_t>(patch_size(call.shape, g));
  constexpr auto kBlock = static_cast<ptrdiff_t>(kPatchBlock);
  const ptrdiff_t first = (covered.first + g.pad[2]) / g.stride[2];
  const ptrdiff_t last = ceil_div(covered.last + g.pad[2], g.stride[2]);
  for (ptrdiff_t column = first; column < last; column += kBlock) {
    const ptrdiff_t count = std::min(kBlock, last - column);
    gemm(static_cast<size_t>(count), static_cast<size_t>(patch), call.shape.in_channels,
         call.input + (input_start + column) * call.input_stride, call.input_stride, call.packed_weights,
         call.patches, patch, call.product);
    for (ptrdiff_t i = 0; i < lines; ++i) {
      copy_kernel_row(call, covered, row + i, count, column * g.stride[2] - g.pad[2],
                      (static_cast<ptrdiff_t>(index) + i) * g.out[2]);
    }
  }
}

}  // namespace

bool makes_patches(const ConvShape& shape) {
  const Geometry g(shape);
  for (size_t i = 0; i < kMaxSpatialRank; ++i) {
    if (g.kernel[i] != g.stride[i] || (g.dilation[i] != 1 && g.kernel[i] != 1)) return false;
  }
  return shape.groups == 1 && packed_columns(patch_size(shape, g)) <
                                  static_cast<size_t>(g.taps()) * packed_columns(shape.out_channels);
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
  const size_t patch = patch_size(shape, g);
  auto* const patches = static_cast<float*>(scratch);
  Call call{shape, g, input, input_stride, packed_weights, output, output_stride, epilogue, {}, patches};
  if (epilogue.bias != nullptr) {
    float* const bias = patches + kPatchBlock * patch;
    for (size_t i = 0; i < patch; ++i) bias[i] = epilogue.bias[i / static_cast<size_t>(g.taps())];
    call.product.bias = bias;
  }
  // A residual comes between the product and the activation.
  if (epilogue.residual == nullptr) call.product.activation = epilogue.activation;

  const Covered covered(g);
  ptrdiff_t lines = 1;
  for (size_t index = begin; index < end; index += static_cast<size_t>(lines)) {
    const Line line(g, index);
    const ptrdiff_t z = line.z + g.pad[0], y = line.y + g.pad[1];
    const ptrdiff_t line_start = static_cast<ptrdiff_t>(index) * g.out[2];
    if (z < 0 || y < 0 || z >= g.in[0] * g.stride[0] || y >= g.in[1] * g.stride[1]) {
      lines = 1;
      blank(call, line_start, line_start + g.out[2]);
    } else {
      // One input line gives all of these.
      lines =
          std::min({static_cast<ptrdiff_t>(end - index), g.stride[1] - y % g.stride[1], g.out[1] - line.y});
      const ptrdiff_t input_line = (line.image * g.in[0] + z / g.stride[0]) * g.in[1] + y / g.stride[1];
      cover_lines(call, covered, index, lines, input_line * g.in[2],
                  z % g.stride[0] * g.kernel[1] + y % g.stride[1]);
      for (ptrdiff_t i = 0; i < lines; ++i) {
        const ptrdiff_t start = line_start + i * g.out[2];
        blank(call, start, start + covered.first);
        blank(call, start + covered.last, start + g.out[2]);
      }
    }
    if (epilogue.residual != nullptr) finish_pixels(call, line_start, line_start + lines * g.out[2]);
  }
}

}  // namespace kinglet::kernels
