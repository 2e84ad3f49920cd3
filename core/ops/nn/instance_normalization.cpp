// InstanceNormalization - each channel of each image by its own mean and variance (ONNX 1, 6, 22).

#include <cmath>

#include "kernels/normalize.hpp"
#include "ops/elementwise.hpp"
#include "ops/spatial.hpp"
#include "ops/in_f32.hpp"

namespace kinglet::ops {
namespace {

struct InstanceNormalization {
  float epsilon = 1e-5f;
};

InstanceNormalization parse(const NodeView& n) { return {n.attr_float("epsilon", 1e-5f)}; }

void infer(const InstanceNormalization&, InferContext& c) { c.out(0, common_type(c, 0, 3, kFloats), c.shape(0)); }

template <class T>
void run_plain(const T* x, T* y, size_t n, double epsilon, double scale, double bias) {
  double sum = 0, squares = 0;
  for (size_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]);
  const double mean = sum / static_cast<double>(n);
  for (size_t i = 0; i < n; ++i) squares += (static_cast<double>(x[i]) - mean) * (static_cast<double>(x[i]) - mean);
  const double factor = scale / std::sqrt(squares / static_cast<double>(n) + epsilon);
  for (size_t i = 0; i < n; ++i) {
    const double v = (static_cast<double>(x[i]) - mean) * factor + bias;
    if constexpr (std::is_same_v<T, double>) {
      y[i] = v;
    } else {
      y[i] = static_cast<T>(static_cast<float>(v));
    }
  }
}

void run(const InstanceNormalization& op, RunContext& c) {
  const Tensor& x = c.in(0);
  c.require(x.rank() >= 2, "expected [N, C, ...], got {}", x.shape());
  const auto batch = static_cast<size_t>(x.dim(0)), channels = static_cast<size_t>(x.dim(1));
  const size_t n = x.shape().count(2, x.rank());
  c.require(c.in(1).count() == channels && c.in(2).count() == channels, "expected scale and B of {} elements, got {} and {}",
            channels, c.in(1).shape(), c.in(2).shape());
  if (x.count() == 0) return;
  dispatch(x.dtype(), FloatTypes{}, [&]<class T>() {
    const T *scale = c.in(1).data<T>(), *bias = c.in(2).data<T>();
    for (size_t i = 0; i < batch * channels; ++i) {
      const T* from = x.data<T>() + i * n;
      T* to = c.out(0).data<T>() + i * n;
      const size_t ch = i % channels;
      if constexpr (std::is_same_v<T, float>) {
        float mean = 0, variance = 0;
        kernels::mean_variance(from, n, &mean, &variance);
        const float factor = scale[ch] / std::sqrt(variance + op.epsilon);
        kernels::scale_shift(from, to, n, factor, bias[ch] - mean * factor);
      } else {
        run_plain<T>(from, to, n, static_cast<double>(op.epsilon), static_cast<double>(scale[ch]), static_cast<double>(bias[ch]));
      }
    }
  });
}

}  // namespace

KINGLET_OP(InstanceNormalization, op<InstanceNormalization, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
