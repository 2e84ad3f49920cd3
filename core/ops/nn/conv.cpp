// Conv - N-dimensional convolution with groups (ONNX Conv 1, 11, 22), and com.microsoft FusedConv.
// f32 runs on the channels-last kernels; float16 goes through f32, double through plain loops.

#include "kernels/conv.hpp"

#include <algorithm>
#include <utility>

#include "kernels/conv_channels.hpp"
#include "kernels/depthwise.hpp"
#include "kernels/transpose.hpp"
#include "kernels/winograd.hpp"
#include "ops/in_f32.hpp"
#include "ops/packing.hpp"
#include "ops/elementwise.hpp"
#include "ops/conv_shape.hpp"
#include "ops/epilogue.hpp"
#include "ops/product.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct Conv {
  Spatial spatial;
  int64_t groups = 1;
  kernels::Activation activation;
  bool strassen = false;
  bool winograd = false;
  std::shared_ptr<std::byte[]> packed;  // constant weights in the order of their kernel; those of Winograd are
  kernels::WinogradMatrices<const float> matrices = {};
  std::shared_ptr<std::byte[]> rest = {};
};

Conv parse(const NodeView& n) {
  Conv op{parse_spatial(n), n.attr_int("group", 1), parse_activation(n), n.attr_int("strassen", 0) != 0, n.attr_int("winograd", 0) != 0, nullptr};
  if (op.groups < 1) throw_error(ErrorCode::kModel, "attribute 'group' is {}", op.groups);
  return op;
}

void infer(const Conv& op, InferContext& c) {
  common_type(c, 0, c.inputs(), kFloats);
  c.out(0, c.dtype(0), convolved_shape(op.spatial, op.groups, c.shape(0), c.shape(1)));
}

size_t packed_size(const kernels::ConvShape& shape) {
  return kernels::is_depthwise(shape) ? kernels::packed_depthwise_weights_size(shape)
                                      : kernels::packed_conv_weights_size(shape);
}

void pack(float* packed, const kernels::ConvShape& shape, const float* weights) {
  if (kernels::is_depthwise(shape)) {
    kernels::pack_depthwise_weights(packed, shape, weights);
  } else {
    kernels::pack_conv_weights(packed, shape, weights);
  }
}

/// pack(), of a constant; of a pointwise one, only a few filters are copied at a time.
void pack(Packing& packing, const kernels::ConvShape& shape) {
  if (kernels::is_depthwise(shape) || !kernels::packs_as_matrices(shape)) return pack(packing.to(), shape, packing.from());
  const size_t channels = shape.in_channels / shape.groups, filters = shape.out_channels / shape.groups;
  for (size_t group = 0; group < shape.groups; ++group) {
    pack_columns(packing, group * kernels::packed_b_size(channels, filters), group * filters * channels, channels, filters);
  }
}

void prepare(Conv& op, PrepareContext& c) {
  // The attribute may come from a file: it is a wish.
  const bool wants_winograd = std::exchange(op.winograd, false);
  const Tensor* w = c.constant(1);
  if (w == nullptr || !is_float(w->dtype()) || w->dtype() == DType::kFloat64) return;
  if (w->rank() < 3 || w->rank() > 2 + kernels::kMaxSpatialRank) return;
  op.spatial = with_kernel(op.spatial, w->rank() - 2, w->shape().dims().subspan(2));
  const kernels::ConvShape shape = conv_shape_for_packing(op.spatial, op.groups, w->shape());
  op.winograd = wants_winograd && kernels::prefers_winograd(shape);
  if (op.winograd) {
    Packing packing(c, 1, kernels::winograd_matrix_size(shape), kernels::winograd_matrices(shape));
    op.matrices = {packing.to(), packing.rest(), packing.split()};
    kernels::pack_winograd_weights({packing.to(), packing.rest(), packing.split()}, shape, packing.from());
    op.rest = packing.finish_rest();
    op.packed = packing.finish();
  } else {
    Packing packing(c, 1, packed_size(shape));
    pack(packing, shape);
    op.packed = packing.finish();
  }
}

/// x and y are channels-last.
void run_f32(const Conv& op, RunContext& c, const kernels::ConvShape& shape, const float* packed, const float* x, float* y,
             const float* bias, const float* residual) {
  const auto out_channels = static_cast<ptrdiff_t>(shape.out_channels);
  const kernels::Epilogue epilogue{bias, residual, out_channels, op.activation};
  const auto in_channels = static_cast<ptrdiff_t>(shape.in_channels);
  // Rows of a register tile: ranges of whole ones waste none.
  constexpr size_t kUnit = 6;
  if (op.winograd) {
    const ThreadScratch scratch = thread_scratch(c, kernels::winograd_scratch_bytes(shape));
    const size_t least = worth_a_thread(16 * shape.in_channels * shape.out_channels);
    parallel(kernels::output_tiles(shape), std::max(least, 2 * kUnit), [&](size_t begin, size_t end, size_t worker) {
      kernels::winograd(shape, x, in_channels, op.matrices, y, out_channels, epilogue, scratch[worker], begin, end);
    }, kUnit);
    return;
  }
  const size_t taps = shape.kernel[0] * shape.kernel[1] * shape.kernel[2];
  if (kernels::is_depthwise(shape)) {
    const ThreadScratch scratch = thread_scratch(c, kernels::depthwise_scratch_bytes(shape));
    const size_t lines = kernels::output_lines(shape);
    const size_t line = kernels::output_pixels(shape) / std::max<size_t>(1, lines) * shape.out_channels;
    parallel(lines, worth_a_thread(2 * taps * line), [&](size_t begin, size_t end, size_t worker) {
      kernels::depthwise(shape, x, in_channels, packed, y, out_channels, epilogue, scratch[worker], begin, end);
    });
    return;
  }
  const ThreadScratch scratch = thread_scratch(c, kernels::conv_scratch_bytes(shape));
  const size_t pixels = kernels::output_pixels(shape), depth = taps * (shape.in_channels / shape.groups);
  if (shape.groups == 1 && splits_columns(threads(), pixels, shape.out_channels, depth)) {
    parallel(shape.out_channels, worth_a_thread(pixels * depth), [&](size_t begin, size_t end, size_t worker) {
      kernels::conv_channels(shape, x, in_channels, packed, y, out_channels, epilogue, scratch[worker], 0, pixels, begin,
                             end);
    }, kernels::kPanelWidth);
    return;
  }
  parallel(pixels, worth_a_thread(depth * shape.out_channels), [&](size_t begin, size_t end, size_t worker) {
    kernels::conv(shape, x, in_channels, packed, y, out_channels, epilogue, scratch[worker], begin, end);
  }, kUnit);
}

/// Plain loops over [N, C, ...] in T.
template <class T>
void run_plain(const kernels::ConvShape& s, const T* x, const T* w, const T* bias, T* y) {
  const size_t in_pixels = s.in[0] * s.in[1] * s.in[2], out_pixels = s.out[0] * s.out[1] * s.out[2];
  const size_t taps = s.kernel[0] * s.kernel[1] * s.kernel[2];
  const size_t group_in = s.in_channels / s.groups, group_out = s.out_channels / s.groups;
  for (size_t n = 0; n < s.batch; ++n) {
    for (size_t m = 0; m < s.out_channels; ++m) {
      const T* x_group = x + (n * s.in_channels + m / group_out * group_in) * in_pixels;
      T* y_plane = y + (n * s.out_channels + m) * out_pixels;
      for (size_t p = 0; p < out_pixels; ++p) {
        const size_t at[3] = {p / (s.out[1] * s.out[2]), p / s.out[2] % s.out[1], p % s.out[2]};
        T sum = bias != nullptr ? bias[m] : T(0);
        for (size_t t = 0; t < taps; ++t) {
          const size_t tap[3] = {t / (s.kernel[1] * s.kernel[2]), t / s.kernel[2] % s.kernel[1], t % s.kernel[2]};
          ptrdiff_t offset = 0;
          bool inside = true;
          for (size_t i = 0; i < 3; ++i) {
            const auto pos = static_cast<ptrdiff_t>(at[i] * s.stride[i] + tap[i] * s.dilation[i]) - s.pad_begin[i];
            inside = inside && pos >= 0 && pos < static_cast<ptrdiff_t>(s.in[i]);
            offset = offset * static_cast<ptrdiff_t>(s.in[i]) + pos;
          }
          if (!inside) continue;
          for (size_t ch = 0; ch < group_in; ++ch) {
            sum += x_group[static_cast<ptrdiff_t>(ch * in_pixels) + offset] * w[(m * group_in + ch) * taps + t];
          }
        }
        y_plane[p] = sum;
      }
    }
  }
}

void run(const Conv& op, RunContext& c) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  const Image image = image_of(x.shape(), op.spatial.channels_last);
  const bool has_bias = c.has(2);
  // The weights' own tensor is gone once packed; what is needed of its shape is in the operator and the output.
  const auto w_dims = op.packed ? std::span<const int64_t>(op.spatial.kernel) : c.in(1).shape().dims().subspan(2);
  const int64_t out_channels = op.spatial.channels_last ? y.shape().back() : y.dim(1);
  kernels::ConvShape shape = conv_shape(op.spatial, op.groups, image, out_channels, w_dims);
  shape.strassen = op.strassen;
  c.require(!has_bias || c.in(2).count() == shape.out_channels, "expected bias of {} elements, got {}", shape.out_channels,
            has_bias ? c.in(2).shape() : Shape());
  c.require(!c.has(3) || c.in(3).shape() == y.shape(), "expected input Z {}, got {}", y.shape(), c.has(3) ? c.in(3).shape() : Shape());

  if (x.dtype() == DType::kFloat64) {
    const bool plain = !op.spatial.channels_last && !c.has(3) && op.activation.kind == kernels::Activation::Kind::kNone;
    c.require(plain, "double is computed as [N, C, ...] only, without input Z or activation");
    return run_plain<double>(shape, x.data<double>(), c.in(1).data<double>(), has_bias ? c.in(2).data<double>() : nullptr, y.data<double>());
  }
  const float* packed = reinterpret_cast<const float*>(op.packed.get());
  if (packed == nullptr) {
    float* fresh = c.scratch<float>(packed_size(shape));
    pack(fresh, shape, as_f32(c, c.in(1)));
    packed = fresh;
  }
  const float* bias = has_bias ? as_f32(c, c.in(2)) : nullptr;
  const float* residual = c.has(3) ? as_f32(c, c.in(3)) : nullptr;
  const float* input = as_f32(c, x);
  F32Output output(c, y);
  if (op.spatial.channels_last) {
    run_f32(op, c, shape, packed, input, output.data(), bias, residual);
  } else {
    const size_t in_pixels = image.pixels, out_pixels = kernels::output_pixels(shape) / std::max<size_t>(1, shape.batch);
    float* x_last = c.scratch<float>(x.count());
    float* y_last = c.scratch<float>(y.count());
    kernels::transpose_matrices(input, x_last, sizeof(float), shape.batch, shape.in_channels, in_pixels);
    float* z_last = nullptr;
    if (residual != nullptr) {
      z_last = c.scratch<float>(y.count());
      kernels::transpose_matrices(residual, z_last, sizeof(float), shape.batch, shape.out_channels, out_pixels);
    }
    run_f32(op, c, shape, packed, x_last, y_last, bias, z_last);
    kernels::transpose_matrices(y_last, output.data(), sizeof(float), shape.batch, out_pixels, shape.out_channels);
  }
  output.store();
}

constexpr OpDef kConv = op<Conv, parse, infer, run>(since(1)).with_prepare<Conv, prepare>().with_traits(kChannelsLast);

}  // namespace

KINGLET_OP(Conv, kConv);
KINGLET_OP_IN(com_microsoft, "com.microsoft", FusedConv, kConv);

}  // namespace kinglet::ops
