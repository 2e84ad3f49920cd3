#include "kernels/conv.hpp"

#include <algorithm>
#include <cstdint>

#include "kernels/gemm_block.hpp"
#include "kernels/geometry.hpp"

namespace kinglet::kernels {
namespace {

constexpr size_t kConvRowBlock = 64;
/// Thinner taps cost more in pointers than in products, so kernel rows of such images are taken whole.
constexpr size_t kThinTap = 64;

/// How the K dimension (kernel taps times channels) is cut: into *units*, pieces that are contiguous in the input.
struct Plan {
  bool kernel_rows;      ///< a unit is a whole kernel row (kernel width times channels), else a single tap
  size_t units;          ///< in all
  size_t unit_depth;     ///< floats in one
  size_t units_per_block;
  size_t slices;         ///< pieces of a unit that is too deep for one K block

  Plan(const ConvShape& shape, const Geometry& g, bool contiguous_pixels) {
    const size_t channels = shape.in_channels / shape.groups;
    const auto width = static_cast<size_t>(g.kernel[2]);
    kernel_rows = contiguous_pixels && shape.groups == 1 && width > 1 && g.dilation[2] == 1 && channels < kThinTap &&
                  width * channels <= kMaxDepthBlock;
    const auto taps = static_cast<size_t>(g.taps());
    units = kernel_rows ? taps / width : taps;
    unit_depth = kernel_rows ? width * channels : channels;
    slices = depth_blocks(unit_depth);
    const size_t at_once = std::max<size_t>(1, kDepthBlock / std::max<size_t>(unit_depth, 1));
    const size_t blocks = units * unit_depth <= kMaxDepthBlock ? 1 : (units + at_once - 1) / at_once;
    units_per_block = (units + blocks - 1) / blocks;
  }
};

struct Scratch {
  size_t zeros;     ///< floats of zero: a padding tap of all groups
  size_t gathered;  ///< floats of kernel rows that reach into the padding
  size_t pointers;

  Scratch(const ConvShape& shape, const Plan& plan) {
    const auto whole_vectors = [](size_t n) { return (n + 3) / 4 * 4; };
    zeros = whole_vectors(std::max(shape.in_channels, plan.unit_depth));
    gathered = plan.kernel_rows ? whole_vectors(kConvRowBlock * plan.units_per_block * plan.unit_depth) : 0;
    pointers = kConvRowBlock * plan.units_per_block;
  }

  size_t bytes() const { return (zeros + gathered) * sizeof(float) + pointers * sizeof(const float*); }
};

/// Pointers to the inputs of up to kConvRowBlock output pixels, for one K block.
class RowTable {
 public:
  RowTable(const ConvShape& shape, const Geometry& g, const Plan& plan, const float* input, ptrdiff_t input_stride,
           void* scratch)
      : g_(g), plan_(plan), input_(input), stride_(input_stride), channels_(shape.in_channels / shape.groups) {
    const Scratch sizes(shape, plan);
    auto* floats = static_cast<float*>(scratch);
    std::fill_n(floats, sizes.zeros, 0.0f);
    zeros_ = floats;
    gathered_ = floats + sizes.zeros;
    rows_ = reinterpret_cast<const float**>(gathered_ + sizes.gathered);
  }

  const float* const* rows() const { return rows_; }

  /// Fills the table for output pixels [begin, end) and units [unit, unit + units).
  void fill(size_t begin, size_t end, size_t unit, size_t units) {
    units_ = units;
    next_gathered_ = gathered_;
    const auto width = static_cast<size_t>(g_.out[2]);
    for (size_t pixel = begin; pixel < end;) {
      const Line line(g_, pixel / width);
      const size_t column = pixel % width;
      const size_t count = std::min(end - pixel, width - column);
      for (size_t u = 0; u < units; ++u) fill_run(line, static_cast<ptrdiff_t>(column), count, pixel - begin, unit, u);
      pixel += count;
    }
  }

 private:
  void fill_run(const Line& line, ptrdiff_t column, size_t count, size_t row, size_t first_unit, size_t u) {
    const auto unit = static_cast<ptrdiff_t>(first_unit + u);
    const ptrdiff_t kernel_row = plan_.kernel_rows ? unit : unit / g_.kernel[2];
    const ptrdiff_t kx = plan_.kernel_rows ? 0 : unit % g_.kernel[2];
    const ptrdiff_t start = input_line(g_, line, kernel_row / g_.kernel[1], kernel_row % g_.kernel[1]);
    if (start < 0) {
      for (size_t i = 0; i < count; ++i) rows_[row_index(row + i, u, units_)] = zeros_;
      return;
    }
    const float* pixels = input_ + start * stride_;
    const ptrdiff_t covered = plan_.kernel_rows ? g_.kernel[2] : 1;
    ptrdiff_t x = column * g_.stride[2] - g_.pad[2] + kx * g_.dilation[2];
    for (size_t i = 0; i < count; ++i, x += g_.stride[2]) {
      const float* p = zeros_;
      if (x >= 0 && x + covered <= g_.in[2]) {
        p = pixels + x * stride_;
      } else if (x + covered > 0 && x < g_.in[2]) {
        p = gather(pixels, x);
      }
      rows_[row_index(row + i, u, units_)] = p;
    }
  }

  /// A kernel row that lies partly in the padding, with its zeros.
  const float* gather(const float* pixels, ptrdiff_t x) {
    float* const out = next_gathered_;
    next_gathered_ += plan_.unit_depth;
    for (ptrdiff_t k = 0; k < g_.kernel[2]; ++k) {
      const bool inside = x + k >= 0 && x + k < g_.in[2];
      std::copy_n(inside ? pixels + (x + k) * stride_ : zeros_, channels_, out + static_cast<size_t>(k) * channels_);
    }
    return out;
  }

  const Geometry& g_;
  const Plan& plan_;
  const float* input_;
  ptrdiff_t stride_;
  size_t channels_;
  size_t units_ = 0;
  const float* zeros_ = nullptr;
  float* gathered_ = nullptr;
  float* next_gathered_ = nullptr;
  const float** rows_ = nullptr;
};

Epilogue part_of(const Epilogue& e, size_t row, size_t column) {
  Epilogue part = e;
  if (part.bias != nullptr) part.bias += column;
  if (part.residual != nullptr) part.residual += static_cast<ptrdiff_t>(row) * e.residual_stride + column;
  return part;
}

bool is_pointwise(const Geometry& g) {
  return g.taps() == 1 && g.stride == Geometry::Sizes{1, 1, 1} && g.pad == Geometry::Sizes{0, 0, 0} && g.in == g.out;
}

}  // namespace

size_t output_lines(const ConvShape& shape) {
  const Geometry g(shape);
  return shape.batch * static_cast<size_t>(g.out[0] * g.out[1]);
}

size_t output_pixels(const ConvShape& shape) { return output_lines(shape) * static_cast<size_t>(Geometry(shape).out[2]); }

size_t packed_conv_weights_size(const ConvShape& shape) {
  const auto taps = static_cast<size_t>(Geometry(shape).taps());
  return shape.groups * packed_b_size(taps * (shape.in_channels / shape.groups), shape.out_channels / shape.groups);
}

void pack_conv_weights(float* packed, const ConvShape& shape, const float* weights) {
  const auto taps = static_cast<size_t>(Geometry(shape).taps());
  const size_t channels = shape.in_channels / shape.groups;
  const size_t outputs = shape.out_channels / shape.groups;
  for (size_t out = 0; out < shape.groups * outputs; out += std::min(kPanelWidth, outputs - out % outputs)) {
    const size_t columns = std::min(kPanelWidth, outputs - out % outputs);
    const float* source = weights + out * channels * taps;
    for (size_t t = 0; t < taps; ++t) {
      for (size_t c = 0; c < channels; ++c, packed += kPanelWidth) {
        for (size_t j = 0; j < columns; ++j) packed[j] = source[(j * channels + c) * taps + t];
        for (size_t j = columns; j < kPanelWidth; ++j) packed[j] = 0.0f;
      }
    }
  }
}

size_t conv_scratch_bytes(const ConvShape& shape) {
  const Geometry g(shape);
  if (is_pointwise(g)) return 0;
  // Whether the pixels are contiguous is only known at the call.
  return std::max(Scratch(shape, Plan(shape, g, true)).bytes(), Scratch(shape, Plan(shape, g, false)).bytes());
}

void conv(const ConvShape& shape, const float* input, ptrdiff_t input_stride, const float* packed_weights, float* output,
          ptrdiff_t output_stride, const Epilogue& epilogue, void* scratch, size_t begin, size_t end) {
  const Geometry g(shape);
  const size_t channels = shape.in_channels / shape.groups;
  const size_t outputs = shape.out_channels / shape.groups;
  const auto taps = static_cast<size_t>(g.taps());
  const size_t group_weights = packed_b_size(taps * channels, outputs);
  if (is_pointwise(g)) {
    const auto row = static_cast<ptrdiff_t>(begin);
    for (size_t group = 0; group < shape.groups; ++group) {
      gemm(end - begin, outputs, channels, input + row * input_stride + group * channels, input_stride,
           packed_weights + group * group_weights, output + row * output_stride + group * outputs, output_stride,
           part_of(epilogue, begin, group * outputs));
    }
    return;
  }

  const Plan plan(shape, g, input_stride == static_cast<ptrdiff_t>(shape.in_channels));
  RowTable table(shape, g, plan, input, input_stride, scratch);
  const size_t slice_depth = (plan.unit_depth + plan.slices - 1) / plan.slices;
  for (size_t row = begin; row < end; row += kConvRowBlock) {
    const size_t row_end = std::min(row + kConvRowBlock, end);
    for (size_t unit = 0; unit < plan.units; unit += plan.units_per_block) {
      const size_t units = std::min(plan.units_per_block, plan.units - unit);
      table.fill(row, row_end, unit, units);
      for (size_t group = 0; group < shape.groups; ++group) {
        const Epilogue part = part_of(epilogue, row, group * outputs);
        for (size_t slice = 0; slice < plan.slices; ++slice) {
          const size_t start = std::min(slice * slice_depth, plan.unit_depth);
          const size_t depth = std::min(slice_depth, plan.unit_depth - start);
          gemm_block({.m = row_end - row,
                      .n = outputs,
                      .packed_b = packed_weights + group * group_weights + (unit * plan.unit_depth + start) * kPanelWidth,
                      .panel_stride = taps * channels * kPanelWidth,
                      .c = output + static_cast<ptrdiff_t>(row) * output_stride + group * outputs,
                      .ldc = output_stride,
                      .first = unit == 0 && slice == 0,
                      .last = unit + units == plan.units && slice + 1 == plan.slices,
                      .epilogue = &part},
                     table.rows(), group * channels + start, units, depth);
        }
      }
    }
  }
}

}  // namespace kinglet::kernels
