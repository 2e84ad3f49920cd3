// BatchNormalization - inference: (x - mean) / sqrt(var + epsilon) * scale + B per channel (ONNX 1, 6, 7, 9, 14, 15).
// training_mode = 1 also computes the batch's statistics and the running ones.

#include <cmath>

#include "kernels/normalize.hpp"
#include "ops/convert.hpp"
#include "ops/in_f32.hpp"
#include "ops/spatial.hpp"

namespace kinglet::ops {
namespace {

struct BatchNormalization {
  float epsilon = 1e-5f, momentum = 0.9f;
  bool training = false, channels_last = false;
};

BatchNormalization parse(const NodeView& n) {
  BatchNormalization op;
  op.epsilon = n.attr_float("epsilon", 1e-5f);
  op.momentum = n.attr_float("momentum", 0.9f);
  op.training = n.attr_int("training_mode", 0) != 0;
  op.channels_last = n.attr_int("channels_last", 0) != 0;
  if (n.opset() < 9 && n.attr_int("spatial", 1) == 0) throw_error(ErrorCode::kModel, "attribute 'spatial' = 0 is not supported");
  return op;
}

void infer(const BatchNormalization&, InferContext& c) {
  c.out(0, c.dtype(0), c.shape(0));
  for (size_t i = 1; i < c.outputs(); ++i) c.out(i, c.dtype(i < 3 ? i + 2 : 3), c.shape(3));
}

/// x as [batch, channels, pixels] or, channels-last, [batch * pixels, channels].
template <class T>
void normalize(const BatchNormalization& op, const T* x, T* y, size_t batch, size_t channels, size_t pixels, const double* scale, const double* shift) {
  const size_t rows = op.channels_last ? batch * pixels : batch;
  for (size_t r = 0; r < rows; ++r) {
    for (size_t ch = 0; ch < channels; ++ch) {
      const size_t n = op.channels_last ? 1 : pixels;
      for (size_t i = 0; i < n; ++i, ++x, ++y) *y = static_cast<T>(static_cast<float>(static_cast<double>(*x) * scale[ch] + shift[ch]));
    }
  }
}

void run(const BatchNormalization& op, RunContext& c) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  c.require(x.rank() >= 2, "expected rank >= 2, got {}", x.shape());
  const size_t axis = op.channels_last ? x.rank() - 1 : 1;
  const auto batch = static_cast<size_t>(x.dim(0)), channels = static_cast<size_t>(x.dim(axis));
  const size_t pixels = op.channels_last ? x.shape().count(1, axis) : x.shape().count(2, x.rank());
  for (size_t i = 1; i <= 4; ++i) {
    c.require(c.in(i).count() == channels, "input {}: expected {} elements, got {}", i, channels, c.in(i).shape());
  }
  const float *scale = as_f32(c, c.in(1)), *bias = as_f32(c, c.in(2)), *mean_in = as_f32(c, c.in(3)), *var_in = as_f32(c, c.in(4));
  double* factor = c.scratch<double>(channels);
  double* shift = c.scratch<double>(channels);
  const float* values = op.training ? as_f32(c, x) : nullptr;
  const auto count = static_cast<double>(batch * pixels);
  float* statistics = c.scratch<float>(2 * channels);
  for (size_t ch = 0; ch < channels; ++ch) {
    double mean = mean_in[ch], var = var_in[ch];
    if (op.training) {
      const auto each = [&](auto&& f) {
        for (size_t b = 0; b < batch; ++b) {
          for (size_t p = 0; p < pixels; ++p) f(static_cast<double>(values[op.channels_last ? (b * pixels + p) * channels + ch : (b * channels + ch) * pixels + p]));
        }
      };
      double sum = 0, squares = 0;
      each([&](double v) { sum += v; });
      mean = sum / count;
      each([&](double v) { squares += (v - mean) * (v - mean); });
      var = squares / count;
      const auto m = static_cast<double>(op.momentum);
      statistics[ch] = static_cast<float>(mean_in[ch] * m + mean * (1 - m));
      statistics[channels + ch] = static_cast<float>(var_in[ch] * m + var * (1 - m));
    }
    factor[ch] = scale[ch] / std::sqrt(var + static_cast<double>(op.epsilon));
    shift[ch] = bias[ch] - mean * factor[ch];
  }
  if (x.dtype() == DType::kFloat64) {
    const double* from = x.data<double>();
    double* to = y.data<double>();
    for (size_t i = 0; i < x.count(); ++i) {
      const size_t ch = i / (op.channels_last ? 1 : pixels) % channels;
      to[i] = from[i] * factor[ch] + shift[ch];
    }
  } else {
    dispatch(x.dtype(), TypeList<float, Float16, BFloat16>{}, [&]<class T>() {
      normalize<T>(op, x.data<T>(), y.data<T>(), batch, channels, pixels, factor, shift);
    });
  }
  // Outside of training, the statistics are those that were given; opsets before 14 list them twice.
  for (size_t i = 1; i < c.outputs(); ++i) {
    if (!c.wants(i)) continue;
    Tensor& out = c.out(i);
    const float* given = i % 2 == 1 ? mean_in : var_in;
    convert(DType::kFloat32, op.training ? statistics + (i - 1) % 2 * channels : given, out.dtype(), out.raw(), channels);
  }
}

}  // namespace

KINGLET_OP(BatchNormalization, op<BatchNormalization, parse, infer, run>(since(1)).with_traits(kChannelsLast));

}  // namespace kinglet::ops
