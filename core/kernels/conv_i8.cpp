#include "kernels/conv_i8.hpp"

#include <algorithm>
#include <vector>

#include "kernels/conv_i8_patches.hpp"
#include "kernels/gemm_i8_block.hpp"
#include "kernels/pack_i8.hpp"

namespace kinglet::kernels {
namespace {

bool is_pointwise(const Geometry& g) {
  return g.taps() == 1 && g.stride == Geometry::Sizes{1, 1, 1} && g.pad == Geometry::Sizes{0, 0, 0} && g.in == g.out;
}

/// How a kernel gets at the rows of A.
struct Layout {
  Int8Kernel kernel;
  bool flips;     ///< the input is copied with flipped signs
  bool in_place;  ///< the input's pixels are the rows
  bool by_tap;    ///< the rows are pieces that lie in the input; else they are gathered
  size_t rows;    ///< of a block
  size_t row_bytes;  ///< of a gathered row

  Layout(const ConvShape& shape, const Geometry& g, const Int8Depth& depth, bool is_signed, Int8Kernel kernel)
      : kernel(kernel) {
    const bool pairs = kernel == Int8Kernel::kPairs;
    flips = !pairs && flip_for(kernel, is_signed) != 0;
    in_place = !pairs && is_pointwise(g) && shape.groups == 1;
    by_tap = !in_place && depth.channels % (pairs ? 8 : 4) == 0;
    const size_t most = pairs ? pair_block_rows(output_pixels(shape), depth.total) : 11 * kDotRows;
    rows = std::min(round_up(output_pixels(shape), pairs ? kPairRows : kDotRows), most);
    row_bytes = round_up(depth.total, 4);
  }
};

/// The parts of scratch.
struct Scratch {
  size_t flipped, zeros, gathered, pointers, packed, panel, sums;

  Scratch(const ConvShape& shape, const Int8Depth& depth, const Layout& layout) {
    const bool pairs = layout.kernel == Int8Kernel::kPairs;
    const Geometry g(shape);
    flipped = layout.flips ? whole_vectors(shape.batch * static_cast<size_t>(g.in_pixels()) * shape.in_channels) : 0;
    zeros = whole_vectors(shape.in_channels);
    gathered = layout.by_tap || layout.in_place ? 0 : whole_vectors((pairs ? kPairRows : layout.rows) * layout.row_bytes);
    pointers = layout.by_tap ? whole_vectors(layout.rows * depth.taps * sizeof(const uint8_t*)) : 0;
    packed = pairs ? whole_vectors(layout.rows * round_up(depth.total, 2) * sizeof(int16_t)) : 0;
    panel = pairs ? pair_scratch_bytes(layout.rows, depth.total) : 0;
    sums = whole_vectors(layout.rows * sizeof(int32_t));
  }
  size_t bytes() const { return flipped + zeros + gathered + pointers + packed + panel + sums; }
};

Int8Epilogue from_column(const Int8Epilogue& e, size_t column) {
  Int8Epilogue part = e;
  if (part.b_zero != nullptr) part.b_zero += column;
  if (part.bias != nullptr) part.bias += column;
  if (part.scale != nullptr) part.scale += column;
  if (part.addend != nullptr) part.addend += column;
  return part;
}

/// Packs rows for the pairs kernel: a tile's pointers at a time, or gathered rows of a tile.
struct PairPacker {
  const Int8Depth& depth;
  bool is_signed;
  int32_t zeros[kPairRows];

  void pack_taps(const uint8_t* const* rows, size_t channel, int16_t* packed, int32_t* sums) const {
    for (size_t t = 0; t < depth.taps; ++t, rows += kPairRows, packed += depth.channels * kPairRows) {
      const uint8_t* at[kPairRows];
      for (size_t r = 0; r < kPairRows; ++r) at[r] = rows[r] + channel;
      pack_pairs(packed, at, depth.channels, is_signed, zeros, sums);
    }
  }
  void pack_gathered(const uint8_t* rows, size_t row_bytes, int16_t* packed, int32_t* sums) const {
    const uint8_t* at[kPairRows];
    for (size_t r = 0; r < kPairRows; ++r) at[r] = rows + r * row_bytes;
    pack_pairs(packed, at, depth.total, is_signed, zeros, sums);
  }
};

/// A filter [channels, taps] as [taps, channels].
KINGLET_APART void order_taps(const uint8_t* filter, const Int8Depth& depth, uint8_t* ordered) {
  for (size_t t = 0; t < depth.taps; ++t) {
    for (size_t c = 0; c < depth.channels; ++c) *ordered++ = filter[c * depth.taps + t];
  }
}

}  // namespace

size_t packed_conv_i8_weights_size(const ConvShape& shape, Int8Kernel kernel) {
  const Geometry g(shape);
  return shape.groups * packed_b_i8_size(Int8Depth(shape, g).total, shape.out_channels / shape.groups, kernel);
}

void pack_conv_i8_weights(int8_t* packed, const ConvShape& shape, Codes weights, Int8Kernel kernel) {
  const Geometry g(shape);
  const Int8Depth depth(shape, g);
  const size_t outputs = shape.out_channels / shape.groups, group_bytes = packed_b_i8_size(depth.total, outputs, kernel);
  const auto* filters = static_cast<const uint8_t*>(weights.data);
  // Filters of several taps in the order of rows of A: taps, channels.
  std::vector<uint8_t> ordered(depth.taps == 1 ? 0 : kInt8Columns * depth.total);
  for (size_t group = 0; group < shape.groups; ++group, filters += outputs * depth.total, packed += group_bytes) {
    PanelPacker panels(packed, depth.total, outputs, weights.is_signed ? 0 : kUnsignedShift, kernel);
    for (size_t j = 0; j < outputs; j += kInt8Columns) {
      const size_t columns = std::min(outputs - j, kInt8Columns);
      const uint8_t* const from = filters + j * depth.total;
      for (size_t f = 0; f < columns && depth.taps != 1; ++f) {
        order_taps(from + f * depth.total, depth, ordered.data() + f * depth.total);
      }
      panels.add_columns(depth.taps == 1 ? from : ordered.data(), static_cast<ptrdiff_t>(depth.total), columns);
    }
  }
}

size_t conv_i8_scratch_bytes(const ConvShape& shape, bool is_signed, Int8Kernel kernel) {
  const Geometry g(shape);
  const Int8Depth depth(shape, g);
  return Scratch(shape, depth, Layout(shape, g, depth, is_signed, kernel)).bytes();
}

void conv_i8(const ConvShape& shape, Codes input, ptrdiff_t input_stride, int32_t input_zero,
             const int8_t* packed_weights, void* output, ptrdiff_t output_stride, const Int8Epilogue& epilogue,
             void* scratch, size_t begin, size_t end, Int8Kernel kernel) {
  const Geometry g(shape);
  const Int8Depth depth(shape, g);
  const Layout layout(shape, g, depth, input.is_signed, kernel);
  const Scratch sizes(shape, depth, layout);
  auto* const flipped = static_cast<uint8_t*>(scratch);
  auto* const zeros = flipped + sizes.flipped;
  auto* const gathered = zeros + sizes.zeros;
  auto* const pointers = reinterpret_cast<const uint8_t**>(gathered + sizes.gathered);
  auto* const packed = reinterpret_cast<int16_t*>(gathered + sizes.gathered + sizes.pointers);
  int16_t* const panel = packed + sizes.packed / sizeof(int16_t);
  auto* const sums = reinterpret_cast<int32_t*>(panel + sizes.panel / sizeof(int16_t));

  const auto* codes = static_cast<const uint8_t*>(input.data);
  ptrdiff_t stride = input_stride;
  if (layout.flips) {
    const size_t pixels = shape.batch * static_cast<size_t>(g.in_pixels());
    stride = static_cast<ptrdiff_t>(shape.in_channels);
    for (size_t i = 0; i < pixels; ++i) {
      flip_bytes(flipped + i * shape.in_channels, codes + static_cast<ptrdiff_t>(i) * input_stride, shape.in_channels);
    }
    codes = flipped;
  }
  const bool pairs = kernel == Int8Kernel::kPairs;
  const int32_t zero = pairs ? input_zero : moved_zero(kernel, input.is_signed, input_zero);
  std::fill_n(zeros, shape.in_channels, static_cast<uint8_t>(zero));
  const Int8Patches patches(g, depth, codes, stride, zeros, layout.row_bytes);
  const PairPacker packer{depth, input.is_signed, {zero, zero, zero, zero}};

  const size_t outputs = shape.out_channels / shape.groups;
  const size_t group_weights = packed_b_i8_size(depth.total, outputs, kernel);
  for (size_t start = begin; start < end; start += layout.rows) {
    const size_t rows = std::min(layout.rows, end - start);
    if (layout.by_tap) {
      const size_t tile = pairs ? kPairRows : kDotRows;
      // Rows that a last tile lacks are pointed at as well: kernels pack them.
      std::fill_n(pointers, round_up(rows, tile) * depth.taps, zeros);
      patches.point(start, start + rows, pointers,
                    [&](size_t i, size_t t) { return (i / tile * depth.taps + t) * tile + i % tile; });
    }
    for (size_t group = 0; group < shape.groups; ++group) {
      const size_t column = group * outputs, channel = group * depth.channels;
      const ptrdiff_t first = static_cast<ptrdiff_t>(start) * output_stride + static_cast<ptrdiff_t>(column);
      auto* const out = static_cast<std::byte*>(output) + first * static_cast<ptrdiff_t>(element_bytes(epilogue.output));
      const int8_t* const weights = packed_weights + group * group_weights;
      const Int8Epilogue part = from_column(epilogue, column);
      if (!pairs) {
        DotRows a{.start = gathered, .stride = static_cast<ptrdiff_t>(layout.row_bytes), .depth = depth.total};
        if (layout.in_place) {
          a.start = codes + static_cast<ptrdiff_t>(start) * stride;
          a.stride = stride;
        } else if (layout.by_tap) {
          a.rows = pointers;
          a.offset = channel;
          a.taps = depth.taps;
          a.depth = depth.channels;
        } else {
          patches.gather(start, start + rows, channel, gathered);
        }
        multiply_dots(rows, outputs, kernel, a, zero, sums, weights, out, output_stride, part);
        continue;
      }
      int32_t* const wanted_sums = epilogue.b_zero != nullptr ? sums : nullptr;
      if (wanted_sums != nullptr) std::fill_n(sums, layout.rows, 0);
      for (size_t tile = 0; tile < rows; tile += kPairRows) {
        int16_t* const to = packed + tile * round_up(depth.total, 2);
        int32_t* const tile_sums = wanted_sums != nullptr ? sums + tile : nullptr;
        if (layout.by_tap) {
          packer.pack_taps(pointers + tile * depth.taps, channel, to, tile_sums);
        } else {
          patches.gather(start + tile, start + std::min(tile + kPairRows, rows), channel, gathered);
          packer.pack_gathered(gathered, layout.row_bytes, to, tile_sums);
        }
      }
      multiply_pairs(rows, outputs, depth.total, packed, sums, weights, panel, out, output_stride, part);
    }
  }
}

}  // namespace kinglet::kernels
