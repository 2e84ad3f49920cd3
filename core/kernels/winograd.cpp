#include "kernels/winograd.hpp"

#include <algorithm>

#include "kernels/finish.hpp"
#include "kernels/gemm_block.hpp"
#include "kernels/simd.hpp"

namespace kinglet::kernels {
namespace {

using simd::f32x4;

/// Up to this many pairs of channels tiles are 4x4, up to the second bound 2x2: at most 2 MB more for the
/// weights.
constexpr size_t kMostPairsOf4 = 128 * 128;
constexpr size_t kMostPairsOf2 = 256 * 256;
/// Transformed tiles and products of a block stay within about this much.
constexpr size_t kBlockBytes = 1 << 20;
constexpr size_t kMostBlockTiles = 11 * kTileRows;

/// One dimension of the transforms for M outputs of a filter of 3.
template <size_t M>
struct Transform;

template <>
struct Transform<2> {
  static constexpr size_t kSide = 4;
  static constexpr double kFilter[kSide][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};

  static inline void input(f32x4 (&d)[kSide]) {
    const f32x4 d1 = d[1];
    d[0] -= d[2];
    d[1] = d1 + d[2];
    d[2] -= d1;
    d[3] = d1 - d[3];
  }

  static inline void output(const f32x4 (&p)[kSide], f32x4 (&o)[2]) {
    o[0] = p[0] + p[1] + p[2];
    o[1] = p[1] - p[2] - p[3];
  }
};

constexpr double kSqrt2 = 1.41421356237309504880;

struct Table {
  float sqrt2 = static_cast<float>(kSqrt2), half_sqrt2 = static_cast<float>(kSqrt2 / 2);
  float quarter_sqrt2 = static_cast<float>(kSqrt2 / 4), double_sqrt2 = static_cast<float>(kSqrt2 * 2);
  float minus_five_halves = -2.5f, half = 0.5f, two = 2.0f;
};
constexpr Table kTable;

/// Points 0, +-sqrt(1/2), +-sqrt(2), infinity: less rounding than with 0, +-1, +-2.
template <>
struct Transform<4> {
  static constexpr size_t kSide = 6;
  static constexpr double kFilter[kSide][3] = {{1, 0, 0},
                                               {-2.0 / 3, -kSqrt2 / 3, -1.0 / 3},
                                               {-2.0 / 3, kSqrt2 / 3, -1.0 / 3},
                                               {1.0 / 6, kSqrt2 / 6, 1.0 / 3},
                                               {1.0 / 6, -kSqrt2 / 6, 1.0 / 3},
                                               {0, 0, 1}};

  static inline void input(f32x4 (&d)[kSide]) {
    const Table& k = simd::opaque(kTable);
    const f32x4 sqrt2 = simd::load_splat(&k.sqrt2), half_sqrt2 = simd::load_splat(&k.half_sqrt2);
    const f32x4 minus_five_halves = simd::load_splat(&k.minus_five_halves);
    const f32x4 d1 = d[1], d2 = d[2], d3 = d[3], d4 = d[4];
    d[0] = simd::madd(d2, minus_five_halves, d[0] + d4);
    d[5] = simd::madd(d3, minus_five_halves, d1 + d[5]);
    const f32x4 even1 = d4 - d2 * simd::load_splat(&k.two), odd1 = d3 * half_sqrt2 - d1 * sqrt2;
    d[1] = even1 + odd1;
    d[2] = even1 - odd1;
    const f32x4 even2 = d4 - d2 * simd::load_splat(&k.half), odd2 = d3 * sqrt2 - d1 * half_sqrt2;
    d[3] = even2 + odd2;
    d[4] = even2 - odd2;
  }

  static inline void output(const f32x4 (&p)[kSide], f32x4 (&o)[4]) {
    const Table& k = simd::opaque(kTable);
    const f32x4 sum1 = p[1] + p[2], difference1 = p[1] - p[2];
    const f32x4 sum2 = p[3] + p[4], difference2 = p[3] - p[4];
    o[0] = p[0] + sum1 + sum2;
    o[1] = simd::madd(difference1, simd::load_splat(&k.half_sqrt2), difference2 * simd::load_splat(&k.sqrt2));
    o[2] = simd::madd(sum1, simd::load_splat(&k.half), sum2 * simd::load_splat(&k.two));
    o[3] = simd::madd(difference1, simd::load_splat(&k.quarter_sqrt2),
                      simd::madd(difference2, simd::load_splat(&k.double_sqrt2), p[5]));
  }
};

constexpr size_t tiles_of(size_t pixels, size_t outputs) { return (pixels + outputs - 1) / outputs; }

size_t zero_floats(const ConvShape& shape) { return (shape.in_channels + 3) / 4 * 4; }

size_t tile_outputs(const ConvShape& shape) {
  return shape.in_channels * shape.out_channels <= kMostPairsOf4 ? 4 : 2;
}

/// Products of a tile a channel pair: as many matrices there are.
size_t matrices(const ConvShape& shape) { return (tile_outputs(shape) + 2) * (tile_outputs(shape) + 2); }

size_t block_tiles(const ConvShape& shape) {
  const size_t bytes = matrices(shape) * (shape.in_channels + shape.out_channels) * sizeof(float);
  return std::clamp<size_t>(kBlockBytes / bytes / kTileRows * kTileRows, 2 * kTileRows, kMostBlockTiles);
}

/// One call's arguments, and the block of tiles at work.
struct Call {
  const ConvShape& shape;
  const float* input;
  ptrdiff_t input_stride;
  float* output;
  ptrdiff_t output_stride;
  const Epilogue& epilogue;
  Finish end;
  const float* zeros;  ///< [in_channels]
  float* transformed;  ///< [matrices, tiles, in_channels]
  float* products;     ///< [matrices, tiles, out_channels]
  size_t tiles = 0;
};

/// The first output pixel of a tile.
struct Place {
  ptrdiff_t image, y, x;

  Place(const ConvShape& s, size_t tile, size_t outputs) {
    const size_t across = tiles_of(s.out[1], outputs), down = tiles_of(s.out[0], outputs);
    image = static_cast<ptrdiff_t>(tile / (across * down));
    y = static_cast<ptrdiff_t>(tile / across % down * outputs);
    x = static_cast<ptrdiff_t>(tile % across * outputs);
  }
};

/// A pixel's place in the batch, or -1 outside of the image.
ptrdiff_t pixel_at(const SpatialSizes& size, ptrdiff_t image, ptrdiff_t y, ptrdiff_t x) {
  const auto height = static_cast<ptrdiff_t>(size[0]), width = static_cast<ptrdiff_t>(size[1]);
  return y >= 0 && y < height && x >= 0 && x < width ? (image * height + y) * width + x : -1;
}

/// The input under a tile, transformed, to place `index` of the block.
template <size_t M>
void transform_input(const Call& call, const Place& tile, size_t index) {
  constexpr size_t kSide = Transform<M>::kSide;
  const ConvShape& s = call.shape;
  const float* from[kSide * kSide];
  for (size_t i = 0; i < kSide * kSide; ++i) {
    const ptrdiff_t pixel =
        pixel_at(s.in, tile.image, tile.y - s.pad_begin[0] + static_cast<ptrdiff_t>(i / kSide),
                 tile.x - s.pad_begin[1] + static_cast<ptrdiff_t>(i % kSide));
    from[i] = pixel < 0 ? call.zeros : call.input + pixel * call.input_stride;
  }
  float* const to = call.transformed + index * s.in_channels;
  const size_t matrix = call.tiles * s.in_channels;
  simd::for_vectors(s.in_channels, [&](size_t c, size_t lanes) KINGLET_INLINE_LAMBDA {
    f32x4 rows[kSide * kSide];
    for (size_t y = 0; y < kSide; ++y) {
      f32x4 d[kSide];
      for (size_t x = 0; x < kSide; ++x) d[x] = simd::load_partial(from[y * kSide + x] + c, lanes);
      Transform<M>::input(d);
      for (size_t x = 0; x < kSide; ++x) rows[y * kSide + x] = d[x];
    }
    for (size_t x = 0; x < kSide; ++x) {
      f32x4 d[kSide];
      for (size_t y = 0; y < kSide; ++y) d[y] = rows[y * kSide + x];
      Transform<M>::input(d);
      for (size_t y = 0; y < kSide; ++y) simd::store_partial(to + (y * kSide + x) * matrix + c, d[y], lanes);
    }
  });
}

/// The outputs of the block's tile `index`.
template <size_t M>
void transform_output(const Call& call, const Place& tile, size_t index) {
  constexpr size_t kSide = Transform<M>::kSide;
  const size_t channels = call.shape.out_channels;
  const Epilogue& e = call.epilogue;
  ptrdiff_t pixels[M * M];
  for (size_t i = 0; i < M * M; ++i) {
    pixels[i] = pixel_at(call.shape.out, tile.image, tile.y + static_cast<ptrdiff_t>(i / M),
                         tile.x + static_cast<ptrdiff_t>(i % M));
  }
  const float* const from = call.products + index * channels;
  const size_t matrix = call.tiles * channels;
  simd::for_vectors(channels, [&](size_t c, size_t lanes) KINGLET_INLINE_LAMBDA {
    f32x4 rows[M][kSide];
    for (size_t x = 0; x < kSide; ++x) {
      f32x4 p[kSide], o[M];
      for (size_t y = 0; y < kSide; ++y)
        p[y] = simd::load_partial(from + (y * kSide + x) * matrix + c, lanes);
      Transform<M>::output(p, o);
      for (size_t y = 0; y < M; ++y) rows[y][x] = o[y];
    }
    const f32x4 bias = e.bias != nullptr ? simd::load_partial(e.bias + c, lanes) : f32x4{};
    for (size_t y = 0; y < M; ++y) {
      f32x4 o[M];
      Transform<M>::output(rows[y], o);
      for (size_t x = 0; x < M; ++x) {
        o[x] += bias;
        const ptrdiff_t pixel = pixels[y * M + x];
        if (e.residual != nullptr && pixel >= 0) {
          o[x] += simd::load_partial(e.residual + pixel * e.residual_stride + c, lanes);
        }
      }
      finish(call.end, o);
      for (size_t x = 0; x < M; ++x) {
        const ptrdiff_t pixel = pixels[y * M + x];
        if (pixel >= 0) simd::store_partial(call.output + pixel * call.output_stride + c, o[x], lanes);
      }
    }
  });
  if (finishes_in_registers(e.activation.kind)) return;
  for (size_t y = 0; y < M; ++y) {
    // The pixels inside of the image are the first ones of the first rows.
    size_t count = 0;
    while (count < M && pixels[y * M + count] >= 0) ++count;
    if (count == 0) break;
    float* const row = call.output + pixels[y * M] * call.output_stride;
    if (call.output_stride == static_cast<ptrdiff_t>(channels)) {
      apply(e.activation, row, count * channels);
    } else {
      for (size_t x = 0; x < count; ++x)
        apply(e.activation, row + static_cast<ptrdiff_t>(x) * call.output_stride, channels);
    }
  }
}

template <size_t M>
void run_tiles(Call& call, const float* packed_weights, size_t begin, size_t end) {
  constexpr size_t kMatrices = Transform<M>::kSide * Transform<M>::kSide;
  // Blocks of like size: a small last one would read all weights for a few tiles.
  const size_t blocks = tiles_of(end - begin, block_tiles(call.shape));
  const size_t most = tiles_of(end - begin, std::max<size_t>(1, blocks));
  const size_t channels = call.shape.in_channels, outputs = call.shape.out_channels;
  for (size_t start = begin; start < end; start += most) {
    call.tiles = std::min(most, end - start);
    for (size_t i = 0; i < call.tiles; ++i) transform_input<M>(call, Place(call.shape, start + i, M), i);
    for (size_t i = 0; i < kMatrices; ++i) {
      gemm(call.tiles, outputs, channels, call.transformed + i * call.tiles * channels,
           static_cast<ptrdiff_t>(channels), packed_weights + i * packed_b_size(channels, outputs),
           call.products + i * call.tiles * outputs, static_cast<ptrdiff_t>(outputs));
    }
    for (size_t i = 0; i < call.tiles; ++i) transform_output<M>(call, Place(call.shape, start + i, M), i);
  }
}

template <size_t M>
void pack(float* packed, const ConvShape& shape, const float* weights) {
  constexpr size_t kSide = Transform<M>::kSide;
  const size_t channels = shape.in_channels, outputs = shape.out_channels;
  std::fill_n(packed, kSide * kSide * packed_b_size(channels, outputs), 0.0f);
  for (size_t n = 0; n < outputs; ++n) {
    for (size_t c = 0; c < channels; ++c) {
      const float* const filter = weights + (n * channels + c) * 9;
      double rows[kSide][3];
      for (size_t i = 0; i < kSide; ++i) {
        const double (&t)[3] = Transform<M>::kFilter[i];
        for (size_t x = 0; x < 3; ++x)
          rows[i][x] = t[0] * filter[x] + t[1] * filter[3 + x] + t[2] * filter[6 + x];
      }
      float* to = packed + (n / kPanelWidth * channels + c) * kPanelWidth + n % kPanelWidth;
      for (size_t i = 0; i < kSide; ++i) {
        for (size_t j = 0; j < kSide; ++j, to += packed_b_size(channels, outputs)) {
          const double (&t)[3] = Transform<M>::kFilter[j];
          *to = static_cast<float>(t[0] * rows[i][0] + t[1] * rows[i][1] + t[2] * rows[i][2]);
        }
      }
    }
  }
}

}  // namespace

bool prefers_winograd(const ConvShape& s) {
  const bool fits = s.rank == 2 && s.groups == 1 && s.kernel[0] == 3 && s.kernel[1] == 3 &&
                    s.stride[0] == 1 && s.stride[1] == 1 && s.dilation[0] == 1 && s.dilation[1] == 1;
  // Few channels do not pay for the transforms; many would make the packed weights too large.
  return fits && s.in_channels >= 16 && s.out_channels >= 16 && s.in_channels <= kMaxDepthBlock &&
         s.in_channels * s.out_channels <= kMostPairsOf2;
}

size_t output_tiles(const ConvShape& s) {
  const size_t outputs = tile_outputs(s);
  return s.batch * tiles_of(s.out[0], outputs) * tiles_of(s.out[1], outputs);
}

size_t packed_winograd_weights_size(const ConvShape& shape) {
  return matrices(shape) * packed_b_size(shape.in_channels, shape.out_channels);
}

void pack_winograd_weights(float* packed, const ConvShape& shape, const float* weights) {
  (tile_outputs(shape) == 4 ? pack<4> : pack<2>)(packed, shape, weights);
}

size_t winograd_scratch_bytes(const ConvShape& shape) {
  return (zero_floats(shape) +
          matrices(shape) * block_tiles(shape) * (shape.in_channels + shape.out_channels)) *
         sizeof(float);
}

void winograd(const ConvShape& shape, const float* input, ptrdiff_t input_stride, const float* packed_weights,
              float* output, ptrdiff_t output_stride, const Epilogue& epilogue, void* scratch, size_t begin,
              size_t end) {
  auto* const zeros = static_cast<float*>(scratch);
  std::fill_n(zeros, shape.in_channels, 0.0f);
  float* const transformed = zeros + zero_floats(shape);
  float* const products = transformed + matrices(shape) * block_tiles(shape) * shape.in_channels;
  Call call{
      shape, input,       input_stride, output, output_stride, epilogue, make_finish(epilogue.activation),
      zeros, transformed, products};
  (tile_outputs(shape) == 4 ? run_tiles<4> : run_tiles<2>)(call, packed_weights, begin, end);
}

}  // namespace kinglet::kernels
