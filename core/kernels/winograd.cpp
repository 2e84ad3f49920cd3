#include "kernels/winograd.hpp"

#include <algorithm>
#include <vector>

#include "kernels/finish.hpp"
#include "kernels/simd.hpp"

namespace kinglet::kernels {
namespace {

using simd::f32x4;

/// Products of one tile: 4x4 transformed positions.
constexpr size_t kPositions = 16;
/// Transformed inputs and products of a block of tiles together: they stay in the second cache.
constexpr size_t kBlockFloats = size_t{128} << 10;

size_t tiles_of(size_t pixels) { return (pixels + 1) / 2; }

size_t block_tiles(const ConvShape& shape) {
  const size_t fit = kBlockFloats / (kPositions * (shape.in_channels + shape.out_channels));
  return std::clamp<size_t>(fit / 4 * 4, 8, 256);
}

/// G g: the three rows of a filter's column become four.
void transform_filter_line(const float* g, ptrdiff_t stride, float* out, ptrdiff_t out_stride) {
  const float a = g[0], b = g[stride], c = g[2 * stride];
  out[0] = a;
  out[out_stride] = 0.5f * (a + b + c);
  out[2 * out_stride] = 0.5f * (a - b + c);
  out[3 * out_stride] = c;
}

f32x4 load_some(const float* p, size_t lanes) { return lanes == 4 ? simd::load(p) : simd::load_partial(p, lanes); }
void store_some(float* p, f32x4 v, size_t lanes) {
  if (lanes == 4) {
    simd::store(p, v);
  } else {
    simd::store_partial(p, v, lanes);
  }
}

/// B' d B over `channels`: pixel i of the 4x4 patch lies at patch[i], position i of the result at out + i * plane.
void transform_input(const float* const (&patch)[kPositions], float* out, size_t plane, size_t channels) {
  for (size_t c = 0; c < channels; c += 4) {
    const size_t lanes = std::min<size_t>(4, channels - c);
    f32x4 t[kPositions];
    for (size_t j = 0; j < 4; ++j) {
      const f32x4 d0 = load_some(patch[j] + c, lanes), d1 = load_some(patch[4 + j] + c, lanes);
      const f32x4 d2 = load_some(patch[8 + j] + c, lanes), d3 = load_some(patch[12 + j] + c, lanes);
      t[j] = d0 - d2;
      t[4 + j] = d1 + d2;
      t[8 + j] = d2 - d1;
      t[12 + j] = d1 - d3;
    }
    float* to = out + c;
    for (size_t i = 0; i < 4; ++i, to += 4 * plane) {
      const f32x4* r = t + 4 * i;
      store_some(to, r[0] - r[2], lanes);
      store_some(to + plane, r[1] + r[2], lanes);
      store_some(to + 2 * plane, r[2] - r[1], lanes);
      store_some(to + 3 * plane, r[1] - r[3], lanes);
    }
  }
}

/// The 2x2 output pixels of a tile; null where they lie outside of the image.
struct TileOutput {
  float* pixel[4];
  const float* residual[4];
};

/// A' m A, then bias, residual and what `end` does.
void transform_output(const float* products, size_t plane, size_t channels, const TileOutput& tile, const float* bias,
                      const Finish& end) {
  for (size_t c = 0; c < channels; c += 4) {
    const size_t lanes = std::min<size_t>(4, channels - c);
    f32x4 upper[4], lower[4];
    for (size_t j = 0; j < 4; ++j) {
      const float* m = products + j * plane + c;
      const f32x4 m0 = load_some(m, lanes), m1 = load_some(m + 4 * plane, lanes);
      const f32x4 m2 = load_some(m + 8 * plane, lanes), m3 = load_some(m + 12 * plane, lanes);
      upper[j] = m0 + m1 + m2;
      lower[j] = m1 - m2 - m3;
    }
    const f32x4 b = bias != nullptr ? load_some(bias + c, lanes) : f32x4{};
    f32x4 y[4] = {upper[0] + upper[1] + upper[2] + b, upper[1] - upper[2] - upper[3] + b,
                  lower[0] + lower[1] + lower[2] + b, lower[1] - lower[2] - lower[3] + b};
    for (size_t i = 0; i < 4; ++i) {
      if (tile.residual[i] != nullptr) y[i] = y[i] + load_some(tile.residual[i] + c, lanes);
    }
    finish(end, y);
    for (size_t i = 0; i < 4; ++i) {
      if (tile.pixel[i] != nullptr) store_some(tile.pixel[i] + c, y[i], lanes);
    }
  }
}

/// Where the tiles of a convolution lie.
class Tiles {
 public:
  explicit Tiles(const ConvShape& shape)
      : shape_(shape), rows_(tiles_of(shape.out[0])), columns_(tiles_of(shape.out[1])) {}

  void patch(size_t tile, const float* input, ptrdiff_t stride, const float* zeros, const float* (&out)[kPositions]) const {
    const Place at = place(tile);
    const auto height = static_cast<ptrdiff_t>(shape_.in[0]), width = static_cast<ptrdiff_t>(shape_.in[1]);
    for (ptrdiff_t i = 0; i < 4; ++i) {
      const ptrdiff_t y = static_cast<ptrdiff_t>(at.y) - shape_.pad_begin[0] + i;
      for (ptrdiff_t j = 0; j < 4; ++j) {
        const ptrdiff_t x = static_cast<ptrdiff_t>(at.x) - shape_.pad_begin[1] + j;
        const bool inside = y >= 0 && y < height && x >= 0 && x < width;
        out[i * 4 + j] = inside ? input + ((static_cast<ptrdiff_t>(at.image) * height + y) * width + x) * stride : zeros;
      }
    }
  }

  TileOutput output(size_t tile, float* output, ptrdiff_t stride, const float* residual, ptrdiff_t residual_stride) const {
    const Place at = place(tile);
    TileOutput out = {};
    for (size_t i = 0; i < 4; ++i) {
      const size_t y = at.y + i / 2, x = at.x + i % 2;
      if (y >= shape_.out[0] || x >= shape_.out[1]) continue;
      const auto pixel = static_cast<ptrdiff_t>((at.image * shape_.out[0] + y) * shape_.out[1] + x);
      out.pixel[i] = output + pixel * stride;
      out.residual[i] = residual != nullptr ? residual + pixel * residual_stride : nullptr;
    }
    return out;
  }

 private:
  struct Place {
    size_t image, y, x;  // of the first output pixel
  };
  Place place(size_t tile) const {
    return {tile / (rows_ * columns_), tile / columns_ % rows_ * 2, tile % columns_ * 2};
  }
  const ConvShape& shape_;
  size_t rows_, columns_;
};

}  // namespace

bool prefers_winograd(const ConvShape& s) {
  const bool fits = s.rank == 2 && s.groups == 1 && s.kernel[0] == 3 && s.kernel[1] == 3 && s.stride[0] == 1 &&
                    s.stride[1] == 1 && s.dilation[0] == 1 && s.dilation[1] == 1;
  // Few channels do not pay for the transforms; many would make the packed weights, 16 / 9 of the given ones, too large.
  return fits && s.in_channels >= 16 && s.out_channels >= 16 && s.in_channels <= 512 && s.out_channels <= 512 &&
         s.in_channels * s.out_channels <= size_t{256} * 256;
}

size_t output_tiles(const ConvShape& shape) { return shape.batch * tiles_of(shape.out[0]) * tiles_of(shape.out[1]); }

size_t packed_winograd_weights_size(const ConvShape& shape) {
  return kPositions * packed_b_size(shape.in_channels, shape.out_channels);
}

void pack_winograd_weights(float* packed, const ConvShape& shape, const float* weights) {
  const size_t in = shape.in_channels, out = shape.out_channels, each = packed_b_size(in, out);
  // One position at a time keeps the temporary copy small.
  std::vector<float> matrix(in * out);
  for (size_t position = 0; position < kPositions; ++position) {
    for (size_t m = 0; m < out; ++m) {
      for (size_t c = 0; c < in; ++c) {
        float half[12], whole[kPositions];
        const float* g = weights + (m * in + c) * 9;
        for (ptrdiff_t j = 0; j < 3; ++j) transform_filter_line(g + j, 3, half + j, 3);
        for (ptrdiff_t i = 0; i < 4; ++i) transform_filter_line(half + 3 * i, 1, whole + 4 * i, 1);
        matrix[c * out + m] = whole[position];
      }
    }
    pack_b(packed + position * each, in, out, matrix.data(), static_cast<ptrdiff_t>(out), 1);
  }
}

size_t winograd_scratch_bytes(const ConvShape& shape) {
  const size_t floats = block_tiles(shape) * kPositions * (shape.in_channels + shape.out_channels) + (shape.in_channels + 3) / 4 * 4;
  return floats * sizeof(float);
}

void winograd(const ConvShape& shape, const float* input, ptrdiff_t input_stride, const float* packed_weights,
              float* output, ptrdiff_t output_stride, const Epilogue& epilogue, void* scratch, size_t begin, size_t end) {
  const size_t in = shape.in_channels, out = shape.out_channels, block = block_tiles(shape);
  const Tiles tiles(shape);
  auto* const zeros = static_cast<float*>(scratch);
  float* const transformed = zeros + (in + 3) / 4 * 4;
  float* const products = transformed + block * kPositions * in;
  std::fill_n(zeros, in, 0.0f);
  const Finish finish_of = make_finish(epilogue.activation);
  for (size_t start = begin; start < end; start += block) {
    const size_t count = std::min(block, end - start);
    for (size_t t = 0; t < count; ++t) {
      const float* patch[kPositions];
      tiles.patch(start + t, input, input_stride, zeros, patch);
      transform_input(patch, transformed + t * in, count * in, in);
    }
    for (size_t position = 0; position < kPositions; ++position) {
      gemm(count, out, in, transformed + position * count * in, static_cast<ptrdiff_t>(in),
           packed_weights + position * packed_b_size(in, out), products + position * count * out, static_cast<ptrdiff_t>(out));
    }
    for (size_t t = 0; t < count; ++t) {
      const TileOutput tile = tiles.output(start + t, output, output_stride, epilogue.residual, epilogue.residual_stride);
      transform_output(products + t * out, count * out, out, tile, epilogue.bias, finish_of);
      if (finishes_in_registers(epilogue.activation.kind)) continue;
      for (float* pixel : tile.pixel) {
        if (pixel != nullptr) apply(epilogue.activation, pixel, out);
      }
    }
  }
}

}  // namespace kinglet::kernels
