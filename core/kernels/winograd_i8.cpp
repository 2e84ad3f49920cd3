#include "kernels/winograd_i8.hpp"

#include <algorithm>

#include "kernels/gemm_i8_block.hpp"
#include "kernels/geometry.hpp"
#include "kernels/winograd_i8_weights.hpp"

namespace kinglet::kernels {
namespace {

using simd::i16x8;
using simd::i32x4;

constexpr size_t kPoints = kWinogradPoints;
constexpr size_t kSide = kWinogradSide;
constexpr size_t kVector = 8;   ///< channels that are transformed at a time
constexpr size_t kMostTiles = 64;
/// Transformed numbers of a block of tiles, so that they stay in the second cache.
constexpr size_t kBlockNumbers = 224 * 1024;
/// Least channels whose products outweigh the transforms.
constexpr size_t kLeastChannels = 32;

size_t block_tiles(const ConvShape& shape) {
  const size_t fits = std::clamp(kBlockNumbers / (kPoints * shape.in_channels), kPairRows, kMostTiles) / kPairRows * kPairRows;
  return std::min(fits, round_up(std::max<size_t>(output_tiles_i8(shape), 1), kPairRows));
}

/// The parts of scratch.
struct Scratch {
  size_t zeros, numbers, sums, panel;

  explicit Scratch(const ConvShape& shape) {
    const size_t tiles = block_tiles(shape);
    zeros = round_up(shape.in_channels, 16);
    numbers = kPoints * odd_lines(tiles * shape.in_channels) * sizeof(int16_t);
    sums = kPoints * tiles * kInt8Columns * sizeof(int32_t);
    panel = keeps_codes(shape) ? panel_numbers(shape.in_channels) * sizeof(int16_t) : 0;
  }
  size_t bytes() const { return zeros + numbers + sums + panel; }
};

/// Where a tile's output square starts.
struct Tile {
  ptrdiff_t image, y, x;

  Tile(const Geometry& g, size_t index) {
    const auto i = static_cast<ptrdiff_t>(index), across = ceil_div(g.out[2], 2), down = ceil_div(g.out[1], 2);
    x = i % across * 2;
    y = i / across % down * 2;
    image = i / (across * down);
  }
};

/// The 16 input pixels of a tile; `zeros` for those outside of the image.
void point_at_pixels(const Geometry& g, const Tile& tile, const uint8_t* input, ptrdiff_t stride, const uint8_t* zeros,
                     const uint8_t** pixels) {
  for (ptrdiff_t i = 0; i < static_cast<ptrdiff_t>(kPoints); ++i) {
    const ptrdiff_t y = tile.y - g.pad[1] + i / 4, x = tile.x - g.pad[2] + i % 4;
    const bool inside = y >= 0 && y < g.in[1] && x >= 0 && x < g.in[2];
    pixels[i] = inside ? input + ((tile.image * g.in[1] + y) * g.in[2] + x) * stride : zeros;
  }
}

inline void transform_line(i16x8& a, i16x8& b, i16x8& c, i16x8& d) {
  const i16x8 first = a - c, second = b + c, third = c - b, fourth = b - d;
  a = first;
  b = second;
  c = third;
  d = fourth;
}

/// Eight channels of four tiles, from their pixels less the zero point to the 16 points, each packed as pack_pairs does it.
template <class Code>
void transform_input(const uint8_t* const (&pixels)[kPairRows][kPoints], size_t channel, i16x8 zero, int16_t* numbers,
                     size_t point_stride) {
  i16x8 d[kPairRows][kPoints];
  for (size_t t = 0; t < kPairRows; ++t) {
    i16x8* const v = d[t];
    for (size_t i = 0; i < kPoints; ++i) v[i] = simd::load_extend(reinterpret_cast<const Code*>(pixels[t][i] + channel)) - zero;
    for (size_t i = 0; i < kSide; ++i) transform_line(v[i], v[4 + i], v[8 + i], v[12 + i]);
    for (size_t i = 0; i < kPoints; i += kSide) transform_line(v[i], v[i + 1], v[i + 2], v[i + 3]);
  }
  for (size_t i = 0; i < kPoints; ++i, numbers += point_stride) {
    i32x4 v[kPairRows];
    for (size_t t = 0; t < kPairRows; ++t) v[t] = simd::bits<i32x4>(d[t][i]);
    simd::transpose(v[0], v[1], v[2], v[3]);
    std::memcpy(numbers, v, sizeof v);
  }
}

/// The 2x2 sums, for four columns, of the 16 points of a tile, which lie `stride` numbers apart.
void transform_output(const int32_t* sums, size_t stride, i32x4 (&out)[4]) {
  i32x4 rows[2][kSide];
  for (size_t x = 0; x < kSide; ++x) {
    i32x4 m[kSide];
    for (size_t y = 0; y < kSide; ++y) m[y] = simd::load(sums + (y * kSide + x) * stride);
    const i32x4 middle = simd::add(m[1], m[2]);
    rows[0][x] = simd::add(m[0], middle);
    rows[1][x] = simd::sub(simd::sub(m[1], m[2]), m[3]);
  }
  for (size_t y = 0; y < 2; ++y) {
    const i32x4(&m)[kSide] = rows[y];
    out[y * 2] = simd::add(simd::add(m[0], m[1]), m[2]) >> 2;
    out[y * 2 + 1] = simd::sub(simd::sub(m[1], m[2]), m[3]) >> 2;
  }
}

}  // namespace

bool prefers_winograd_i8(const ConvShape& s, Int8Kernel kernel) {
  const bool plain = s.rank == 2 && s.groups == 1 && s.kernel[0] == 3 && s.kernel[1] == 3 && s.stride[0] == 1 &&
                     s.stride[1] == 1 && s.dilation[0] == 1 && s.dilation[1] == 1;
  return plain && kernel == Int8Kernel::kPairs && s.in_channels % kVector == 0 && s.in_channels >= kLeastChannels &&
         s.out_channels >= kLeastChannels;
}

size_t output_tiles_i8(const ConvShape& shape) { return shape.batch * ((shape.out[0] + 1) / 2) * ((shape.out[1] + 1) / 2); }

size_t winograd_i8_scratch_bytes(const ConvShape& shape) { return Scratch(shape).bytes(); }

void winograd_i8(const ConvShape& shape, Codes input, ptrdiff_t input_stride, int32_t input_zero,
                 const std::byte* packed_weights, void* output, ptrdiff_t output_stride, const Int8Epilogue& epilogue,
                 void* scratch, size_t begin, size_t end) {
  const Geometry g(shape);
  const Scratch sizes(shape);
  const size_t most = block_tiles(shape), depth = shape.in_channels, pairs = depth / 2;
  auto* const zeros = static_cast<uint8_t*>(scratch);
  auto* const numbers = reinterpret_cast<int16_t*>(zeros + sizes.zeros);
  auto* const sums = reinterpret_cast<int32_t*>(zeros + sizes.zeros + sizes.numbers);
  auto* const widened = reinterpret_cast<int16_t*>(zeros + sizes.zeros + sizes.numbers + sizes.sums);
  const bool widens = keeps_codes(shape);
  const size_t panel_point = panel_numbers(depth) / kPoints;
  const size_t panel_bytes = packed_winograd_i8_panel_bytes(shape);
  std::fill_n(zeros, depth, static_cast<uint8_t>(input_zero));
  const auto transform = input.is_signed ? transform_input<int8_t> : transform_input<uint8_t>;
  const i16x8 zero = simd::splat16(static_cast<int16_t>(input_zero));

  for (size_t start = begin; start < end; start += most) {
    const size_t tiles = std::min(most, end - start), padded = round_up(tiles, kPairRows), point = odd_lines(padded * depth);
    for (size_t t = 0; t < padded; t += kPairRows) {
      const uint8_t* pixels[kPairRows][kPoints];
      for (size_t r = 0; r < kPairRows; ++r) {
        // The tiles that a last group lacks are computed, but not stored.
        const Tile tile(g, std::min(start + t + r, end - 1));
        point_at_pixels(g, tile, static_cast<const uint8_t*>(input.data), input_stride, zeros, pixels[r]);
      }
      for (size_t channel = 0; channel < depth; channel += kVector) {
        transform(pixels, channel, zero, numbers + t * depth + channel * kPairRows, point);
      }
    }
    for (size_t column = 0; column < shape.out_channels; column += kInt8Columns) {
      const std::byte* const packed = packed_weights + column / kInt8Columns * panel_bytes;
      if (widens) transform_panel(reinterpret_cast<const int8_t*>(packed), depth, widened);
      const int16_t* const panel = widens ? widened : reinterpret_cast<const int16_t*>(packed);
      const size_t of_point = padded * kInt8Columns;
      for (size_t i = 0; i < kPoints; ++i) {
        multiply_tiles(padded / kPairRows, pairs, numbers + i * point, depth * kPairRows, panel + i * panel_point, sums + i * of_point);
      }
      const Int8Finish finish(epilogue, column, shape.out_channels, nullptr, 0);
      for (size_t t = 0; t < tiles; ++t) {
        const Tile tile(g, start + t);
        i32x4 first[4], second[4];
        transform_output(sums + t * kInt8Columns, of_point, first);
        transform_output(sums + t * kInt8Columns + simd::kLanes, of_point, second);
        for (ptrdiff_t i = 0; i < 4; ++i) {
          const ptrdiff_t y = tile.y + i / 2, x = tile.x + i % 2;
          if (y >= g.out[1] || x >= g.out[2]) continue;
          const ptrdiff_t pixel = (tile.image * g.out[1] + y) * g.out[2] + x;
          finish.store_row(first[i], second[i], 0, output, pixel * output_stride + static_cast<ptrdiff_t>(column));
        }
      }
    }
  }
}

}  // namespace kinglet::kernels
