// SwiGLU - a * sigmoid(alpha * a) * b (ONNX SwiGLU 28).

#include <cmath>

#include "kernels/math.hpp"
#include "ops/elementwise.hpp"
#include "ops/in_f32.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct SwiGlu {
  float alpha = 1;
};

SwiGlu parse(const NodeView& n) { return {n.attr_float("alpha", 1)}; }

void infer(const SwiGlu&, InferContext& c) {
  const DType type = common_type(c, 0, 2, kFloats);
  const SymShape &a = c.shape(0), &b = c.shape(1);
  if (!a.has_rank() || !b.has_rank()) return c.out(0, type, a.has_rank() ? a : b);
  c.require(a.rank() == b.rank(), "shapes {} and {} differ", a, b);
  SymShape shape = a;
  for (size_t i = 0; i < a.rank(); ++i) shape[i] = unify(a[i], b[i]);
  c.out(0, type, shape);
}

void run(const SwiGlu& op, RunContext& c) {
  const Tensor &a = c.in(0), &b = c.in(1);
  Tensor& y = c.out(0);
  if (a.dtype() == DType::kFloat64) {
    const auto alpha = static_cast<double>(op.alpha);
    for (size_t i = 0; i < a.count(); ++i) {
      const double gate = a.data<double>()[i];
      y.data<double>()[i] = gate / (1 + std::exp(-alpha * gate)) * b.data<double>()[i];
    }
    return;
  }
  const float *gate = as_f32(c, a), *value = as_f32(c, b);
  F32Output out(c, y);
  float factor[kBlock];
  for (size_t start = 0; start < y.count(); start += kBlock) {
    const size_t n = std::min(kBlock, y.count() - start);
    kernels::binary_scalar(kernels::Binary::kMul, gate + start, op.alpha, factor, n);
    kernels::sigmoid(factor, factor, n);
    kernels::binary(kernels::Binary::kMul, factor, gate + start, factor, n);
    kernels::binary(kernels::Binary::kMul, factor, value + start, out.data() + start, n);
  }
  out.store();
}

}  // namespace

KINGLET_OP(SwiGLU, op<SwiGlu, parse, infer, run>(since(28)));

}  // namespace kinglet::ops
