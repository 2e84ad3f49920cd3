#include "kernels/depthwise.hpp"

#include <algorithm>

#include "kernels/finish.hpp"
#include "kernels/geometry.hpp"
#include "kernels/simd.hpp"

namespace kinglet::kernels {
namespace {

using simd::f32x4;

constexpr size_t round_up(size_t channels) { return (channels + 3) / 4 * 4; }

/// What every pixel of a call shares.
struct Context {
  size_t channels;
  size_t weight_stride;                                    ///< floats from a tap's weights to the next
  ptrdiff_t input_stride, output_stride, residual_stride;  ///< of pixels
  const float* bias;
  Finish end;
};

/// Where a pixel's results go, and what is added to them.
struct Target {
  float* output;
  const float* residual;
};

/// One output pixel from any taps, channels [first, channels).
KINGLET_APART void depthwise_f32_taps(const Context& x, size_t first, size_t taps, const float* const* inputs,
                        const float* const* weights, const Target& to) {
  simd::for_vectors(first, x.channels, [&](size_t c, size_t lanes) KINGLET_INLINE_LAMBDA {
    f32x4 acc = x.bias != nullptr ? simd::load_partial(x.bias + c, lanes) : f32x4{};
    for (size_t t = 0; t < taps; ++t) {
      acc = simd::madd(simd::load_partial(inputs[t] + c, lanes), simd::load(weights[t] + c), acc);
    }
    if (to.residual != nullptr) acc += simd::load_partial(to.residual + c, lanes);
    f32x4 result[1] = {acc};
    finish(x.end, result);
    simd::store_partial(to.output + c, result[0], lanes);
  });
}

constexpr size_t kTilePixels = 8;

/// The kernel rows under a tile of neighbouring output pixels.
struct TileInput {
  size_t rows;
  const float* const* inputs;  ///< [rows], each at the first tap of the first pixel
  const float* const* weights;
  size_t pixels;  ///< that exist
  // Input columns, counted from the first tap, that lie inside the image.
  size_t first_column, last_column;
};

/// Up to kTilePixels pixels from kernel rows of width KX, with horizontal stride SX and no dilation; all
/// whole vectors of channels. One function for the inside of the image and its edges: a second one, without the
/// comparisons, gains nothing once it is optimised, and an engine has to optimise it first.
template <size_t KX, size_t SX>
void depthwise_f32_tile(const Context& context, const TileInput& input, const Target& target) {
  // Copies, because the stores below could change what a reference names.
  const Context x = context;
  const TileInput in = input;
  const Target to = target;
  for (size_t c = 0; c + simd::kLanes <= x.channels; c += simd::kLanes) {
    f32x4 acc[kTilePixels];
    const f32x4 bias = x.bias != nullptr ? simd::load(x.bias + c) : f32x4{};
    for (size_t t = 0; t < kTilePixels; ++t) acc[t] = bias;
    for (size_t r = 0; r < in.rows; ++r) {
      f32x4 w[KX];
      for (size_t k = 0; k < KX; ++k) w[k] = simd::load(in.weights[r] + k * x.weight_stride + c);
      const float* p = in.inputs[r] + c;
#pragma GCC unroll 32
      for (size_t column = 0; column < (kTilePixels - 1) * SX + KX; ++column, p += x.input_stride) {
        if (column < in.first_column || column >= in.last_column) continue;
        const f32x4 v = simd::load(p);
#pragma GCC unroll 8
        for (size_t t = 0; t < kTilePixels; ++t) {
          // A negative tap wraps to a great one.
          const size_t k = column - t * SX;
          if (k < KX) acc[t] = simd::madd(v, w[k], acc[t]);
        }
      }
    }
    if (to.residual != nullptr) {
      for (size_t t = 0; t < kTilePixels; ++t) {
        if (t < in.pixels) acc[t] += simd::load(to.residual + static_cast<ptrdiff_t>(t) * x.residual_stride + c);
      }
    }
    finish(x.end, acc);
    for (size_t t = 0; t < kTilePixels; ++t) {
      if (t < in.pixels) simd::store(to.output + static_cast<ptrdiff_t>(t) * x.output_stride + c, acc[t]);
    }
  }
}

using TileFunction = void (*)(const Context&, const TileInput&, const Target&);

/// Null when only the taps form fits.
TileFunction tile_for(const Geometry& g) {
  if (g.dilation[2] != 1) return nullptr;
  if (g.kernel[2] == 3 && g.stride[2] == 1) return depthwise_f32_tile<3, 1>;
  if (g.kernel[2] == 3 && g.stride[2] == 2) return depthwise_f32_tile<3, 2>;
  if (g.kernel[2] == 5 && g.stride[2] == 1) return depthwise_f32_tile<5, 1>;
  if (g.kernel[2] == 5 && g.stride[2] == 2) return depthwise_f32_tile<5, 2>;
  return nullptr;
}

/// The kernel rows and taps of one output line that lie inside the input. Lives in the caller's scratch.
class LineTaps {
 public:
  LineTaps(const Geometry& g, void* scratch) : g_(g) {
    rows_ = static_cast<const float**>(scratch);
    const auto kernel_rows = static_cast<size_t>(g.kernel[0] * g.kernel[1]);
    row_weights_ = rows_ + kernel_rows;
    taps_ = row_weights_ + kernel_rows;
    tap_weights_ = taps_ + g.taps();
  }

  static size_t bytes(const Geometry& g) {
    return 2 * static_cast<size_t>(g.kernel[0] * g.kernel[1] + g.taps()) * sizeof(const float*);
  }

  KINGLET_APART void select_line(const Line& line, const float* input, ptrdiff_t input_stride, const float* weights,
                   size_t weight_stride) {
    row_count_ = 0;
    for (ptrdiff_t r = 0; r < g_.kernel[0] * g_.kernel[1]; ++r) {
      const ptrdiff_t start = input_line(g_, line, r / g_.kernel[1], r % g_.kernel[1]);
      if (start < 0) continue;
      rows_[row_count_] = input + start * input_stride;
      row_weights_[row_count_++] = weights + static_cast<size_t>(r * g_.kernel[2]) * weight_stride;
    }
  }

  /// `pixels` output pixels, at most kTilePixels, from `column`.
  KINGLET_APART void tile(const Context& x, ptrdiff_t column, ptrdiff_t pixels, TileFunction run, const Target& to) {
    const ptrdiff_t first = column * g_.stride[2] - g_.pad[2];
    for (size_t r = 0; r < row_count_; ++r) taps_[r] = rows_[r] + first * x.input_stride;
    const TileInput in{.rows = row_count_,
                       .inputs = taps_,
                       .weights = row_weights_,
                       .pixels = static_cast<size_t>(pixels),
                       .first_column = static_cast<size_t>(std::max<ptrdiff_t>(-first, 0)),
                       .last_column = static_cast<size_t>(std::max<ptrdiff_t>(g_.in[2] - first, 0))};
    run(x, in, to);
  }

  KINGLET_APART void pixel(const Context& x, size_t first_channel, ptrdiff_t column, const Target& to) {
    size_t count = 0;
    for (size_t r = 0; r < row_count_; ++r) {
      for (ptrdiff_t k = 0; k < g_.kernel[2]; ++k) {
        const ptrdiff_t position = column * g_.stride[2] - g_.pad[2] + k * g_.dilation[2];
        if (position < 0 || position >= g_.in[2]) continue;
        taps_[count] = rows_[r] + position * x.input_stride;
        tap_weights_[count++] = row_weights_[r] + static_cast<size_t>(k) * x.weight_stride;
      }
    }
    depthwise_f32_taps(x, first_channel, count, taps_, tap_weights_, to);
  }

 private:
  const Geometry& g_;
  size_t row_count_ = 0;
  const float** rows_;
  const float** row_weights_;
  const float** taps_;
  const float** tap_weights_;
};

}  // namespace

bool is_depthwise(const ConvShape& shape) {
  return shape.groups == shape.in_channels && shape.groups == shape.out_channels;
}

size_t packed_depthwise_weights_size(const ConvShape& shape) {
  return static_cast<size_t>(Geometry(shape).taps()) * round_up(shape.in_channels);
}

void pack_depthwise_weights(float* packed, const ConvShape& shape, const float* weights) {
  const auto taps = static_cast<size_t>(Geometry(shape).taps());
  for (size_t t = 0; t < taps; ++t) {
    for (size_t c = 0; c < round_up(shape.in_channels); ++c) {
      *packed++ = c < shape.in_channels ? weights[c * taps + t] : 0.0f;
    }
  }
}

size_t depthwise_scratch_bytes(const ConvShape& shape) { return LineTaps::bytes(Geometry(shape)); }

void depthwise(const ConvShape& shape, const float* input, ptrdiff_t input_stride,
               const float* packed_weights, float* output, ptrdiff_t output_stride, const Epilogue& epilogue,
               void* scratch, size_t begin, size_t end) {
  const Geometry g(shape);
  const TileFunction tile = tile_for(g);
  const size_t whole_channels = shape.in_channels / simd::kLanes * simd::kLanes;
  const Context x{shape.in_channels,
                  round_up(shape.in_channels),
                  input_stride,
                  output_stride,
                  epilogue.residual_stride,
                  epilogue.bias,
                  make_finish(epilogue.activation)};
  LineTaps taps(g, scratch);
  for (size_t index = begin; index < end; ++index) {
    taps.select_line(Line(g, index), input, input_stride, packed_weights, x.weight_stride);
    const ptrdiff_t line_start = static_cast<ptrdiff_t>(index) * g.out[2];
    const auto target = [&](ptrdiff_t column) {
      const ptrdiff_t pixel = line_start + column;
      return Target{output + pixel * output_stride, epilogue.residual != nullptr
                                                        ? epilogue.residual + pixel * epilogue.residual_stride
                                                        : nullptr};
    };
    const ptrdiff_t step = tile != nullptr ? static_cast<ptrdiff_t>(kTilePixels) : 1;
    for (ptrdiff_t column = 0; column < g.out[2]; column += step) {
      const ptrdiff_t pixels = std::min(step, g.out[2] - column);
      if (tile != nullptr) taps.tile(x, column, pixels, tile, target(column));
      const size_t done = tile != nullptr ? whole_channels : 0;
      for (ptrdiff_t i = 0; i < pixels && done < shape.in_channels; ++i) {
        taps.pixel(x, done, column + i, target(column + i));
      }
    }
    if (finishes_in_registers(epilogue.activation.kind)) continue;
    float* const first = output + line_start * output_stride;
    const auto width = static_cast<size_t>(g.out[2]);
    if (output_stride == static_cast<ptrdiff_t>(shape.in_channels)) {
      apply(epilogue.activation, first, width * shape.in_channels);
      continue;
    }
    for (size_t i = 0; i < width; ++i) {
      apply(epilogue.activation, first + static_cast<ptrdiff_t>(i) * output_stride, shape.in_channels);
    }
  }
}

}  // namespace kinglet::kernels
