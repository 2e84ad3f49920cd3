#include "kernels/conv_transpose.hpp"

#include <algorithm>
#include <numeric>

#include "kernels/conv_transpose_patches.hpp"
#include "kernels/gemm_block.hpp"
#include "kernels/geometry.hpp"

namespace kinglet::kernels {
namespace {

// Output positions whose (o + pad) has the same remainder by the stride form a *phase*: they use the same
// taps, and among themselves are an ordinary convolution of stride 1. The taps of a phase are `step` apart,
// so it is known by its first tap; weights are packed phase after phase in the order of these.

constexpr size_t kTransposeRowBlock = 11 * kTileRows;

/// The taps of one dimension that a phase uses; none for a phase that no tap reaches.
struct PhaseTaps {
  ptrdiff_t count = 0;
  ptrdiff_t first = 0;
  ptrdiff_t step = 1;
  ptrdiff_t before = 0;  ///< taps of the phases that are packed before this one

  static PhaseTaps with_first(const Geometry& g, size_t dim, ptrdiff_t first) {
    PhaseTaps p;
    p.step = step_of(g, dim);
    p.first = first;
    p.count = ceil_div(g.kernel[dim] - first, p.step);
    for (ptrdiff_t i = 0; i < first; ++i) p.before += ceil_div(g.kernel[dim] - i, p.step);
    return p;
  }

  static PhaseTaps of_remainder(const Geometry& g, size_t dim, ptrdiff_t remainder) {
    for (ptrdiff_t t = 0; t < phases(g, dim); ++t) {
      if (t * g.dilation[dim] % g.stride[dim] == remainder) return with_first(g, dim, t);
    }
    return {};
  }

  static ptrdiff_t step_of(const Geometry& g, size_t dim) {
    return g.stride[dim] / std::gcd(g.stride[dim], g.dilation[dim]);
  }

  /// Phases that have taps.
  static ptrdiff_t phases(const Geometry& g, size_t dim) { return std::min(step_of(g, dim), g.kernel[dim]); }

  ptrdiff_t tap(ptrdiff_t i) const { return first + i * step; }
};

constexpr ptrdiff_t positive_mod(ptrdiff_t a, ptrdiff_t b) { return (a % b + b) % b; }

/// The input position that tap t brings to output o, which is of the tap's phase; -1 outside the input.
ptrdiff_t source(const Geometry& g, size_t dim, ptrdiff_t o, ptrdiff_t t) {
  const ptrdiff_t shifted = o + g.pad[dim] - t * g.dilation[dim];
  if (shifted < 0) return -1;
  const ptrdiff_t position = shifted / g.stride[dim];
  return position < g.in[dim] ? position : -1;
}

size_t units_per_block(size_t channels) {
  return std::max<size_t>(1, kDepthBlock / std::max<size_t>(channels, 1));
}

/// The most taps that one K block takes.
size_t most_units(const ConvShape& shape, const Geometry& g) {
  return std::min(units_per_block(shape.in_channels / shape.groups), static_cast<size_t>(g.taps()));
}

size_t zero_floats(const ConvShape& shape) { return (shape.in_channels + 3) / 4 * 4; }

struct Call {
  const ConvShape& shape;
  const Geometry& g;
  const float* input;
  ptrdiff_t input_stride;
  float* output;
  ptrdiff_t output_stride;
  const Epilogue& epilogue;
  const float* packed_weights;
  const float* zeros;
  const float** rows;
};

/// The taps of a phase; its weights are packed in the order z, y, x.
struct Phase {
  PhaseTaps z, y, x;

  size_t taps() const { return static_cast<size_t>(z.count * y.count * x.count); }

  ptrdiff_t kernel_z(size_t i) const { return z.tap(static_cast<ptrdiff_t>(i) / (y.count * x.count)); }
  ptrdiff_t kernel_y(size_t i) const { return y.tap(static_cast<ptrdiff_t>(i) / x.count % y.count); }
  ptrdiff_t kernel_x(size_t i) const { return x.tap(static_cast<ptrdiff_t>(i) % x.count); }

  /// The phase's tap i as an index into the kernel.
  size_t kernel_tap(const Geometry& g, size_t i) const {
    return static_cast<size_t>((kernel_z(i) * g.kernel[1] + kernel_y(i)) * g.kernel[2] + kernel_x(i));
  }

  /// Taps of all phases that are packed before this one.
  size_t taps_before(const Geometry& g) const {
    return static_cast<size_t>((z.before * g.kernel[1] + z.count * y.before) * g.kernel[2] +
                               z.count * y.count * x.before);
  }
};

/// Pointers for output columns first + i * stride of `line`, i in [0, count), and taps [unit, unit + units).
void fill_rows(const Call& call, const Phase& phase, const Line& line, ptrdiff_t first, size_t count,
               size_t unit, size_t units) {
  const Geometry& g = call.g;
  for (size_t u = 0; u < units; ++u) {
    const ptrdiff_t iz = source(g, 0, line.z, phase.kernel_z(unit + u));
    const ptrdiff_t iy = source(g, 1, line.y, phase.kernel_y(unit + u));
    const ptrdiff_t start = iz < 0 || iy < 0 ? -1 : ((line.image * g.in[0] + iz) * g.in[1] + iy) * g.in[2];
    const ptrdiff_t tx = phase.kernel_x(unit + u);
    for (size_t i = 0; i < count; ++i) {
      const ptrdiff_t ix = source(g, 2, first + static_cast<ptrdiff_t>(i) * g.stride[2], tx);
      call.rows[row_index(i, u, units)] =
          start < 0 || ix < 0 ? call.zeros : call.input + (start + ix) * call.input_stride;
    }
  }
}

/// Up to kTransposeRowBlock output pixels of a line, `stride` columns apart from `first`, for every group.
void run_pixels(const Call& call, const Phase& phase, const Line& line, ptrdiff_t line_start, ptrdiff_t first,
                size_t count) {
  const size_t channels = call.shape.in_channels / call.shape.groups;
  const size_t outputs = call.shape.out_channels / call.shape.groups;
  const size_t taps = phase.taps();
  const DepthSplit slices(channels);
  const ptrdiff_t pixel = line_start + first;
  const float* const packed =
      call.packed_weights + call.shape.groups * packed_b_size(phase.taps_before(call.g) * channels, outputs);
  size_t unit = 0;
  do {
    const size_t units = std::min(units_per_block(channels), taps - unit);
    fill_rows(call, phase, line, first, count, unit, units);
    for (size_t group = 0; group < call.shape.groups; ++group) {
      Epilogue part = call.epilogue;
      part.residual_stride *= call.g.stride[2];
      if (part.bias != nullptr) part.bias += group * outputs;
      if (part.residual != nullptr) part.residual += pixel * call.epilogue.residual_stride + group * outputs;
      size_t start = 0;
      do {
        gemm_block({.m = count,
                    .n = outputs,
                    .packed_b = packed + group * packed_b_size(taps * channels, outputs) +
                                (unit * channels + start) * packed_columns(outputs),
                    .c = call.output + pixel * call.output_stride + group * outputs,
                    .ldc = call.output_stride * call.g.stride[2],
                    .begins_sums = unit == 0 && start == 0,
                    .ends_sums = unit + units == taps && start + slices.step >= channels,
                    .epilogue = &part},
                   call.rows, group * channels + start, units, std::min(slices.step, channels - start));
        start += slices.step;
      } while (start < channels);
    }
    unit += units;
  } while (unit < taps);
}

}  // namespace

size_t packed_conv_transpose_weights_size(const ConvShape& shape) {
  if (makes_patches(shape)) return packed_patch_weights_size(shape);
  const auto taps = static_cast<size_t>(Geometry(shape).taps());
  return shape.groups *
         packed_b_size(taps * (shape.in_channels / shape.groups), shape.out_channels / shape.groups);
}

void pack_conv_transpose_weights(float* packed, const ConvShape& shape, const float* weights) {
  if (makes_patches(shape)) return pack_patch_weights(packed, shape, weights);
  const Geometry g(shape);
  const size_t channels = shape.in_channels / shape.groups;
  const size_t outputs = shape.out_channels / shape.groups;
  const auto taps = static_cast<size_t>(g.taps());
  const size_t at_once = units_per_block(channels);
  const DepthSplit slices(channels);
  // One K block of a group: channels [start, start + depth) of the phase's taps [unit, unit + units).
  const auto pack_block = [&](const Phase& phase, size_t group, size_t unit, size_t units, size_t start,
                              size_t depth) {
    for (size_t column = 0; column < outputs; column += kPanelWidth) {
      for (size_t i = unit; i < unit + units; ++i) {
        const size_t tap = phase.kernel_tap(g, i);
        for (size_t c = start; c < start + depth; ++c, packed += kPanelWidth) {
          const float* const from = weights + ((group * channels + c) * outputs + column) * taps + tap;
          for (size_t j = 0; j < kPanelWidth; ++j) packed[j] = column + j < outputs ? from[j * taps] : 0.0f;
        }
      }
    }
  };
  const auto pack_phase = [&](const Phase& phase) {
    for (size_t group = 0; group < shape.groups; ++group) {
      for (size_t unit = 0; unit < phase.taps(); unit += at_once) {
        const size_t units = std::min(at_once, phase.taps() - unit);
        for (size_t start = 0; start < channels; start += slices.step) {
          pack_block(phase, group, unit, units, start, std::min(slices.step, channels - start));
        }
      }
    }
  };
  for (ptrdiff_t z = 0; z < PhaseTaps::phases(g, 0); ++z) {
    for (ptrdiff_t y = 0; y < PhaseTaps::phases(g, 1); ++y) {
      for (ptrdiff_t x = 0; x < PhaseTaps::phases(g, 2); ++x) {
        pack_phase(
            {PhaseTaps::with_first(g, 0, z), PhaseTaps::with_first(g, 1, y), PhaseTaps::with_first(g, 2, x)});
      }
    }
  }
}

size_t conv_transpose_scratch_bytes(const ConvShape& shape) {
  if (makes_patches(shape)) return patches_scratch_bytes(shape);
  const Geometry g(shape);
  return zero_floats(shape) * sizeof(float) +
         kTransposeRowBlock * most_units(shape, g) * sizeof(const float*);
}

void conv_transpose(const ConvShape& shape, const float* input, ptrdiff_t input_stride,
                    const float* packed_weights, float* output, ptrdiff_t output_stride,
                    const Epilogue& epilogue, void* scratch, size_t begin, size_t end) {
  if (makes_patches(shape)) {
    return conv_transpose_patches(shape, input, input_stride, packed_weights, output, output_stride, epilogue,
                                  scratch, begin, end);
  }
  const Geometry g(shape);
  auto* zeros = static_cast<float*>(scratch);
  std::fill_n(zeros, zero_floats(shape), 0.0f);
  const auto** rows = reinterpret_cast<const float**>(zeros + zero_floats(shape));
  const Call call{shape,         g,        input,          input_stride, output,
                  output_stride, epilogue, packed_weights, zeros,        rows};
  const auto phase_of = [&](size_t dim, ptrdiff_t position) {
    return PhaseTaps::of_remainder(g, dim, positive_mod(position + g.pad[dim], g.stride[dim]));
  };
  for (size_t index = begin; index < end; ++index) {
    const Line line(g, index);
    const ptrdiff_t line_start = static_cast<ptrdiff_t>(index) * g.out[2];
    Phase phase{phase_of(0, line.z), phase_of(1, line.y), {}};
    for (ptrdiff_t first = 0; first < std::min(g.stride[2], g.out[2]); ++first) {
      phase.x = phase_of(2, first);
      const ptrdiff_t pixels = ceil_div(g.out[2] - first, g.stride[2]);
      constexpr auto kBlock = static_cast<ptrdiff_t>(kTransposeRowBlock);
      for (ptrdiff_t done = 0; done < pixels; done += kBlock) {
        run_pixels(call, phase, line, line_start, first + done * g.stride[2],
                   static_cast<size_t>(std::min(kBlock, pixels - done)));
      }
    }
  }
}

}  // namespace kinglet::kernels
