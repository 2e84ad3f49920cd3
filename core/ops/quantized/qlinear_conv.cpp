// QLinearConv - convolution of 8 bit codes, requantized (ONNX QLinearConv 10, com.microsoft QLinearConv).
// ConvInteger - the same without scales, as int32 (ONNX ConvInteger 10).

#include "kernels/depthwise_i8.hpp"
#include "kernels/transpose.hpp"
#include "kernels/winograd_i8.hpp"
#include "ops/conv_shape.hpp"
#include "ops/quantized/int8_matmul.hpp"
#include "ops/shape_inputs.hpp"
#include "ops/parallel.hpp"

namespace kinglet::ops {
namespace {

using Output = kernels::Int8Epilogue::Output;

struct IntegerConv {
  Spatial spatial;
  int64_t groups = 1;
  size_t weights, weights_zero;  // their inputs
  std::shared_ptr<std::byte[]> packed = nullptr;
  bool packed_signed = false;
  bool winograd = false;  ///< how the weights are packed
};

IntegerConv parse_with(const NodeView& n, size_t weights, size_t weights_zero) {
  IntegerConv op{parse_spatial(n), n.attr_int("group", 1), weights, weights_zero};
  if (op.groups < 1) throw_error(ErrorCode::kModel, "attribute 'group' is {}", op.groups);
  return op;
}

/// x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, B?
IntegerConv parse_qlinear(const NodeView& n) { return parse_with(n, 3, 5); }
/// x, w, x_zero_point?, w_zero_point?
IntegerConv parse_integer(const NodeView& n) { return parse_with(n, 1, 3); }

void infer_qlinear(const IntegerConv& op, InferContext& c) {
  for (const size_t i : {0, 2, 3, 5, 7}) check_input(c, i, kBytes);
  for (const size_t i : {1, 4, 6}) check_input(c, i, kFloats);
  check_input(c, 8, type_set(DType::kInt32));
  require_same_types(c, 0, 2);
  require_same_types(c, 3, 5);
  c.out(0, c.has(7) ? c.dtype(7) : c.dtype(0), convolved_shape(op.spatial, op.groups, c.shape(0), c.shape(3)));
}

void infer_integer(const IntegerConv& op, InferContext& c) {
  for (size_t i = 0; i < 4; ++i) check_input(c, i, kBytes);
  if (c.has(2)) require_same_types(c, 0, 2);
  if (c.has(3)) require_same_types(c, 1, 3);
  c.out(0, DType::kInt32, convolved_shape(op.spatial, op.groups, c.shape(0), c.shape(1)));
}

/// Whether a zero point input is absent, or known to be 0.
bool has_no_zero(const PrepareContext& c, size_t i) {
  if (!c.has(i)) return true;
  const Tensor* zeros = c.constant(i);
  if (zeros == nullptr || dtype_size(zeros->dtype()) != 1) return false;
  return std::all_of(zeros->raw(), zeros->raw() + zeros->count(), [](std::byte z) { return z == std::byte{0}; });
}

void prepare(IntegerConv& op, PrepareContext& c) {
  const Tensor* w = c.constant(op.weights);
  if (w == nullptr || (type_set(w->dtype()) & kBytes) == 0) return;
  if (w->rank() < 3 || w->rank() > 2 + kernels::kMaxSpatialRank) return;
  op.spatial = with_kernel(op.spatial, w->rank() - 2, w->shape().dims().subspan(2));
  const kernels::ConvShape shape = conv_shape_for_packing(op.spatial, op.groups, w->shape());
  if (kernels::is_depthwise_i8(shape)) return;  // its kernel takes them as they are
  op.winograd = kernels::prefers_winograd_i8(shape) && is_signed_byte(w->dtype()) && has_no_zero(c, op.weights_zero);
  if (op.winograd) {
    op.packed = c.allocate(kernels::packed_winograd_i8_weights_size(shape));
    kernels::pack_winograd_i8_weights(op.packed.get(), shape, w->data<int8_t>());
    c.release(op.weights);
    return;
  }
  op.packed = c.allocate(kernels::packed_conv_i8_weights_size(shape));
  op.packed_signed = is_signed_byte(w->dtype());
  kernels::pack_conv_i8_weights(reinterpret_cast<int8_t*>(op.packed.get()), shape, codes_of(*w));
  c.release(op.weights);
}

kernels::ConvShape shape_of(const IntegerConv& op, RunContext& c) {
  const Shape& y = c.out(0).shape();
  const Image image = image_of(c.in(0).shape(), op.spatial.channels_last);
  const auto kernel = op.packed ? std::span<const int64_t>(op.spatial.kernel) : c.in(op.weights).shape().dims().subspan(2);
  return conv_shape(op.spatial, op.groups, image, op.spatial.channels_last ? y.back() : y[1], kernel);
}

/// The zero points of the weights, one a channel, each less `shift`.
const int32_t* weight_zeros(RunContext& c, const IntegerConv& op, int32_t shift, size_t channels) {
  const Zeros zeros = zeros_of(c, op.weights_zero);
  c.require(zeros.count == 1 || zeros.count == channels, "{} zero points do not fit {} channels", zeros.count, channels);
  int32_t* out = c.scratch<int32_t>(channels);
  for (size_t i = 0; i < channels; ++i) out[i] = zeros[i] - shift;
  return out;
}

/// Between channels-last images.
void convolve_last(const IntegerConv& op, RunContext& c, const kernels::ConvShape& shape, kernels::Codes input,
                   std::byte* output, kernels::Int8Epilogue epilogue) {
  const auto in_stride = static_cast<ptrdiff_t>(shape.in_channels), out_stride = static_cast<ptrdiff_t>(shape.out_channels);
  const int32_t input_zero = zero_of(c, 2);
  if (kernels::is_depthwise_i8(shape)) {
    std::byte* scratch = c.scratch<std::byte>(kernels::depthwise_i8_scratch_bytes(shape));
    return kernels::depthwise_i8(shape, input, in_stride, input_zero, codes_of(c.in(op.weights)),
                                 weight_zeros(c, op, 0, shape.out_channels), output, out_stride, epilogue, scratch);
  }
  if (op.winograd) {
    const ThreadScratch scratch = thread_scratch(c, kernels::winograd_i8_scratch_bytes(shape));
    const size_t least = worth_a_thread(8 * shape.in_channels * shape.out_channels);
    return parallel(kernels::output_tiles_i8(shape), std::max<size_t>(least, 8), [&](size_t begin, size_t end, size_t worker) {
      kernels::winograd_i8(shape, input, in_stride, input_zero, op.packed.get(), output, out_stride, epilogue,
                           scratch[worker], begin, end);
    }, 4);
  }
  const bool is_signed = op.packed ? op.packed_signed : is_signed_byte(c.in(op.weights).dtype());
  const int32_t* zeros = weight_zeros(c, op, is_signed ? 0 : kernels::kUnsignedShift, shape.out_channels);
  if (std::any_of(zeros, zeros + shape.out_channels, [](int32_t z) { return z != 0; })) epilogue.b_zero = zeros;
  const auto* packed = reinterpret_cast<const int8_t*>(op.packed.get());
  if (packed == nullptr) {
    int8_t* fresh = c.scratch<int8_t>(kernels::packed_conv_i8_weights_size(shape));
    kernels::pack_conv_i8_weights(fresh, shape, codes_of(c.in(op.weights)));
    packed = fresh;
  }
  const ThreadScratch scratch = thread_scratch(c, kernels::conv_i8_scratch_bytes(shape, input.is_signed));
  const size_t pixels = kernels::output_pixels(shape);
  const size_t depth = shape.in_channels / shape.groups * shape.kernel[0] * shape.kernel[1] * shape.kernel[2];
  constexpr size_t kUnit = 4;
  parallel(pixels, std::max(worth_a_thread(depth * shape.out_channels / 2), 4 * kUnit),
             [&](size_t begin, size_t end, size_t worker) {
               kernels::conv_i8(shape, input, in_stride, input_zero, packed, output, out_stride, epilogue,
                                scratch[worker], begin, end);
             }, kUnit);
}

void convolve(const IntegerConv& op, RunContext& c, const kernels::ConvShape& shape, const kernels::Int8Epilogue& epilogue) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  if (op.spatial.channels_last) return convolve_last(op, c, shape, codes_of(x), y.raw(), epilogue);
  std::byte* x_last = c.scratch<std::byte>(x.count());
  std::byte* y_last = c.scratch<std::byte>(y.bytes());
  const size_t in_pixels = shape.in[0] * shape.in[1] * shape.in[2];
  const size_t out_pixels = kernels::output_pixels(shape) / std::max<size_t>(shape.batch, 1);
  kernels::transpose_matrices(x.raw(), x_last, 1, shape.batch, shape.in_channels, in_pixels);
  convolve_last(op, c, shape, {x_last, is_signed_byte(x.dtype())}, y_last, epilogue);
  kernels::transpose_matrices(y_last, y.raw(), dtype_size(y.dtype()), shape.batch, out_pixels, shape.out_channels);
}

void run_integer(const IntegerConv& op, RunContext& c) { convolve(op, c, shape_of(op, c), {}); }

void run_qlinear(const IntegerConv& op, RunContext& c) {
  const kernels::ConvShape shape = shape_of(op, c);
  const size_t channels = shape.out_channels;
  const Scales weights = scales_of(c, 4);
  const float x_scale = scale_of(c, 1), y_scale = scale_of(c, 6);
  c.require(weights.count == 1 || weights.count == channels, "{} scales do not fit {} channels", weights.count, channels);
  const bool has_bias = c.has(8);
  c.require(!has_bias || c.in(8).count() == channels, "expected bias of {} elements, got {}", channels, has_bias ? c.in(8).shape() : Shape());
  float* scale = c.scratch<float>(channels);
  for (size_t i = 0; i < channels; ++i) scale[i] = x_scale * weights[i] / y_scale;
  convolve(op, c, shape,
           {.output = code_output(c.out(0)), .bias = has_bias ? c.in(8).data<int32_t>() : nullptr, .scale = scale, .zero = zero_of(c, 7)});
}

constexpr OpDef qlinear_conv(int64_t opset) {
  return op<IntegerConv, parse_qlinear, infer_qlinear, run_qlinear>(since(opset)).with_prepare<IntegerConv, prepare>().with_traits(kChannelsLast);
}

}  // namespace

KINGLET_OP(QLinearConv, qlinear_conv(10));
KINGLET_OP_IN(com_microsoft, "com.microsoft", QLinearConv, qlinear_conv(1));
KINGLET_OP(ConvInteger, op<IntegerConv, parse_integer, infer_integer, run_integer>(since(10))
                            .with_prepare<IntegerConv, prepare>()
                            .with_traits(kChannelsLast));

}  // namespace kinglet::ops
