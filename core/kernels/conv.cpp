#include "kernels/conv.hpp"

#include <algorithm>
#include <cstdint>

#include "base/inlining.hpp"
#include "kernels/conv_channels.hpp"
#include "kernels/gemm_block.hpp"
#include "kernels/gemm_columns.hpp"
#include "kernels/geometry.hpp"
#include "kernels/strassen.hpp"

namespace kinglet::kernels {
namespace {

constexpr size_t kConvRowBlock = 11 * kTileRows;
/// Rows of a product with fewer multiplications: its sums stay in the second cache.
constexpr size_t kStrassenRows = 1024;
/// Thinner taps cost more in pointers than in products, so kernel rows of such images are taken whole.
constexpr size_t kThinTap = 64;

/// How the K dimension (kernel taps times channels) is cut into blocks. The cut is the same for every call,
/// because the weights are packed by it.
struct Plan {
  size_t taps, width, channels;
  bool thin;               ///< a *piece* is a whole kernel row, else a tap
  size_t pieces;           ///< in all
  size_t depth;            ///< floats in a piece
  size_t pieces_in_block;  ///< of several whole pieces, or one ...
  DepthSplit slices;       ///< ... that is cut in turn

  Plan(const ConvShape& shape, const Geometry& g)
      : taps(static_cast<size_t>(g.taps())),
        width(static_cast<size_t>(g.kernel[2])),
        channels(shape.in_channels / shape.groups),
        thin(channels < kThinTap && width * channels <= kMaxDepthBlock),
        pieces(thin ? taps / width : taps),
        depth(thin ? width * channels : channels),
        slices(depth) {
    const size_t at_once = std::max<size_t>(1, kDepthBlock / std::max<size_t>(depth, 1));
    const size_t blocks = pieces * depth <= kMaxDepthBlock ? 1 : (pieces + at_once - 1) / at_once;
    pieces_in_block = (pieces + blocks - 1) / blocks;
  }

  /// Calls f(first piece, pieces) for the runs of whole pieces that a row table is made for.
  template <class F>
  void for_each_run(F f) const {
    for (size_t piece = 0; piece < pieces; piece += pieces_in_block)
      f(piece, std::min(pieces_in_block, pieces - piece));
  }

  /// Calls f(first channel of the slice, channels in it, is the last) for the K blocks of a run; one, of
  /// whole pieces, if a piece is not cut.
  template <class F>
  void for_each_slice(F f) const {
    for (size_t i = 0; i < slices.blocks; ++i) {
      const size_t start = std::min(i * slices.step, depth);
      f(start, std::min(slices.step, depth - start), i + 1 == slices.blocks);
    }
  }

  /// Whether a kernel row is one run of floats in the input too.
  bool joins_taps(const ConvShape& shape, const Geometry& g, ptrdiff_t input_stride) const {
    return thin && shape.groups == 1 && g.dilation[2] == 1 &&
           input_stride == static_cast<ptrdiff_t>(shape.in_channels);
  }
};

struct Scratch {
  size_t zeros;     ///< floats of zero: a padding tap of all groups
  size_t gathered;  ///< floats of kernel rows that reach into the padding
  size_t pointers;

  Scratch(const ConvShape& shape, const Plan& plan) {
    const auto whole_vectors = [](size_t n) { return (n + 3) / 4 * 4; };
    zeros = whole_vectors(std::max(shape.in_channels, plan.depth));
    gathered = plan.thin ? whole_vectors(kConvRowBlock * plan.pieces_in_block * plan.depth) : 0;
    pointers = kConvRowBlock * plan.pieces_in_block * (plan.thin ? plan.width : 1);
  }

  size_t bytes() const { return (zeros + gathered) * sizeof(float) + pointers * sizeof(const float*); }
};

/// Pointers to the inputs of up to kConvRowBlock output pixels, for one run of pieces.
class RowTable {
 public:
  RowTable(const ConvShape& shape, const Geometry& g, const Plan& plan, const float* input,
           ptrdiff_t input_stride, void* scratch)
      : g_(g),
        plan_(plan),
        input_(input),
        stride_(input_stride),
        joined_(plan.joins_taps(shape, g, input_stride)) {
    const Scratch sizes(shape, plan);
    auto* floats = static_cast<float*>(scratch);
    std::fill_n(floats, sizes.zeros, 0.0f);
    zeros_ = floats;
    gathered_ = floats + sizes.zeros;
    rows_ = reinterpret_cast<const float**>(gathered_ + sizes.gathered);
  }

  const float* const* rows() const { return rows_; }

  /// Runs of floats that a piece is in the table.
  size_t taps_in_piece() const { return plan_.thin && !joined_ ? plan_.width : 1; }

  /// Fills the table for output pixels [begin, end) and pieces [piece, piece + pieces).
  void fill(size_t begin, size_t end, size_t piece, size_t pieces) {
    taps_ = pieces * taps_in_piece();
    next_gathered_ = gathered_;
    const auto width = static_cast<size_t>(g_.out[2]);
    for (size_t pixel = begin; pixel < end;) {
      const Line line(g_, pixel / width);
      const size_t column = pixel % width;
      const size_t count = std::min(end - pixel, width - column);
      for (size_t t = 0; t < taps_; ++t) {
        fill_run(line, static_cast<ptrdiff_t>(column), count, pixel - begin, piece * taps_in_piece(), t);
      }
      pixel += count;
    }
  }

 private:
  KINGLET_APART void fill_run(const Line& line, ptrdiff_t column, size_t count, size_t row, size_t first_tap, size_t t) {
    const auto tap = static_cast<ptrdiff_t>(first_tap + t);
    const ptrdiff_t kernel_row = joined_ ? tap : tap / g_.kernel[2];
    const ptrdiff_t kx = joined_ ? 0 : tap % g_.kernel[2];
    const ptrdiff_t start = input_line(g_, line, kernel_row / g_.kernel[1], kernel_row % g_.kernel[1]);
    if (start < 0) {
      for (size_t i = 0; i < count; ++i) rows_[row_index(row + i, t, taps_)] = zeros_;
      return;
    }
    const float* const pixels = input_ + start * stride_;
    const ptrdiff_t covered = joined_ ? g_.kernel[2] : 1;
    const ptrdiff_t step = g_.stride[2];
    const ptrdiff_t x = column * step - g_.pad[2] + kx * g_.dilation[2];
    const auto total = static_cast<ptrdiff_t>(count);
    // Pixels [inside, outside) need no look at the padding.
    const ptrdiff_t inside = std::clamp<ptrdiff_t>(ceil_div(-x, step), 0, total);
    const ptrdiff_t outside =
        std::clamp<ptrdiff_t>(ceil_div(g_.in[2] - covered + 1 - x, step), inside, total);
    const auto set = [&](ptrdiff_t i, const float* p) {
      rows_[row_index(row + static_cast<size_t>(i), t, taps_)] = p;
    };
    for (ptrdiff_t i = 0; i < inside; ++i) set(i, at_edge(pixels, x + i * step, covered));
    const float* p = pixels + (x + inside * step) * stride_;
    for (ptrdiff_t i = inside; i < outside; ++i, p += step * stride_) set(i, p);
    for (ptrdiff_t i = outside; i < total; ++i) set(i, at_edge(pixels, x + i * step, covered));
  }

  /// A tap that is not wholly inside.
  const float* at_edge(const float* pixels, ptrdiff_t x, ptrdiff_t covered) {
    return x + covered > 0 && x < g_.in[2] ? gather(pixels, x) : zeros_;
  }

  /// A kernel row that lies partly in the padding, with its zeros.
  KINGLET_APART const float* gather(const float* pixels, ptrdiff_t x) {
    float* const out = next_gathered_;
    next_gathered_ += plan_.depth;
    for (ptrdiff_t k = 0; k < g_.kernel[2]; ++k) {
      const bool inside = x + k >= 0 && x + k < g_.in[2];
      std::copy_n(inside ? pixels + (x + k) * stride_ : zeros_, plan_.channels,
                  out + static_cast<size_t>(k) * plan_.channels);
    }
    return out;
  }

  const Geometry& g_;
  const Plan& plan_;
  const float* input_;
  ptrdiff_t stride_;
  bool joined_;  ///< a tap of the table is a whole kernel row
  size_t taps_ = 0;
  const float* zeros_ = nullptr;
  float* gathered_ = nullptr;
  float* next_gathered_ = nullptr;
  const float** rows_ = nullptr;
};

bool is_pointwise(const Geometry& g) {
  return g.taps() == 1 && g.stride == Geometry::Sizes{1, 1, 1} && g.pad == Geometry::Sizes{0, 0, 0} &&
         g.in == g.out;
}

size_t strassen_rows(const ConvShape& shape) {
  const size_t pixels = output_pixels(shape);
  const size_t blocks = std::max<size_t>(1, (pixels + kStrassenRows - 1) / kStrassenRows);
  return (pixels + blocks - 1) / blocks;
}

/// Output pixels [begin, end) of a pointwise convolution: a plain product for each group.
void pointwise(const ConvShape& shape, const float* input, ptrdiff_t input_stride, const float* packed_weights,
               float* output, ptrdiff_t output_stride, const Epilogue& epilogue, float* scratch, size_t begin,
               size_t end) {
  const size_t channels = shape.in_channels / shape.groups, outputs = shape.out_channels / shape.groups;
  // A residual costs Strassen's sums what they save.
  const bool plain = !shape.strassen || shape.groups > 1 || epilogue.residual != nullptr;
  const size_t rows = plain ? end - begin : strassen_rows(shape);
  for (size_t start = begin; start < end; start += rows) {
    const size_t m = std::min(rows, end - start);
    const auto row = static_cast<ptrdiff_t>(start);
    for (size_t group = 0; group < shape.groups; ++group) {
      const float* const a = input + row * input_stride + group * channels;
      const float* const b = packed_weights + group * packed_b_size(channels, outputs);
      float* const c = output + row * output_stride + group * outputs;
      const Epilogue part = part_of(epilogue, start, group * outputs);
      if (plain) {
        gemm(m, outputs, channels, a, input_stride, b, c, output_stride, part);
      } else {
        strassen(m, outputs, channels, a, input_stride, b, c, output_stride, part, scratch);
      }
    }
  }
}

/// A tap's weights of `count` channels, `step` floats apart, of the `columns` filters of a panel, `filter` floats apart.
KINGLET_APART void pack_tap(float* packed, size_t count, const float* from, size_t step, size_t filter, size_t columns) {
  for (size_t i = 0; i < count; ++i, from += step, packed += kPanelWidth) {
    for (size_t j = 0; j < columns; ++j) packed[j] = from[j * filter];
    for (size_t j = columns; j < kPanelWidth; ++j) packed[j] = 0.0f;
  }
}

}  // namespace

size_t output_lines(const ConvShape& shape) {
  const Geometry g(shape);
  return shape.batch * static_cast<size_t>(g.out[0] * g.out[1]);
}

size_t output_pixels(const ConvShape& shape) {
  return output_lines(shape) * static_cast<size_t>(Geometry(shape).out[2]);
}

bool packs_as_matrices(const ConvShape& shape) { return Geometry(shape).taps() == 1; }

size_t packed_conv_weights_size(const ConvShape& shape) {
  const auto taps = static_cast<size_t>(Geometry(shape).taps());
  return shape.groups *
         packed_b_size(taps * (shape.in_channels / shape.groups), shape.out_channels / shape.groups);
}

void pack_conv_weights(float* packed, const ConvShape& shape, const float* weights) {
  const Geometry g(shape);
  const Plan plan(shape, g);
  const size_t outputs = shape.out_channels / shape.groups;
  const size_t filter = plan.taps * plan.channels;
  if (packs_as_matrices(shape)) {
    for (size_t group = 0; group < shape.groups; ++group) {
      pack_b(packed + group * packed_b_size(filter, outputs), filter, outputs, weights + group * outputs * filter, 1,
             static_cast<ptrdiff_t>(filter));
    }
    return;
  }
  // One K block of a group: floats [first, first + depth) of every filter in the order taps, channels.
  const auto pack_block = [&](const float* filters, size_t first, size_t depth) {
    for (size_t column = 0; column < outputs; column += kPanelWidth) {
      for (size_t k = first; k < first + depth;) {
        const size_t tap = k / plan.channels, channel = k % plan.channels;
        const size_t count = std::min(plan.channels - channel, first + depth - k);
        pack_tap(packed, count, filters + column * filter + channel * plan.taps + tap, plan.taps, filter,
                 std::min(outputs - column, kPanelWidth));
        packed += count * kPanelWidth;
        k += count;
      }
    }
  };
  for (size_t group = 0; group < shape.groups; ++group) {
    const float* const filters = weights + group * outputs * filter;
    plan.for_each_run([&](size_t piece, size_t pieces) {
      plan.for_each_slice([&](size_t start, size_t depth, bool) {
        pack_block(filters, piece * plan.depth + start, pieces * depth);
      });
    });
  }
}

size_t conv_scratch_bytes(const ConvShape& shape) {
  const Geometry g(shape);
  if (!is_pointwise(g)) return Scratch(shape, Plan(shape, g)).bytes();
  if (!shape.strassen || shape.groups > 1) return 0;
  return strassen_scratch_size(strassen_rows(shape), shape.out_channels, shape.in_channels, false) * sizeof(float);
}

void conv(const ConvShape& shape, const float* input, ptrdiff_t input_stride, const float* packed_weights,
          float* output, ptrdiff_t output_stride, const Epilogue& epilogue, void* scratch, size_t begin,
          size_t end) {
  conv_channels(shape, input, input_stride, packed_weights, output, output_stride, epilogue, scratch, begin, end, 0,
                shape.out_channels / shape.groups);
}

void conv_channels(const ConvShape& shape, const float* input, ptrdiff_t input_stride, const float* packed_weights,
                   float* output, ptrdiff_t output_stride, const Epilogue& epilogue, void* scratch, size_t begin,
                   size_t end, size_t first, size_t last) {
  const Geometry g(shape);
  const Plan plan(shape, g);
  const size_t outputs = shape.out_channels / shape.groups;
  const size_t group_weights = packed_b_size(plan.taps * plan.channels, outputs);
  if (is_pointwise(g)) {
    if (first == 0 && last == outputs) {
      return pointwise(shape, input, input_stride, packed_weights, output, output_stride, epilogue,
                       static_cast<float*>(scratch), begin, end);
    }
    const auto row = static_cast<ptrdiff_t>(begin);
    return gemm_columns(end - begin, outputs, plan.channels, input + row * input_stride, input_stride, packed_weights,
                        output + row * output_stride, output_stride, part_of(epilogue, begin, 0), first, last);
  }

  RowTable table(shape, g, plan, input, input_stride, scratch);
  for (size_t row = begin; row < end; row += kConvRowBlock) {
    const size_t row_end = std::min(row + kConvRowBlock, end);
    plan.for_each_run([&](size_t piece, size_t pieces) {
      table.fill(row, row_end, piece, pieces);
      for (size_t group = 0; group < shape.groups; ++group) {
        const Epilogue part = part_of(epilogue, row, group * outputs + first);
        plan.for_each_slice([&](size_t start, size_t depth, bool last_slice) {
          gemm_block({.m = row_end - row,
                      .n = last - first,
                      .packed_b = packed_weights + group * group_weights +
                                  (piece * plan.depth + start) * packed_columns(outputs) + first * pieces * depth,
                      .c = output + static_cast<ptrdiff_t>(row) * output_stride + group * outputs + first,
                      .ldc = output_stride,
                      .begins_sums = piece == 0 && start == 0,
                      .ends_sums = piece + pieces == plan.pieces && last_slice,
                      .b_was_read = row != begin,
                      .epilogue = &part},
                     table.rows(), group * plan.channels + start, pieces * table.taps_in_piece(),
                     depth / table.taps_in_piece());
        });
      }
    });
  }
}

}  // namespace kinglet::kernels
