// LayerNormalization - over all axes from `axis` on (ONNX LayerNormalization 17; onnxruntime writes it into older models too), with
// Mean and InvStdDev.

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/normalize.hpp"
#include "ops/elementwise.hpp"
#include "ops/parallel.hpp"

namespace kinglet::ops {
namespace {

struct LayerNormalization {
  int64_t axis = -1;
  float epsilon = 1e-5f;
};

LayerNormalization parse(const NodeView& n) { return {n.attr_int("axis", -1), n.attr_float("epsilon", 1e-5f)}; }

void infer(const LayerNormalization& op, InferContext& c) {
  const SymShape& x = c.shape(0);
  common_type(c, 0, c.inputs(), kFloats);
  c.out(0, c.dtype(0), x);
  // The statistics are of stash_type, float32 by default; the double of a double input is kept.
  const bool narrow = c.dtype(0) != DType::kFloat64 && c.dtype(0) != DType::kUndefined;
  const DType type = narrow ? DType::kFloat32 : c.dtype(0);
  if (!x.has_rank()) {
    c.out(1, type, {});
    return c.out(2, type, {});
  }
  SymShape statistics = x;
  for (size_t i = normalize_axis(op.axis, x.rank()); i < x.rank(); ++i) statistics[i] = 1;
  c.out(1, type, statistics);
  c.out(2, type, statistics);
}

template <class T>
void run_plain(const LayerNormalization& op, RunContext& c, size_t rows, size_t columns, const Tensor& scales, const Tensor& biases) {
  const T* x = c.in(0).data<T>();
  T* y = c.out(0).data<T>();
  const T* scale = scales.data<T>();
  const T* bias = biases.valid() ? biases.data<T>() : nullptr;
  for (size_t r = 0; r < rows; ++r, x += columns, y += columns) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < columns; ++i) sum += static_cast<double>(x[i]);
    const double mean = sum / static_cast<double>(columns);
    for (size_t i = 0; i < columns; ++i) squares += (static_cast<double>(x[i]) - mean) * (static_cast<double>(x[i]) - mean);
    const double inverse = 1 / std::sqrt(squares / static_cast<double>(columns) + static_cast<double>(op.epsilon));
    for (size_t i = 0; i < columns; ++i) {
      const double v = (static_cast<double>(x[i]) - mean) * inverse * static_cast<double>(scale[i]) + (bias != nullptr ? static_cast<double>(bias[i]) : 0.0);
      if constexpr (std::is_same_v<T, double>) {
        y[i] = v;
      } else {
        y[i] = static_cast<T>(static_cast<float>(v));
      }
    }
    const double statistics[2] = {mean, inverse};
    for (size_t s = 0; s < 2; ++s) {
      if (!c.wants(s + 1)) continue;
      Tensor& out = c.out(s + 1);
      if (out.dtype() == DType::kFloat64) {
        out.data<double>()[r] = statistics[s];
      } else {
        out.data<float>()[r] = static_cast<float>(statistics[s]);
      }
    }
  }
}

/// A parameter of fewer elements than the normalised dims is spread over them.
Tensor spread(RunContext& c, const Tensor& t, const Shape& dims) {
  const bool fits = t.rank() <= dims.rank() && broadcast(t.shape(), dims) == dims;
  if (fits && t.count() == dims.count()) return t;
  c.require(fits, "expected scale and bias for {}, got {}", dims, t.shape());
  Tensor out(t.dtype(), dims);
  dispatch_width(t.dtype(), [&]<class T>() {
    const T* from = reinterpret_cast<const T*>(t.raw());
    T* to = reinterpret_cast<T*>(out.raw());
    for (size_t i = 0; i < out.count(); ++i) {
      size_t flat = i, index = 0, stride = 1;
      for (size_t d = dims.rank(); d-- > 0;) {
        const auto at = flat % static_cast<size_t>(dims[d]);
        flat /= static_cast<size_t>(dims[d]);
        if (d + t.rank() < dims.rank()) continue;
        const auto own = static_cast<size_t>(t.dim(d + t.rank() - dims.rank()));
        index += (own == 1 ? 0 : at) * stride;
        stride *= own;
      }
      to[i] = from[index];
    }
  });
  return out;
}

void run(const LayerNormalization& op, RunContext& c) {
  const Tensor& x = c.in(0);
  const size_t axis = normalize_axis(op.axis, x.rank());
  const size_t rows = x.shape().count(0, axis), columns = x.shape().count(axis, x.rank());
  const Shape dims(x.shape().dims().subspan(axis));
  if (x.count() == 0) {
    // Rows without elements have no mean.
    for (size_t i = 1; i < 3; ++i) {
      if (!c.wants(i)) continue;
      dispatch(c.out(i).dtype(), TypeList<float, double>{}, [&]<class T>() {
        std::fill_n(c.out(i).data<T>(), c.out(i).count(), std::numeric_limits<T>::quiet_NaN());
      });
    }
    return;
  }
  const Tensor scale = spread(c, c.in(1), dims);
  const Tensor bias = c.has(2) ? spread(c, c.in(2), dims) : Tensor();
  if (x.dtype() == DType::kFloat32) {
    float* const y = c.out(0).data<float>();
    float* const mean = c.wants(1) ? c.out(1).data<float>() : nullptr;
    float* const inverse = c.wants(2) ? c.out(2).data<float>() : nullptr;
    return parallel(rows, worth_a_thread(16 * columns), [&](size_t begin, size_t end, size_t) {
      kernels::layer_norm(x.data<float>() + begin * columns, y + begin * columns, end - begin, columns,
                          scale.data<float>(), bias.valid() ? bias.data<float>() : nullptr, op.epsilon,
                          mean != nullptr ? mean + begin : nullptr, inverse != nullptr ? inverse + begin : nullptr);
    });
  }
  dispatch(x.dtype(), TypeList<double, Float16, BFloat16>{}, [&]<class T>() { run_plain<T>(op, c, rows, columns, scale, bias); });
}

}  // namespace

KINGLET_OP(LayerNormalization, op<LayerNormalization, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
