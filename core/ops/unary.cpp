#include "ops/unary.hpp"
#include "ops/parallel.hpp"

namespace kinglet::ops {
namespace {

void f32_loop(const void* params, const void* x, void* y, size_t n) {
  const Unary& op = *static_cast<const Unary*>(params);
  const float* from = static_cast<const float*>(x);
  float* to = static_cast<float*>(y);
  if (op.activation.kind != kernels::Activation::Kind::kNone) return kernels::apply(op.activation, from, to, n);
  if (op.f32 != nullptr) return op.f32(from, to, n);
  for (size_t i = 0; i < n; ++i) to[i] = static_cast<float>(op.f(static_cast<double>(from[i]), op));
}

void f64_loop(const void* params, const void* x, void* y, size_t n) {
  const Unary& op = *static_cast<const Unary*>(params);
  for (size_t i = 0; i < n; ++i) static_cast<double*>(y)[i] = op.f(static_cast<const double*>(x)[i], op);
}

template <bool is_unsigned>
void integer_loop(const void* params, const void* x, void* y, size_t n) {
  const Unary& op = *static_cast<const Unary*>(params);
  if (op.integers_by_f) {
    constexpr DType kType = is_unsigned ? DType::kUint64 : DType::kInt64;
    double values[kBlock];
    convert(kType, x, DType::kFloat64, values, n);
    f64_loop(params, values, values, n);
    return convert(DType::kFloat64, values, kType, y, n);
  }
  for (size_t i = 0; i < n; ++i) {
    static_cast<int64_t*>(y)[i] = op.integers(static_cast<const int64_t*>(x)[i], is_unsigned);
  }
}

}  // namespace

void infer(const Unary& op, InferContext& c) { infer_unary(c, op.integers != nullptr || op.integers_by_f ? kNumbers : kFloats); }

void run(const Unary& op, RunContext& c) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  if (x.dtype() == DType::kFloat32) {
    return parallel(x.count(), worth_a_thread(24), [&](size_t begin, size_t end, size_t) {
      f32_loop(&op, x.data<float>() + begin, y.data<float>() + begin, end - begin);
    });
  }
  switch (wide_type(x.dtype())) {
    case DType::kFloat32: return apply_unary(f32_loop, &op, x, y);
    case DType::kFloat64: return apply_unary(f64_loop, &op, x, y);
    case DType::kInt64: return apply_unary(integer_loop<false>, &op, x, y);
    default: return apply_unary(integer_loop<true>, &op, x, y);
  }
}

}  // namespace kinglet::ops
