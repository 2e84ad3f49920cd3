#pragma once
// What output pixels of a convolution read of an image of 8 bit codes. Internal to kernels/.

#include <algorithm>
#include <cstring>

#include "kernels/gemm_i8_block.hpp"
#include "kernels/geometry.hpp"

namespace kinglet::kernels {

constexpr size_t whole_vectors(size_t bytes) { return round_up(bytes, 16); }

/// memcpy of few bytes, without a call.
inline void copy_few(uint8_t* to, const uint8_t* from, size_t n) {
  const auto twice = [&]<class Word>(Word) {
    size_t i = 0;
    for (; i + sizeof(Word) <= n; i += sizeof(Word)) __builtin_memcpy(to + i, from + i, sizeof(Word));
    // The last ones overlap those before.
    if (i != n) __builtin_memcpy(to + n - sizeof(Word), from + n - sizeof(Word), sizeof(Word));
  };
  if (n >= 16) return twice(simd::u8x16{});
  if (n >= 8) return twice(uint64_t{});
  if (n >= 4) return twice(uint32_t{});
  for (size_t i = 0; i < n; ++i) to[i] = from[i];
}

/// A row of A is all taps of a pixel, one after the other, each `channels` codes of one group.
struct Int8Depth {
  size_t taps, channels, total;

  Int8Depth(const ConvShape& shape, const Geometry& g)
      : taps(static_cast<size_t>(g.taps())), channels(shape.in_channels / shape.groups), total(taps * channels) {}
};

/// The input of a convolution as rows of A.
class Int8Patches {
 public:
  Int8Patches(const Geometry& g, const Int8Depth& depth, const uint8_t* input, ptrdiff_t stride, const uint8_t* zeros,
          size_t row_bytes)
      : g_(g), depth_(depth), input_(input), stride_(stride), zeros_(zeros), row_bytes_(row_bytes) {}

  /// rows[row_index(i, tap)] is where the channels of pixel begin + i under that tap are.
  template <class RowIndex>
  void point(size_t begin, size_t end, const uint8_t** rows, RowIndex row_index) const {
    const auto width = static_cast<size_t>(g_.out[2]);
    for (size_t pixel = begin; pixel < end;) {
      const Line line(g_, pixel / width);
      const size_t column = pixel % width, count = std::min(end - pixel, width - column);
      for (size_t t = 0; t < depth_.taps; ++t) {
        const auto tap = static_cast<ptrdiff_t>(t);
        const ptrdiff_t row = tap / g_.kernel[2], start = input_line(g_, line, row / g_.kernel[1], row % g_.kernel[1]);
        ptrdiff_t x = static_cast<ptrdiff_t>(column) * g_.stride[2] - g_.pad[2] + tap % g_.kernel[2] * g_.dilation[2];
        for (size_t i = 0; i < count; ++i, x += g_.stride[2]) {
          const bool inside = start >= 0 && x >= 0 && x < g_.in[2];
          rows[row_index(pixel - begin + i, t)] = inside ? input_ + (start + x) * stride_ : zeros_;
        }
      }
      pixel += count;
    }
  }

  /// Copies the rows of pixels [begin, end) for the channels from `channel` on.
  void gather(size_t begin, size_t end, size_t channel, uint8_t* to) const {
    const auto width = static_cast<size_t>(g_.out[2]);
    const bool joined = g_.dilation[2] == 1 && stride_ == static_cast<ptrdiff_t>(depth_.channels);
    for (size_t pixel = begin; pixel < end; ++pixel, to += row_bytes_) {
      const Line line(g_, pixel / width);
      const ptrdiff_t x = static_cast<ptrdiff_t>(pixel % width) * g_.stride[2] - g_.pad[2];
      uint8_t* at = to;
      for (ptrdiff_t row = 0; row < g_.kernel[0] * g_.kernel[1]; ++row) {
        const ptrdiff_t start = input_line(g_, line, row / g_.kernel[1], row % g_.kernel[1]);
        if (joined && start >= 0 && x >= 0 && x + g_.kernel[2] <= g_.in[2]) {
          const size_t bytes = static_cast<size_t>(g_.kernel[2]) * depth_.channels;
          copy_few(at, input_ + (start + x) * stride_, bytes);
          at += bytes;
          continue;
        }
        for (ptrdiff_t k = 0; k < g_.kernel[2]; ++k, at += depth_.channels) {
          const ptrdiff_t tap_x = x + k * g_.dilation[2];
          const bool inside = start >= 0 && tap_x >= 0 && tap_x < g_.in[2];
          copy_few(at, (inside ? input_ + (start + tap_x) * stride_ : zeros_) + channel, depth_.channels);
        }
      }
      std::fill(at, to + row_bytes_, uint8_t{0});
    }
  }

 private:
  const Geometry& g_;
  const Int8Depth& depth_;
  const uint8_t* input_;
  ptrdiff_t stride_;
  const uint8_t* zeros_;  ///< a pixel of padding
  size_t row_bytes_;
};

}  // namespace kinglet::kernels
