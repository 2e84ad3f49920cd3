#include "kernels/winograd.hpp"

#include <algorithm>

#include "kernels/finish.hpp"
#include "kernels/gemm_block.hpp"
#include "kernels/simd.hpp"
#include "kernels/winograd_transforms.hpp"

namespace kinglet::kernels {
namespace {

/// With stride 1, up to this many pairs of channels tiles are 4x4. Up to the second bound they are 2x2: at most
/// 2 MB more for the weights.
constexpr size_t kMostPairsOf4 = 128 * 128;
constexpr size_t kMostPairsOf2 = 256 * 256;
/// Transformed tiles and products of a block stay within about this much.
constexpr size_t kBlockBytes = 1 << 20;
constexpr size_t kMostBlockTiles = 11 * kTileRows;

constexpr size_t tiles_of(size_t pixels, size_t outputs) { return (pixels + outputs - 1) / outputs; }

size_t zero_floats(const ConvShape& shape) { return (shape.in_channels + 3) / 4 * 4; }

/// Calls f with the Transform of a shape.
template <class F>
auto with_transform(const ConvShape& shape, F f) {
  if (shape.stride[0] == 2) return f(Transform<2, 2>());
  return shape.in_channels * shape.out_channels <= kMostPairsOf4 ? f(Transform<4, 1>()) : f(Transform<2, 1>());
}

size_t tile_outputs(const ConvShape& shape) {
  return with_transform(shape, [](auto t) { return t.kOutputs; });
}

/// Products of a tile a channel pair: as many matrices there are.
size_t matrices(const ConvShape& shape) {
  return with_transform(shape, [](auto t) { return t.kSide * t.kSide; });
}

size_t block_tiles(const ConvShape& shape) {
  const size_t bytes = matrices(shape) * (shape.in_channels + shape.out_channels) * sizeof(float);
  return std::clamp<size_t>(kBlockBytes / bytes / kTileRows * kTileRows, 2 * kTileRows, kMostBlockTiles);
}

/// Floats from a matrix to the next: an odd number of cache lines, so that all matrices of a tile do not fall on the
/// same few places of the first cache.
size_t matrix_stride(size_t floats) {
  constexpr size_t kLine = 16;
  return ((floats + kLine - 1) / kLine | 1) * kLine;
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
  float* transformed;  ///< [matrices, tiles, in_channels] with a matrix_stride
  float* products;     ///< [matrices, tiles, out_channels] with a matrix_stride
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
template <class T>
KINGLET_APART void transform_input(const Call& call, const Place& tile, size_t index) {
  constexpr size_t kSide = T::kSide;
  constexpr auto kStride = static_cast<ptrdiff_t>(T::kStride);
  const ConvShape& s = call.shape;
  const float* from[kSide * kSide];
#pragma GCC unroll 1
  for (size_t i = 0; i < kSide * kSide; ++i) {
    const ptrdiff_t pixel =
        pixel_at(s.in, tile.image, tile.y * kStride - s.pad_begin[0] + static_cast<ptrdiff_t>(i / kSide),
                 tile.x * kStride - s.pad_begin[1] + static_cast<ptrdiff_t>(i % kSide));
    from[i] = pixel < 0 ? call.zeros : call.input + pixel * call.input_stride;
  }
  float* const to = call.transformed + index * s.in_channels;
  const size_t matrix = matrix_stride(call.tiles * s.in_channels);
  simd::for_overlapping_vectors(s.in_channels, [&](size_t c) KINGLET_INLINE_LAMBDA {
    f32x4 rows[kSide * kSide];
    for (size_t y = 0; y < kSide; ++y) {
      f32x4 d[kSide];
      for (size_t x = 0; x < kSide; ++x) d[x] = simd::load(from[y * kSide + x] + c);
      T::input(d);
      for (size_t x = 0; x < kSide; ++x) rows[y * kSide + x] = d[x];
    }
    for (size_t x = 0; x < kSide; ++x) {
      f32x4 d[kSide];
      for (size_t y = 0; y < kSide; ++y) d[y] = rows[y * kSide + x];
      T::input(d);
      for (size_t y = 0; y < kSide; ++y) simd::store(to + (y * kSide + x) * matrix + c, d[y]);
    }
  });
}

/// The outputs of the block's tile `index`.
template <class T>
KINGLET_APART void transform_output(const Call& call, const Place& tile, size_t index) {
  constexpr size_t M = T::kOutputs, kSide = T::kSide;
  const size_t channels = call.shape.out_channels;
  const Epilogue& e = call.epilogue;
  ptrdiff_t pixels[M * M];
#pragma GCC unroll 1
  for (size_t i = 0; i < M * M; ++i) {
    pixels[i] = pixel_at(call.shape.out, tile.image, tile.y + static_cast<ptrdiff_t>(i / M),
                         tile.x + static_cast<ptrdiff_t>(i % M));
  }
  const float* const from = call.products + index * channels;
  const size_t matrix = matrix_stride(call.tiles * channels);
  simd::for_overlapping_vectors(channels, [&](size_t c) KINGLET_INLINE_LAMBDA {
    f32x4 rows[M][kSide];
    for (size_t x = 0; x < kSide; ++x) {
      f32x4 p[kSide], o[M];
      for (size_t y = 0; y < kSide; ++y) p[y] = simd::load(from + (y * kSide + x) * matrix + c);
      T::output(p, o);
      for (size_t y = 0; y < M; ++y) rows[y][x] = o[y];
    }
    const f32x4 bias = e.bias != nullptr ? simd::load(e.bias + c) : f32x4{};
    for (size_t y = 0; y < M; ++y) {
      f32x4 o[M];
      T::output(rows[y], o);
      for (size_t x = 0; x < M; ++x) {
        o[x] += bias;
        const ptrdiff_t pixel = pixels[y * M + x];
        if (e.residual != nullptr && pixel >= 0) {
          o[x] += simd::load(e.residual + pixel * e.residual_stride + c);
        }
      }
      finish(call.end, o);
      for (size_t x = 0; x < M; ++x) {
        const ptrdiff_t pixel = pixels[y * M + x];
        if (pixel >= 0) simd::store(call.output + pixel * call.output_stride + c, o[x]);
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

template <class T>
void run_tiles(Call& call, const WinogradMatrices<const float>& packed_weights, size_t begin, size_t end) {
  constexpr size_t kMatrices = T::kSide * T::kSide;
  constexpr auto filter_of = [](size_t matrix) {
    return T::filter_of(matrix / T::kSide) * T::kFilters + T::filter_of(matrix % T::kSide);
  };
  // Blocks of like size, in whole rows of products: a small last one would read all weights for a few tiles.
  const size_t blocks = tiles_of(end - begin, block_tiles(call.shape));
  const size_t even = tiles_of(end - begin, std::max<size_t>(1, blocks));
  const size_t most = tiles_of(even, kTileRows) * kTileRows;
  const size_t channels = call.shape.in_channels, outputs = call.shape.out_channels;
  for (size_t start = begin; start < end; start += most) {
    call.tiles = std::min(most, end - start);
    for (size_t i = 0; i < call.tiles; ++i)
      transform_input<T>(call, Place(call.shape, start + i, T::kOutputs), i);
    const size_t from = matrix_stride(call.tiles * channels), to = matrix_stride(call.tiles * outputs);
    for (size_t i = 0; i < kMatrices; ++i) {
      gemm(call.tiles, outputs, channels, call.transformed + i * from, static_cast<ptrdiff_t>(channels),
           packed_weights(filter_of(i), winograd_matrix_size(call.shape)), call.products + i * to,
           static_cast<ptrdiff_t>(outputs));
    }
    for (size_t i = 0; i < call.tiles; ++i)
      transform_output<T>(call, Place(call.shape, start + i, T::kOutputs), i);
  }
}

/// The sums that three taps in a line make: T::kFilter for any T, since a function for each would be three times the code.
struct FilterSums {
  static constexpr size_t kMost = 6;
  size_t count;
  float factors[kMost][3];

  f32x4 sum(size_t i, f32x4 a, f32x4 b, f32x4 c) const {
    return a * simd::splat(factors[i][0]) + b * simd::splat(factors[i][1]) + c * simd::splat(factors[i][2]);
  }
};

template <class T>
constexpr FilterSums sums_of() {
  static_assert(T::kFilters <= FilterSums::kMost);
  FilterSums sums{T::kFilters, {}};
  for (size_t i = 0; i < T::kFilters; ++i) {
    for (size_t t = 0; t < 3; ++t) sums.factors[i][t] = static_cast<float>(T::kFilter[i][t]);
  }
  return sums;
}

/// Four filters of one input channel, each `filter_stride` after the one before, to four columns of all matrices.
KINGLET_APART void pack_filters(const FilterSums& sums, const float* filters, size_t filter_stride, float* const* matrix, size_t to) {
  f32x4 tap[9];
  for (size_t i = 0; i < 8; i += 4) {
    for (size_t f = 0; f < 4; ++f) tap[i + f] = simd::load(filters + f * filter_stride + i);
    simd::transpose(tap[i], tap[i + 1], tap[i + 2], tap[i + 3]);
  }
  for (size_t f = 0; f < 4; ++f) tap[8][f] = filters[f * filter_stride + 8];
#pragma GCC unroll 1
  for (size_t i = 0; i < sums.count; ++i) {
    f32x4 row[3];
    for (size_t x = 0; x < 3; ++x) row[x] = sums.sum(i, tap[x], tap[3 + x], tap[6 + x]);
#pragma GCC unroll 1
    for (size_t j = 0; j < sums.count; ++j) simd::store(*matrix++ + to, sums.sum(j, row[0], row[1], row[2]));
  }
}

void pack(const FilterSums& sums, const WinogradMatrices<float>& packed, const ConvShape& shape, const float* weights) {
  const size_t channels = shape.in_channels, outputs = shape.out_channels, matrices = sums.count * sums.count;
  float* matrix[FilterSums::kMost * FilterSums::kMost];
  for (size_t i = 0; i < matrices; ++i) matrix[i] = packed(i, winograd_matrix_size(shape));
  for (size_t n = 0; n < outputs; n += simd::kLanes) {
    const size_t count = std::min(outputs - n, simd::kLanes), panel = n / kPanelWidth * channels * kPanelWidth + n % kPanelWidth;
    for (size_t c = 0; c < channels; ++c) {
      const float* filters = weights + (n * channels + c) * 9;
      size_t stride = channels * 9;
      float padded[simd::kLanes * 9] = {};
      if (count != simd::kLanes) {
        for (size_t f = 0; f < count; ++f) std::copy_n(filters + f * stride, 9, padded + f * 9);
        filters = padded;
        stride = 9;
      }
      pack_filters(sums, filters, stride, matrix, panel + c * kPanelWidth);
    }
  }
  // Columns of a last panel that no group of filters reaches.
  const size_t reached = (outputs + simd::kLanes - 1) / simd::kLanes * simd::kLanes;
  if (reached % kPanelWidth == 0) return;
  for (size_t c = 0; c < channels; ++c) {
    for (size_t i = 0; i < matrices; ++i) {
      simd::store(matrix[i] + (reached / kPanelWidth * channels + c) * kPanelWidth + reached % kPanelWidth, f32x4{});
    }
  }
}

}  // namespace

size_t winograd_matrices(const ConvShape& shape) {
  return with_transform(shape, [](auto t) { return t.kFilters * t.kFilters; });
}

size_t winograd_matrix_size(const ConvShape& shape) {
  return packed_b_size(shape.in_channels, shape.out_channels);
}

bool prefers_winograd(const ConvShape& s) {
  const bool fits = s.rank == 2 && s.groups == 1 && s.kernel[0] == 3 && s.kernel[1] == 3 &&
                    s.stride[0] <= 2 && s.stride[1] == s.stride[0] && s.dilation[0] == 1 && s.dilation[1] == 1;
  // Few channels do not pay for the transforms; many would make the packed weights too large.
  const size_t least = s.stride[0] == 1 ? 16 : 32;
  return fits && s.in_channels >= least && s.out_channels >= least && s.in_channels <= kMaxDepthBlock &&
         s.in_channels * s.out_channels <= kMostPairsOf2;
}

size_t output_tiles(const ConvShape& s) {
  const size_t outputs = tile_outputs(s);
  return s.batch * tiles_of(s.out[0], outputs) * tiles_of(s.out[1], outputs);
}

void pack_winograd_weights(const WinogradMatrices<float>& packed, const ConvShape& shape, const float* weights) {
  pack(with_transform(shape, [](auto t) { return sums_of<decltype(t)>(); }), packed, shape, weights);
}

size_t winograd_scratch_bytes(const ConvShape& shape) {
  const size_t tiles = block_tiles(shape);
  return (zero_floats(shape) + matrices(shape) * (matrix_stride(tiles * shape.in_channels) +
                                                  matrix_stride(tiles * shape.out_channels))) *
         sizeof(float);
}

void winograd(const ConvShape& shape, const float* input, ptrdiff_t input_stride,
              const WinogradMatrices<const float>& packed_weights, float* output, ptrdiff_t output_stride,
              const Epilogue& epilogue, void* scratch, size_t begin, size_t end) {
  auto* const zeros = static_cast<float*>(scratch);
  std::fill_n(zeros, shape.in_channels, 0.0f);
  float* const transformed = zeros + zero_floats(shape);
  float* const products =
      transformed + matrices(shape) * matrix_stride(block_tiles(shape) * shape.in_channels);
  Call call{
      shape, input,       input_stride, output, output_stride, epilogue, make_finish(epilogue.activation),
      zeros, transformed, products};
  with_transform(shape, [&](auto t) { run_tiles<decltype(t)>(call, packed_weights, begin, end); });
}

}  // namespace kinglet::kernels
