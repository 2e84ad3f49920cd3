// GlobalMaxPool, GlobalAveragePool (ONNX 1, 22). f32 runs on the channels-last kernels, small floats through f32, other
// types through plain loops over [N, C, ...].

#include <limits>

#include "kernels/pooling.hpp"
#include "kernels/transpose.hpp"
#include "ops/in_f32.hpp"
#include "ops/spatial.hpp"

namespace kinglet::ops {
namespace {

struct GlobalPool {
  bool channels_last, is_max;
  decltype(&kernels::global_max_pool) pool_f32;
};

GlobalPool parse_max(const NodeView& n) {
  return {n.attr_int("channels_last", 0) != 0, true, kernels::global_max_pool};
}

GlobalPool parse_average(const NodeView& n) {
  return {n.attr_int("channels_last", 0) != 0, false, kernels::global_average_pool};
}

void infer(const GlobalPool& op, InferContext& c) {
  if (c.outputs() > 1) throw_error(ErrorCode::kModel, "has {} outputs, expected 1", c.outputs());
  const SymShape& x = c.shape(0);
  if (!x.has_rank()) return c.out(0, c.dtype(0), SymShape());
  ImageDims image = split_image(x, op.channels_last);
  for (Dim& size : image.size) size = 1;
  c.out(0, c.dtype(0), join_image(image, op.channels_last));
}

template <class T>
void run_plain(bool is_max, const T* x, T* y, size_t planes, size_t pixels) {
  for (size_t plane = 0; plane < planes; ++plane, x += pixels) {
    if (is_max) {
      using Limits = std::numeric_limits<T>;
      T best = pixels > 0 ? x[0] : Limits::has_infinity ? static_cast<T>(-Limits::infinity()) : Limits::lowest();
      for (size_t p = 1; p < pixels; ++p) best = x[p] > best ? x[p] : best;
      y[plane] = best;
    } else {
      double sum = 0;
      for (size_t p = 0; p < pixels; ++p) sum += static_cast<double>(x[p]);
      y[plane] = static_cast<T>(pixels > 0 ? sum / static_cast<double>(pixels) : 0.0);
    }
  }
}

void run(const GlobalPool& op, RunContext& c) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  const Image image = image_of(x.shape(), op.channels_last);
  if (y.count() == 0) return;
  if (is_float(x.dtype()) && x.dtype() != DType::kFloat64) {
    const float* from = as_f32(c, x);
    if (!op.channels_last) {
      float* x_last = c.scratch<float>(x.count());
      kernels::transpose_matrices(from, x_last, sizeof(float), image.batch, image.channels, image.pixels);
      from = x_last;
    }
    // One pixel an image: the order of the channels is that of y in either layout.
    F32Output out(c, y);
    op.pool_f32(from, static_cast<ptrdiff_t>(image.channels), out.data(), image.batch, image.pixels, image.channels);
    return out.store();
  }
  c.require(!op.channels_last, "channels-last pooling is not of float64");
  dispatch(x.dtype(), TypeList<double, int8_t, uint8_t>{}, [&]<class T>() {
    run_plain(op.is_max, x.data<T>(), y.data<T>(), image.batch * image.channels, image.pixels);
  });
}

}  // namespace

KINGLET_OP(GlobalMaxPool, op<GlobalPool, parse_max, infer, run>(since(1)).with_traits(kChannelsLast));
KINGLET_OP(GlobalAveragePool, op<GlobalPool, parse_average, infer, run>(since(1)).with_traits(kChannelsLast));

}  // namespace kinglet::ops
