#include "kernels/depthwise_i8.hpp"

#include "kernels/conv_i8_patches.hpp"

namespace kinglet::kernels {
namespace {

using simd::i16x8;
using simd::i32x4;

constexpr size_t kChannels = kInt8Columns;  ///< that are computed at a time
constexpr size_t kPixels = 4;               ///< likewise
constexpr size_t kRowBlock = 16 * kPixels;

/// The parts of scratch.
struct Scratch {
  size_t tap_pairs, channels;  ///< both whole numbers of what the loops take
  size_t weights, sums, zeros, pointers;

  explicit Scratch(const ConvShape& shape) {
    const Geometry g(shape);
    tap_pairs = round_up(static_cast<size_t>(g.taps()), 2) / 2;
    channels = round_up(shape.in_channels, kChannels);
    weights = tap_pairs * channels * 2 * sizeof(int16_t);
    sums = channels * sizeof(int32_t);
    zeros = whole_vectors(shape.in_channels);
    pointers = kRowBlock * tap_pairs * 2 * sizeof(const uint8_t*);
  }
  size_t bytes() const { return weights + sums + zeros + pointers; }
};

/// For eight channels after eight: pairs of taps, the first and the second weight of each channel side by side. They
/// are less their zero points.
KINGLET_APART void pack_weights(const ConvShape& shape, const Scratch& sizes, Codes weights, const int32_t* weight_zeros,
                  int16_t* packed, int32_t* sums) {
  const auto taps = static_cast<size_t>(Geometry(shape).taps());
  const auto* codes = static_cast<const uint8_t*>(weights.data);
  for (size_t first = 0; first < sizes.channels; first += kChannels) {
    for (size_t t = 0; t < sizes.tap_pairs * 2; t += 2) {
      for (size_t c = first; c < first + kChannels; ++c, packed += 2) {
        for (size_t i = 0; i < 2; ++i) {
          packed[i] = 0;
          if (c >= shape.in_channels || t + i >= taps) continue;
          const uint8_t code = codes[c * taps + t + i];
          packed[i] = static_cast<int16_t>((weights.is_signed ? static_cast<int8_t>(code) : code) - weight_zeros[c]);
          sums[c] += packed[i];
        }
      }
    }
  }
}

template <class Code>
i16x8 load_codes(const uint8_t* p, size_t n) {
  if (n == kChannels) return simd::load_extend(reinterpret_cast<const Code*>(p));
  Code few[kChannels] = {};
  std::memcpy(few, p, n);
  return simd::load_extend(few);
}

/// Eight channels of one tile of pixels, or with kFew the last `channels`; `pointers` are those of its taps. Two sums a pixel.
template <class Code, bool kFew>
void depthwise_tile(const uint8_t* const* pointers, size_t tap_pairs, size_t channel, size_t channels,
                    const int16_t* weights, i32x4* sums) {
  i32x4 acc[kPixels * 2] = {};
  const size_t count = kFew ? channels : kChannels;  // a constant count makes plain loads
  for (size_t t = 0; t < tap_pairs; ++t, weights += 2 * kChannels, pointers += 2 * kPixels) {
    const i16x8 low = simd::bits<i16x8>(simd::load_bytes(weights)), high = simd::bits<i16x8>(simd::load_bytes(weights + 8));
    for (size_t r = 0; r < kPixels; ++r) {
      const i16x8 x = load_codes<Code>(pointers[r] + channel, count);
      const i16x8 next = load_codes<Code>(pointers[kPixels + r] + channel, count);
      acc[r * 2] = simd::add(acc[r * 2], simd::dot(simd::interleave_low(x, next), low));
      acc[r * 2 + 1] = simd::add(acc[r * 2 + 1], simd::dot(simd::interleave_high(x, next), high));
    }
  }
  for (size_t i = 0; i < kPixels * 2; ++i) sums[i] = acc[i];
}

template <class Code>
constexpr auto depthwise_tile_for(size_t channels) {
  return channels == kChannels ? depthwise_tile<Code, false> : depthwise_tile<Code, true>;
}

}  // namespace

bool is_depthwise_i8(const ConvShape& shape) {
  return shape.groups == shape.in_channels && shape.out_channels == shape.in_channels && shape.groups > 1;
}

size_t depthwise_i8_scratch_bytes(const ConvShape& shape) { return Scratch(shape).bytes(); }

void depthwise_i8(const ConvShape& shape, Codes input, ptrdiff_t input_stride, int32_t input_zero, Codes weights,
                  const int32_t* weight_zeros, void* output, ptrdiff_t output_stride, const Int8Epilogue& epilogue,
                  void* scratch) {
  const Geometry g(shape);
  const Scratch sizes(shape);
  auto* const packed = static_cast<int16_t*>(scratch);
  auto* const sums = reinterpret_cast<int32_t*>(static_cast<std::byte*>(scratch) + sizes.weights);
  auto* const zeros = reinterpret_cast<uint8_t*>(sums + sizes.channels);
  auto* const pointers = reinterpret_cast<const uint8_t**>(zeros + sizes.zeros);
  std::fill_n(sums, sizes.channels, 0);
  pack_weights(shape, sizes, weights, weight_zeros, packed, sums);
  std::fill_n(zeros, shape.in_channels, static_cast<uint8_t>(input_zero));

  const Int8Depth depth(shape, g);
  const Int8Patches patches(g, depth, static_cast<const uint8_t*>(input.data), input_stride, zeros, 0);
  const size_t pixels = output_pixels(shape), taps = sizes.tap_pairs * 2;
  for (size_t start = 0; start < pixels; start += kRowBlock) {
    const size_t rows = std::min(kRowBlock, pixels - start);
    // Of an odd last tap the second has weights of 0; pixels that a last tile lacks are computed, but not stored.
    std::fill_n(pointers, kRowBlock * taps, zeros);
    patches.point(start, start + rows, pointers,
                  [&](size_t i, size_t t) { return (i / kPixels * taps + t) * kPixels + i % kPixels; });
    for (size_t channel = 0; channel < shape.in_channels; channel += kChannels) {
      const Int8Finish finish(epilogue, channel, shape.in_channels, sums, input_zero);
      const size_t count = std::min(kChannels, shape.in_channels - channel);
      const auto tile_of = input.is_signed ? depthwise_tile_for<int8_t>(count) : depthwise_tile_for<uint8_t>(count);
      for (size_t tile = 0; tile < rows; tile += kPixels) {
        i32x4 sums_here[kPixels * 2];
        tile_of(pointers + tile * taps, sizes.tap_pairs, channel, count, packed + channel * taps, sums_here);
        const ptrdiff_t index = static_cast<ptrdiff_t>(start + tile) * output_stride + static_cast<ptrdiff_t>(channel);
        finish.store_rows(sums_here, std::min(kPixels, rows - tile), nullptr, output, index, output_stride);
      }
    }
  }
}

}  // namespace kinglet::kernels
