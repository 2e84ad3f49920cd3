#include "kernels/conv_i8.hpp"

#include <algorithm>

#include "kernels/gemm_i8_block.hpp"
#include "kernels/geometry.hpp"

namespace kinglet::kernels {
namespace {

/// A row of A is all taps of a pixel, one after the other, each `channels` codes of one group.
struct Depth {
  size_t taps, channels, total;
  bool pieces;  ///< taps are packed one by one from where they lie; else a pixel's row is gathered first

  Depth(const ConvShape& shape, const Geometry& g)
      : taps(static_cast<size_t>(g.taps())),
        channels(shape.in_channels / shape.groups),
        total(taps * channels),
        pieces(channels % 8 == 0 || taps == 1) {}
};

constexpr size_t whole_vectors(size_t bytes) { return (bytes + 15) / 16 * 16; }

struct Scratch {
  size_t rows;  ///< of a block
  size_t packed, sums, codes;

  Scratch(const ConvShape& shape, const Depth& depth)
      : rows(int8_block_rows(output_pixels(shape), depth.total)),
        packed(whole_vectors(rows * even(depth.total) * sizeof(int16_t))),
        sums(whole_vectors(rows * sizeof(int32_t))),
        codes(whole_vectors(depth.pieces ? depth.channels : kInt8Rows * depth.total)) {}
  size_t bytes() const { return packed + sums + codes; }
};

class Patches {
 public:
  Patches(const Geometry& g, const Depth& depth, Codes input, ptrdiff_t stride, int32_t zero, uint8_t* codes)
      : g_(g), depth_(depth), input_(static_cast<const uint8_t*>(input.data)), stride_(stride), codes_(codes),
        is_signed_(input.is_signed), zero_code_(static_cast<uint8_t>(zero)) {
    std::fill_n(zeros_, kInt8Rows, zero);
    if (depth.pieces) std::fill_n(codes, depth.channels, zero_code_);
  }

  /// Packs the tile of the pixels first, first + 1, ..., none beyond `last`, for the group whose channels start at
  /// `channel`.
  void pack(size_t first, size_t last, size_t channel, int16_t* packed, int32_t* sums) {
    Corner corners[kInt8Rows];
    for (size_t r = 0; r < kInt8Rows; ++r) corners[r] = Corner(g_, std::min(first + r, last));
    const uint8_t* const start = input_ + channel;
    const uint8_t* rows[kInt8Rows];
    if (depth_.pieces) {
      size_t t = 0;
      for_each_tap([&](ptrdiff_t z, ptrdiff_t y, ptrdiff_t x) {
        for (size_t r = 0; r < kInt8Rows; ++r) {
          const uint8_t* at = corners[r].pixel(g_, z, y, x, start, stride_);
          rows[r] = at != nullptr ? at : codes_;
        }
        pack_piece_i8(packed + t++ * depth_.channels * kInt8Rows, rows, depth_.channels, is_signed_, zeros_, sums);
      });
      return;
    }
    for (size_t r = 0; r < kInt8Rows; ++r) {
      uint8_t* to = codes_ + r * depth_.total;
      rows[r] = to;
      for_each_tap([&](ptrdiff_t z, ptrdiff_t y, ptrdiff_t x) {
        const uint8_t* at = corners[r].pixel(g_, z, y, x, start, stride_);
        if (at != nullptr) {
          for (size_t i = 0; i < depth_.channels; ++i) to[i] = at[i];
        } else {
          std::fill_n(to, depth_.channels, zero_code_);
        }
        to += depth_.channels;
      });
    }
    pack_piece_i8(packed, rows, depth_.total, is_signed_, zeros_, sums);
  }

 private:
  /// Where the first tap of an output pixel lies.
  struct Corner {
    ptrdiff_t image = 0, z = 0, y = 0, x = 0;

    Corner() = default;
    Corner(const Geometry& g, size_t pixel) {
      const auto width = static_cast<size_t>(g.out[2]);
      const Line line(g, pixel / width);
      image = line.image;
      z = line.z * g.stride[0] - g.pad[0];
      y = line.y * g.stride[1] - g.pad[1];
      x = static_cast<ptrdiff_t>(pixel % width) * g.stride[2] - g.pad[2];
    }

    /// Null in the padding.
    const uint8_t* pixel(const Geometry& g, ptrdiff_t dz, ptrdiff_t dy, ptrdiff_t dx, const uint8_t* start,
                         ptrdiff_t stride) const {
      const ptrdiff_t pz = z + dz, py = y + dy, px = x + dx;
      if (pz < 0 || pz >= g.in[0] || py < 0 || py >= g.in[1] || px < 0 || px >= g.in[2]) return nullptr;
      return start + (((image * g.in[0] + pz) * g.in[1] + py) * g.in[2] + px) * stride;
    }
  };

  template <class F>
  void for_each_tap(F f) const {
    for (ptrdiff_t z = 0; z < g_.kernel[0]; ++z) {
      for (ptrdiff_t y = 0; y < g_.kernel[1]; ++y) {
        for (ptrdiff_t x = 0; x < g_.kernel[2]; ++x) f(z * g_.dilation[0], y * g_.dilation[1], x * g_.dilation[2]);
      }
    }
  }

  const Geometry& g_;
  const Depth& depth_;
  const uint8_t* input_;
  ptrdiff_t stride_;
  uint8_t* codes_;  ///< one tap of padding, or a tile's gathered rows
  bool is_signed_;
  uint8_t zero_code_;
  int32_t zeros_[kInt8Rows];
};

Int8Epilogue from_column(const Int8Epilogue& e, size_t column) {
  Int8Epilogue part = e;
  if (part.b_zero != nullptr) part.b_zero += column;
  if (part.bias != nullptr) part.bias += column;
  if (part.scale != nullptr) part.scale += column;
  if (part.addend != nullptr) part.addend += column;
  return part;
}

}  // namespace

size_t packed_conv_i8_weights_size(const ConvShape& shape) {
  const Geometry g(shape);
  return shape.groups * packed_b_i8_size(Depth(shape, g).total, shape.out_channels / shape.groups);
}

void pack_conv_i8_weights(int8_t* packed, const ConvShape& shape, Codes weights) {
  const Geometry g(shape);
  const Depth depth(shape, g);
  const size_t outputs = shape.out_channels / shape.groups;
  const auto* filters = static_cast<const uint8_t*>(weights.data);
  const int flip = weights.is_signed ? 0 : kUnsignedShift;
  for (size_t group = 0; group < shape.groups; ++group, filters += outputs * depth.total) {
    for (size_t column = 0; column < outputs; column += kInt8Columns) {
      for (size_t k = 0; k < even(depth.total); k += 2) {
        for (size_t j = column; j < column + kInt8Columns; ++j, packed += 2) {
          for (size_t p = k; p < k + 2; ++p) {
            const bool inside = j < outputs && p < depth.total;
            const size_t at = j * depth.total + p % depth.channels * depth.taps + p / depth.channels;
            packed[p - k] = inside ? static_cast<int8_t>(filters[at] ^ flip) : int8_t{0};
          }
        }
      }
    }
  }
}

size_t conv_i8_scratch_bytes(const ConvShape& shape) {
  const Geometry g(shape);
  return Scratch(shape, Depth(shape, g)).bytes();
}

void conv_i8(const ConvShape& shape, Codes input, ptrdiff_t input_stride, int32_t input_zero,
             const int8_t* packed_weights, void* output, ptrdiff_t output_stride, const Int8Epilogue& epilogue,
             void* scratch, size_t begin, size_t end) {
  const Geometry g(shape);
  const Depth depth(shape, g);
  const Scratch sizes(shape, depth);
  auto* const bytes = static_cast<std::byte*>(scratch);
  auto* const packed = reinterpret_cast<int16_t*>(bytes);
  auto* const sums = reinterpret_cast<int32_t*>(bytes + sizes.packed);
  Patches patches(g, depth, input, input_stride, input_zero, reinterpret_cast<uint8_t*>(bytes + sizes.packed + sizes.sums));
  const size_t outputs = shape.out_channels / shape.groups;
  const size_t group_weights = packed_b_i8_size(depth.total, outputs);
  const bool wants_sums = epilogue.b_zero != nullptr;
  for (size_t start = begin; start < end; start += sizes.rows) {
    const size_t rows = std::min(sizes.rows, end - start);
    for (size_t group = 0; group < shape.groups; ++group) {
      if (wants_sums) std::fill_n(sums, sizes.rows, 0);
      for (size_t tile = 0; tile < rows; tile += kInt8Rows) {
        patches.pack(start + tile, end - 1, group * depth.channels, packed + tile * even(depth.total),
                     wants_sums ? sums + tile : nullptr);
      }
      const size_t column = group * outputs;
      const ptrdiff_t first = static_cast<ptrdiff_t>(start) * output_stride + static_cast<ptrdiff_t>(column);
      auto* const out = static_cast<std::byte*>(output) + first * static_cast<ptrdiff_t>(element_bytes(epilogue.output));
      gemm_i8_block(rows, outputs, depth.total, packed, sums, packed_weights + group * group_weights, out,
                    output_stride, from_column(epilogue, column));
    }
  }
}

}  // namespace kinglet::kernels
