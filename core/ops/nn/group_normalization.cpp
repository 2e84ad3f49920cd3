// GroupNormalization (ONNX 18, 21): every group of channels of each image by its own mean and variance.
// InstanceNormalization (1, 6, 22) is the same with every channel a group of its own.

#include <cmath>

#include "kernels/normalize.hpp"
#include "ops/elementwise.hpp"
#include "ops/in_f32.hpp"

namespace kinglet::ops {
namespace {

struct GroupNormalization {
  int64_t groups;  ///< 0: as many as channels
  float epsilon;
  bool scale_by_group;  ///< before opset 21 scale and bias have an element a group, then an element a channel
  bool channels_last;
};

GroupNormalization parse(const NodeView& n) {
  const bool grouped = n.op_type() == "GroupNormalization";
  const GroupNormalization op{grouped ? n.attr_int("num_groups") : 0, n.attr_float("epsilon", 1e-5f),
                              grouped && n.opset() < 21, n.attr_int("channels_last", 0) != 0};
  if (op.groups < (grouped ? 1 : 0))
    throw_error(ErrorCode::kModel, "attribute 'num_groups' is {}", op.groups);
  return op;
}

void infer(const GroupNormalization& op, InferContext& c) {
  const SymShape& x = c.shape(0);
  c.require(!x.has_rank() || x.rank() >= 2, "expected [N, C, ...], got {}", x);
  if (x.has_rank() && op.groups != 0) {
    const Dim channels = x[op.channels_last ? x.rank() - 1 : 1];
    c.require(!channels.known() || channels.value() % op.groups == 0, "{} channels do not make {} groups",
              channels.known() ? channels.value() : 0, op.groups);
  }
  c.out(0, common_type(c, 0, 3, kFloats), x);
}

/// An image [channels, pixels] or, channels-last, [pixels, channels]; channel c takes element c / per_scale
/// of scale and bias.
struct Image {
  size_t channels, pixels, groups, per_scale;
  size_t group_channels() const { return channels / groups; }
};

void run_first(const Image& s, const float* x, float* y, const float* scale, const float* bias,
               float epsilon) {
  for (size_t c = 0; c < s.channels;) {
    float mean = 0, variance = 0;
    kernels::mean_variance(x, s.group_channels() * s.pixels, &mean, &variance);
    for (const size_t end = c + s.group_channels(); c < end; ++c, x += s.pixels, y += s.pixels) {
      const float factor = scale[c / s.per_scale] / std::sqrt(variance + epsilon);
      kernels::scale_shift(x, y, s.pixels, factor, bias[c / s.per_scale] - mean * factor);
    }
  }
}

/// `statistics` holds two numbers a channel.
void run_last(const Image& s, const float* x, float* y, const float* scale, const float* bias, float epsilon,
              float* statistics) {
  float *means = statistics, *variances = statistics + s.channels;
  kernels::channel_mean_variance(x, s.pixels, s.channels, means, variances);
  const auto count = static_cast<double>(s.group_channels());
  for (size_t first = 0; first < s.channels; first += s.group_channels()) {
    const size_t end = first + s.group_channels();
    double mean = 0, variance = 0;
    for (size_t c = first; c < end; ++c) mean += static_cast<double>(means[c]) / count;
    for (size_t c = first; c < end; ++c) {
      const double off = static_cast<double>(means[c]) - mean;
      variance += (static_cast<double>(variances[c]) + off * off) / count;
    }
    for (size_t c = first; c < end; ++c) {
      variances[c] = scale[c / s.per_scale] / std::sqrt(static_cast<float>(variance) + epsilon);
      means[c] = bias[c / s.per_scale] - static_cast<float>(mean) * variances[c];
    }
  }
  kernels::channel_scale_shift(x, y, s.pixels, s.channels, variances, means);
}

void run_f64(const Image& s, const double* x, double* y, const double* scale, const double* bias,
             double epsilon) {
  const size_t n = s.group_channels() * s.pixels;
  for (size_t c = 0; c < s.channels; c += s.group_channels(), x += n, y += n) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; ++i) sum += x[i];
    const double mean = sum / static_cast<double>(n);
    for (size_t i = 0; i < n; ++i) squares += (x[i] - mean) * (x[i] - mean);
    const double factor = 1 / std::sqrt(squares / static_cast<double>(n) + epsilon);
    for (size_t i = 0; i < n; ++i) {
      const size_t of_scale = (c + i / s.pixels) / s.per_scale;
      y[i] = (x[i] - mean) * factor * scale[of_scale] + bias[of_scale];
    }
  }
}

void run(const GroupNormalization& op, RunContext& c) {
  const Tensor& x = c.in(0);
  if (x.count() == 0) return;
  const auto batch = static_cast<size_t>(x.dim(0));
  Image image{.channels = static_cast<size_t>(op.channels_last ? x.shape().back() : x.dim(1)),
              .pixels = 0,
              .groups = 0,
              .per_scale = 1};
  image.pixels = x.count() / batch / image.channels;
  image.groups = op.groups == 0 ? image.channels : static_cast<size_t>(op.groups);
  if (op.scale_by_group) image.per_scale = image.group_channels();
  const size_t scales = image.channels / image.per_scale, size = x.count() / batch;
  c.require(c.in(1).count() == scales && c.in(2).count() == scales,
            "expected scale and bias of {} elements, got {} and {}", scales, c.in(1).shape(),
            c.in(2).shape());

  if (x.dtype() == DType::kFloat64) {
    for (size_t at = 0; at < x.count(); at += size) {
      run_f64(image, x.data<double>() + at, c.out(0).data<double>() + at, c.in(1).data<double>(),
              c.in(2).data<double>(), static_cast<double>(op.epsilon));
    }
    return;
  }
  const float *from = as_f32(c, x), *scale = as_f32(c, c.in(1)), *bias = as_f32(c, c.in(2));
  F32Output y(c, c.out(0));
  float* statistics = c.scratch<float>(2 * image.channels);
  for (size_t at = 0; at < x.count(); at += size) {
    if (op.channels_last) {
      run_last(image, from + at, y.data() + at, scale, bias, op.epsilon, statistics);
    } else {
      run_first(image, from + at, y.data() + at, scale, bias, op.epsilon);
    }
  }
  y.store();
}

constexpr OpDef grouped(int64_t first_opset) {
  return op<GroupNormalization, parse, infer, run>(since(first_opset)).with_traits(kChannelsLast);
}

}  // namespace

KINGLET_OP(GroupNormalization, grouped(18));
KINGLET_OP(InstanceNormalization, grouped(1));

}  // namespace kinglet::ops
