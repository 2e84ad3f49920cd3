// ConvTranspose - the gradient of Conv as an operator (ONNX ConvTranspose 1, 11, 22). f32 runs on the channels-last
// kernel; float16 and double go through f32.
// ConvTransposeWithDynamicPads of com.microsoft - its pads are an input, before the bias.

#include "kernels/conv_transpose.hpp"

#include <algorithm>

#include "kernels/transpose.hpp"
#include "ops/elementwise.hpp"
#include "ops/epilogue.hpp"
#include "ops/shape_inputs.hpp"
#include "ops/spatial.hpp"
#include "ops/in_f32.hpp"
#include "ops/packing.hpp"
#include "ops/parallel.hpp"

namespace kinglet::ops {
namespace {

struct ConvTranspose {
  Spatial spatial;
  int64_t groups = 1;
  std::vector<int64_t> output_padding, output_shape;
  kernels::Activation activation;
  std::shared_ptr<std::byte[]> packed;
  int64_t group_outputs = 0;  // of the packed weights
  bool pads_are_input = false;

  size_t bias() const { return pads_are_input ? 3 : 2; }
};

ConvTranspose parse(const NodeView& n) {
  ConvTranspose op{parse_spatial(n), n.attr_int("group", 1), n.attr_ints("output_padding", {}), n.attr_ints("output_shape", {}),
                   parse_activation(n), nullptr, 0, n.op_type() == "ConvTransposeWithDynamicPads"};
  if (op.groups < 1) throw_error(ErrorCode::kModel, "attribute 'group' is {}", op.groups);
  for (const auto* list : {&op.output_padding, &op.output_shape}) {
    for (const int64_t v : *list) {
      if (v < 0 || v > (int64_t{1} << 30)) throw_error(ErrorCode::kModel, "attribute 'output_padding' or 'output_shape' has an element {}", v);
    }
  }
  return op;
}

/// The pads that input 2 holds; absent ones are zeros.
std::vector<int64_t> checked_pads(std::vector<int64_t> pads, size_t rank) {
  bool fits = pads.empty() || pads.size() == 2 * rank;
  for (const int64_t pad : pads) fits = fits && pad >= 0 && pad <= int64_t{1} << 30;
  if (!fits) throw_error(ErrorCode::kShape, "pads {} do not go with {} dims", Shape(pads), rank);
  return pads;
}

/// One dim of the output: its size, and what is cut off before it.
struct Extent {
  int64_t size, pad_begin;
};

Extent extent_of(const ConvTranspose& op, const Spatial& s, size_t i, int64_t in) {
  const size_t rank = s.kernel.size();
  const auto length_fits = [&](const std::vector<int64_t>& v) { return v.empty() || v.size() == rank; };
  if (!length_fits(op.output_padding) || !(length_fits(op.output_shape) || op.output_shape.size() == rank + 2)) {
    throw_error(ErrorCode::kShape, "output_padding or output_shape does not have {} elements", rank);
  }
  const int64_t extra = op.output_padding.empty() ? 0 : op.output_padding[i];
  const int64_t full = add(multiply(s.stride(i), in - 1), s.reach(i) + extra);
  const bool same = s.auto_pad == Spatial::AutoPad::kSameUpper || s.auto_pad == Spatial::AutoPad::kSameLower;
  if (op.output_shape.empty() && !same) {
    const Pads pads = pads_of(s, i, in);
    const int64_t size = full - pads.begin - pads.end;
    if (size < 0) throw_error(ErrorCode::kShape, "pads {} and {} cut off all of {}", pads.begin, pads.end, full);
    return {size, pads.begin};
  }
  // output_shape may be given for all dims or for the spatial ones.
  const int64_t size = op.output_shape.empty() ? multiply(in, s.stride(i)) : op.output_shape[i + op.output_shape.size() - rank];
  const int64_t total = std::max<int64_t>(0, full - size);
  return {size, s.auto_pad == Spatial::AutoPad::kSameUpper ? total / 2 : total - total / 2};
}

void infer(const ConvTranspose& op, InferContext& c) {
  common_type(c, 0, 2, kFloats);
  if (c.has(op.bias())) {
    check_type(c.dtype(op.bias()), kFloats);
    require_same_types(c, 0, op.bias());
  }
  const SymShape &x = c.shape(0), &w = c.shape(1);
  if (!x.has_rank()) return c.out(0, c.dtype(0), w.has_rank() ? SymShape::of_rank(w.rank()) : SymShape());
  ImageDims image = split_image(x, op.spatial.channels_last);
  const Dim in_channels = image.channels;
  image.channels = {};
  std::vector<int64_t> kernel;
  if (w.has_rank()) {
    c.require(w.rank() == x.rank(), "expected weights of rank {}, got {}", x.rank(), w);
    c.require(!in_channels.known() || !w[0].known() || in_channels.value() == w[0].value(), "input has {} channels, weights {}", in_channels.known() ? in_channels.value() : 0, w);
    c.require(!w[0].known() || w[0].value() % op.groups == 0, "weights {} do not divide into {} groups", w, op.groups);
    if (w[1].known()) image.channels = multiply(w[1].value(), op.groups);
    for (size_t i = 2; i < w.rank() && w[i].known(); ++i) kernel.push_back(w[i].value());
    if (kernel.size() != image.size.size()) kernel.clear();
  }
  const bool kernel_known = !kernel.empty() || !op.spatial.kernel.empty();
  Spatial s = kernel_known ? with_kernel(op.spatial, image.size.size(), kernel) : op.spatial;
  bool pads_known = true;
  if (op.pads_are_input && c.has(2)) {
    const std::optional<std::vector<int64_t>> pads = known_ints(c, 2);
    pads_known = pads.has_value();
    if (pads) s.pads = checked_pads(*pads, image.size.size());
  }
  for (size_t i = 0; i < image.size.size(); ++i) {
    image.size[i] = kernel_known && pads_known && image.size[i].known() ? Dim(extent_of(op, s, i, image.size[i].value()).size) : Dim();
  }
  c.out(0, c.dtype(0), join_image(image, op.spatial.channels_last));
}

kernels::ConvShape weights_shape(const ConvTranspose& op, size_t in_channels, int64_t group_outputs) {
  kernels::ConvShape shape;
  shape.rank = op.spatial.kernel.size();
  shape.groups = static_cast<size_t>(op.groups);
  shape.in_channels = in_channels;
  shape.out_channels = static_cast<size_t>(group_outputs * op.groups);
  for (size_t i = 0; i < shape.rank; ++i) {
    shape.kernel[i] = static_cast<size_t>(op.spatial.kernel[i]);
    shape.stride[i] = static_cast<size_t>(op.spatial.stride(i));
    shape.dilation[i] = static_cast<size_t>(op.spatial.dilation(i));
  }
  return shape;
}

void prepare(ConvTranspose& op, PrepareContext& c) {
  const Tensor* w = c.constant(1);
  if (w == nullptr || !is_float(w->dtype()) || w->rank() < 3 || w->rank() > 2 + kernels::kMaxSpatialRank) return;
  op.spatial = with_kernel(op.spatial, w->rank() - 2, w->shape().dims().subspan(2));
  op.group_outputs = w->dim(1);
  multiply(op.group_outputs, op.groups);
  c.require(w->dim(0) % op.groups == 0, "weights {} do not divide into {} groups", w->shape(), op.groups);
  const kernels::ConvShape shape = weights_shape(op, static_cast<size_t>(w->dim(0)), op.group_outputs);
  Packing packing(c, 1, kernels::packed_conv_transpose_weights_size(shape));
  kernels::pack_conv_transpose_weights(packing.to(), shape, packing.from());
  op.packed = packing.finish();
}

void run(const ConvTranspose& prepared, RunContext& c) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  ConvTranspose op = prepared;
  const Image image = image_of(x.shape(), op.spatial.channels_last);
  if (!op.packed) {
    op.spatial = with_kernel(op.spatial, image.rank, c.in(1).shape().dims().subspan(2));
    op.group_outputs = c.in(1).dim(1);
  }
  if (op.pads_are_input && c.has(2)) op.spatial.pads = checked_pads(to_int64s(c.in(2)), image.rank);
  kernels::ConvShape shape = weights_shape(op, image.channels, op.group_outputs);
  shape.batch = image.batch;
  size_t out_pixels = 1;
  for (size_t i = 0; i < image.rank; ++i) {
    const Extent extent = extent_of(op, op.spatial, i, static_cast<int64_t>(image.size[i]));
    shape.in[i] = image.size[i];
    shape.out[i] = static_cast<size_t>(extent.size);
    shape.pad_begin[i] = static_cast<ptrdiff_t>(extent.pad_begin);
    out_pixels *= shape.out[i];
  }
  const float* packed = reinterpret_cast<const float*>(op.packed.get());
  if (packed == nullptr) {
    float* fresh = c.scratch<float>(kernels::packed_conv_transpose_weights_size(shape));
    kernels::pack_conv_transpose_weights(fresh, shape, as_f32(c, c.in(1)));
    packed = fresh;
  }
  const bool has_bias = c.has(op.bias());
  c.require(!has_bias || c.in(op.bias()).count() == shape.out_channels, "expected bias of {} elements, got {}",
            shape.out_channels, has_bias ? c.in(op.bias()).shape() : Shape());
  const kernels::Epilogue epilogue{has_bias ? as_f32(c, c.in(op.bias())) : nullptr, nullptr, 0, op.activation};
  const float* input = as_f32(c, x);
  F32Output output(c, y);
  const float* x_last = input;
  float* y_last = output.data();
  if (!op.spatial.channels_last) {
    float* turned = c.scratch<float>(x.count());
    kernels::transpose_matrices(input, turned, sizeof(float), image.batch, image.channels, image.pixels);
    x_last = turned;
    y_last = c.scratch<float>(y.count());
  }
  const ThreadScratch scratch = thread_scratch(c, kernels::conv_transpose_scratch_bytes(shape));
  const size_t lines = kernels::output_lines(shape);
  const size_t line = x.count() / std::max<size_t>(1, lines) * shape.out_channels / shape.groups;
  parallel(lines, worth_a_thread(line * 4), [&](size_t begin, size_t end, size_t worker) {
    kernels::conv_transpose(shape, x_last, static_cast<ptrdiff_t>(shape.in_channels), packed, y_last,
                            static_cast<ptrdiff_t>(shape.out_channels), epilogue, scratch[worker], begin, end);
  });
  if (!op.spatial.channels_last) {
    kernels::transpose_matrices(y_last, output.data(), sizeof(float), image.batch, out_pixels, shape.out_channels);
  }
  output.store();
}

}  // namespace

KINGLET_OP(ConvTranspose, op<ConvTranspose, parse, infer, run>(since(1)).with_prepare<ConvTranspose, prepare>().with_traits(kChannelsLast));
KINGLET_OP_IN(com_microsoft, "com.microsoft", ConvTransposeWithDynamicPads,
              op<ConvTranspose, parse, infer, run>(since(1)).with_prepare<ConvTranspose, prepare>());

}  // namespace kinglet::ops
