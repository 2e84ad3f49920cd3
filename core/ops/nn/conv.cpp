// Conv - N-dimensional convolution with groups (ONNX Conv 1, 11, 22), and com.microsoft FusedConv.
// f32 runs on the channels-last kernels; float16 goes through f32, double through plain loops.

#include "kernels/conv.hpp"

#include <algorithm>

#include "kernels/depthwise.hpp"
#include "kernels/transpose.hpp"
#include "kernels/winograd.hpp"
#include "ops/in_f32.hpp"
#include "ops/elementwise.hpp"
#include "ops/epilogue.hpp"
#include "ops/shape_inputs.hpp"
#include "ops/spatial.hpp"

namespace kinglet::ops {
namespace {

struct Conv {
  Spatial spatial;
  int64_t groups = 1;
  kernels::Activation activation;
  std::shared_ptr<std::byte[]> packed;  // constant weights in the order of their kernel
  bool winograd = false;                // which is this one
};

Conv parse(const NodeView& n) {
  Conv op{parse_spatial(n), n.attr_int("group", 1), parse_activation(n), nullptr};
  if (op.groups < 1) throw_error(ErrorCode::kModel, "attribute 'group' is {}", op.groups);
  return op;
}

void infer(const Conv& op, InferContext& c) {
  common_type(c, 0, c.inputs(), kFloats);
  const SymShape& x = c.shape(0);
  const SymShape& w = c.shape(1);
  if (!x.has_rank()) {
    c.out(0, c.dtype(0), w.has_rank() ? SymShape::of_rank(w.rank()) : SymShape());
    return;
  }
  ImageDims image = split_image(x, op.spatial.channels_last);
  const Dim in_channels = image.channels;
  image.channels = w.has_rank() && w.rank() > 0 ? w[0] : Dim();
  if (!w.has_rank()) {
    std::fill(image.size.begin(), image.size.end(), Dim());
  } else {
    c.require(w.rank() == x.rank(), "expected weights of rank {}, got {}", x.rank(), w);
    if (in_channels.known() && w[1].known()) {
      const int64_t wanted = multiply(w[1].value(), op.groups);
      c.require(in_channels.value() == wanted, "input has {} channels, weights {} with group {} need {}",
                in_channels.value(), w, op.groups, wanted);
    }
    c.require(!w[0].known() || w[0].value() % op.groups == 0, "weights {} do not divide into {} groups", w, op.groups);
    bool kernel_known = !op.spatial.kernel.empty();
    std::vector<int64_t> kernel;
    for (size_t i = 2; i < w.rank() && w[i].known(); ++i) kernel.push_back(w[i].value());
    if (kernel.size() != image.size.size()) kernel.clear();
    kernel_known = kernel_known || !kernel.empty();
    const Spatial s = kernel_known ? with_kernel(op.spatial, image.size.size(), kernel) : op.spatial;
    for (size_t i = 0; i < image.size.size(); ++i) {
      image.size[i] = kernel_known && image.size[i].known() ? Dim(output_size(s, i, image.size[i].value())) : Dim();
    }
  }
  c.out(0, c.dtype(0), join_image(image, op.spatial.channels_last));
}

/// The kernels' view of a convolution of `x` with weights of shape `w`.
kernels::ConvShape shape_of(const Conv& op, const Image& x, const Shape& w) {
  const Spatial s = with_kernel(op.spatial, x.rank, w.dims().subspan(2));
  kernels::ConvShape shape;
  shape.rank = x.rank;
  shape.batch = x.batch;
  shape.groups = static_cast<size_t>(op.groups);
  shape.in_channels = x.channels;
  shape.out_channels = static_cast<size_t>(w[0]);
  for (size_t i = 0; i < x.rank; ++i) {
    shape.in[i] = x.size[i];
    shape.out[i] = static_cast<size_t>(output_size(s, i, static_cast<int64_t>(x.size[i])));
    shape.kernel[i] = static_cast<size_t>(s.kernel[i]);
    shape.stride[i] = static_cast<size_t>(s.stride(i));
    shape.dilation[i] = static_cast<size_t>(s.dilation(i));
    shape.pad_begin[i] = static_cast<ptrdiff_t>(pads_of(s, i, static_cast<int64_t>(x.size[i])).begin);
  }
  return shape;
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

void prepare(Conv& op, PrepareContext& c) {
  const Tensor* w = c.constant(1);
  if (w == nullptr || !is_float(w->dtype()) || w->dtype() == DType::kFloat64) return;
  if (w->rank() < 3 || w->rank() > 2 + kernels::kMaxSpatialRank) return;
  const size_t rank = w->rank() - 2;
  op.spatial = with_kernel(op.spatial, rank, w->shape().dims().subspan(2));
  c.require(w->dim(0) % op.groups == 0, "weights {} do not divide into {} groups", w->shape(), op.groups);
  // Packing looks at channels, groups and kernel only.
  kernels::ConvShape shape;
  shape.rank = rank;
  shape.groups = static_cast<size_t>(op.groups);
  shape.in_channels = static_cast<size_t>(multiply(w->dim(1), op.groups));
  shape.out_channels = static_cast<size_t>(w->dim(0));
  for (size_t i = 0; i < rank; ++i) {
    shape.kernel[i] = static_cast<size_t>(op.spatial.kernel[i]);
    shape.stride[i] = static_cast<size_t>(op.spatial.stride(i));
    shape.dilation[i] = static_cast<size_t>(op.spatial.dilation(i));
  }
  op.winograd = kernels::prefers_winograd(shape);
  op.packed = c.allocate_floats(op.winograd ? kernels::packed_winograd_weights_size(shape) : packed_size(shape));
  const auto write = op.winograd ? kernels::pack_winograd_weights : pack;
  write(reinterpret_cast<float*>(op.packed.get()), shape, F32Constant(*w).data());
  c.release(1);
}

/// x and y are channels-last.
void run_f32(const Conv& op, RunContext& c, const kernels::ConvShape& shape, const float* packed, const float* x, float* y,
             const float* bias, const float* residual) {
  const auto out_channels = static_cast<ptrdiff_t>(shape.out_channels);
  const kernels::Epilogue epilogue{bias, residual, out_channels, op.activation};
  const auto in_channels = static_cast<ptrdiff_t>(shape.in_channels);
  if (op.winograd) {
    std::byte* scratch = c.scratch<std::byte>(kernels::winograd_scratch_bytes(shape));
    kernels::winograd(shape, x, in_channels, packed, y, out_channels, epilogue, scratch, 0, kernels::output_tiles(shape));
  } else if (kernels::is_depthwise(shape)) {
    std::byte* scratch = c.scratch<std::byte>(kernels::depthwise_scratch_bytes(shape));
    kernels::depthwise(shape, x, in_channels, packed, y, out_channels, epilogue, scratch, 0, kernels::output_lines(shape));
  } else {
    std::byte* scratch = c.scratch<std::byte>(kernels::conv_scratch_bytes(shape));
    kernels::conv(shape, x, in_channels, packed, y, out_channels, epilogue, scratch, 0, kernels::output_pixels(shape));
  }
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
  Shape w_shape;
  if (op.packed) {
    w_shape.push_back(op.spatial.channels_last ? y.shape().back() : y.dim(1));
    w_shape.push_back(static_cast<int64_t>(image.channels) / op.groups);
    for (const int64_t k : op.spatial.kernel) w_shape.push_back(k);
  } else {
    w_shape = c.in(1).shape();
  }
  const kernels::ConvShape shape = shape_of(op, image, w_shape);
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
