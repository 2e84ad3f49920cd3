// BatchNormalization (ONNX 1, 6, 7, 9, 14, 15): (x - mean) / sqrt(var + epsilon) * scale + B per channel, or
// per position of an image with spatial = 0 (before opset 9). Training (training_mode = 1; before opset 7 an
// is_test = 0) takes the batch's statistics and gives the running ones.

#include <algorithm>
#include <cmath>

#include "kernels/normalize.hpp"
#include "kernels/transpose.hpp"
#include "ops/convert.hpp"
#include "ops/in_f32.hpp"
#include "ops/spatial.hpp"

namespace kinglet::ops {
namespace {

struct BatchNormalization {
  float epsilon = 1e-5f, momentum = 0.9f;
  bool training = false, channels_last = false;
  bool spatial = true;  ///< statistics are of channels; else of channels at positions
};

BatchNormalization parse(const NodeView& n) {
  BatchNormalization op;
  op.epsilon = n.attr_float("epsilon", 1e-5f);
  op.momentum = n.attr_float("momentum", 0.9f);
  // The default of is_test is training, which models that leave it out do not mean: ONNX's own converter
  // takes them for models that test.
  op.training =
      n.opset() < 7 ? n.attr_int("is_test", 1) == 0 : n.opset() >= 14 && n.attr_int("training_mode", 0) != 0;
  op.channels_last = n.attr_int("channels_last", 0) != 0;
  op.spatial = n.opset() >= 9 || n.attr_int("spatial", 1) != 0;
  return op;
}

void infer(const BatchNormalization&, InferContext& c) {
  c.out(0, c.dtype(0), c.shape(0));
  for (size_t i = 1; i < c.outputs(); ++i) c.out(i, c.dtype(i < 3 ? i + 2 : 3), c.shape(3));
}

/// How x [batch, ...] falls apart: element i takes statistic i / run % count.
struct Statistics {
  size_t count = 0, run = 1, images = 0, image = 0;  ///< images of so many elements
  size_t of_each() const { return images * image / std::max<size_t>(1, count); }
};

Statistics statistics_of(const BatchNormalization& op, const Shape& x) {
  Statistics s;
  s.images = static_cast<size_t>(x[0]);
  s.image = x.count(1, x.rank());
  s.count = !op.spatial ? s.image : static_cast<size_t>(op.channels_last ? x.back() : x[1]);
  if (op.spatial && !op.channels_last) s.run = x.count(2, x.rank());
  return s;
}

/// y = x * factor + shift.
void apply(const Statistics& s, const double* x, double* y, const double* factor, const double* shift) {
  for (size_t i = 0, total = s.images * s.image; i < total; ++i) {
    const size_t k = i / s.run % s.count;
    y[i] = x[i] * factor[k] + shift[k];
  }
}

void apply_f32(const Statistics& s, const float* x, float* y, const float* factor, const float* shift) {
  const size_t total = s.images * s.image;
  if (total == 0) return;
  if (s.run == 1) return kernels::channel_scale_shift(x, y, total / s.count, s.count, factor, shift);
  for (size_t at = 0; at < total; at += s.run) {
    const size_t k = at / s.run % s.count;
    kernels::scale_shift(x + at, y + at, s.run, factor[k], shift[k]);
  }
}

/// Mean and variance of the elements of each statistic, in two passes.
void measure(const Statistics& s, RunContext& c, double* mean, double* variance) {
  const Tensor& x = c.in(0);
  const auto n = static_cast<double>(s.of_each());
  const size_t width = dtype_size(x.dtype());
  std::fill_n(mean, s.count, 0.0);
  std::fill_n(variance, s.count, 0.0);
  double values[kBlock];
  for (const bool second : {false, true}) {
    for (size_t start = 0, total = x.count(); start < total; start += kBlock) {
      const size_t block = std::min(kBlock, total - start);
      convert(x.dtype(), x.raw() + start * width, DType::kFloat64, values, block);
      for (size_t i = 0; i < block; ++i) {
        const size_t k = (start + i) / s.run % s.count;
        const double off = values[i] - mean[k];
        if (second) {
          variance[k] += off * off;
        } else {
          variance[k] += values[i];
        }
      }
    }
    for (size_t k = 0; k < s.count; ++k) (second ? variance : mean)[k] = variance[k] / n;
    if (!second) std::fill_n(variance, s.count, 0.0);
  }
}

/// Input i, a vector of statistics, in the order in which the elements take them.
const double* as_f64(const BatchNormalization& op, RunContext& c, size_t i) {
  const Tensor &t = c.in(i), &x = c.in(0);
  double* out = c.scratch<double>(t.count());
  convert(t.dtype(), t.raw(), DType::kFloat64, out, t.count());
  if (op.spatial || !op.channels_last) return out;
  double* turned = c.scratch<double>(t.count());
  kernels::transpose_matrices(out, turned, sizeof(double), 1, static_cast<size_t>(x.shape().back()),
                              x.shape().count(1, x.rank() - 1));
  return turned;
}

void run(const BatchNormalization& op, RunContext& c) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  c.require(x.rank() >= 2, "expected rank >= 2, got {}", x.shape());
  const Statistics s = statistics_of(op, x.shape());
  for (size_t i = 1; i <= 4; ++i) {
    c.require(c.in(i).count() == s.count, "input {}: expected {} elements, got {}", i, s.count,
              c.in(i).shape());
  }
  const double *scale = as_f64(op, c, 1), *bias = as_f64(op, c, 2), *given_mean = as_f64(op, c, 3),
               *given_variance = as_f64(op, c, 4);
  double *factor = c.scratch<double>(s.count), *shift = c.scratch<double>(s.count);
  const double *mean = given_mean, *variance = given_variance;
  // What the outputs from 1 on are: running mean and variance, and before opset 14 those of the batch.
  const double* outputs[4] = {mean, variance, mean, variance};
  if (op.training) {
    double* own = c.scratch<double>(4 * s.count);
    measure(s, c, own, own + s.count);
    mean = own;
    variance = own + s.count;
    const auto momentum = static_cast<double>(op.momentum);
    for (size_t k = 0; k < s.count; ++k) {
      own[2 * s.count + k] = given_mean[k] * momentum + mean[k] * (1 - momentum);
      own[3 * s.count + k] = given_variance[k] * momentum + variance[k] * (1 - momentum);
    }
    for (size_t i = 0; i < 4; ++i) outputs[i] = own + (i + 2) % 4 * s.count;
  }
  for (size_t k = 0; k < s.count; ++k) {
    factor[k] = scale[k] / std::sqrt(variance[k] + static_cast<double>(op.epsilon));
    shift[k] = bias[k] - mean[k] * factor[k];
  }
  if (x.dtype() == DType::kFloat64) {
    apply(s, x.data<double>(), y.data<double>(), factor, shift);
  } else {
    float* small = c.scratch<float>(2 * s.count);
    convert(DType::kFloat64, factor, DType::kFloat32, small, s.count);
    convert(DType::kFloat64, shift, DType::kFloat32, small + s.count, s.count);
    F32Output out(c, y);
    apply_f32(s, as_f32(c, x), out.data(), small, small + s.count);
    out.store();
  }
  for (size_t i = 1; i < c.outputs() && i <= 4; ++i) {
    if (c.wants(i)) convert(DType::kFloat64, outputs[i - 1], c.out(i).dtype(), c.out(i).raw(), s.count);
  }
}

}  // namespace

KINGLET_OP(BatchNormalization,
           op<BatchNormalization, parse, infer, run>(since(1)).with_traits(kChannelsLast));

}  // namespace kinglet::ops
