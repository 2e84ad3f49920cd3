// Binarizer (ai.onnx.ml): 1 where an element is greater than the threshold, else 0, in the type of the input.

#include "ops/elementwise.hpp"

namespace kinglet::ops {
namespace {

struct Binarizer {
  float threshold;
};

Binarizer parse(const NodeView& n) { return {n.attr_float("threshold", 0)}; }

void infer(const Binarizer&, InferContext& c) { infer_unary(c, kNumbers); }

void run(const Binarizer& op, RunContext& c) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  const size_t size = dtype_size(x.dtype());
  double values[kBlock];
  for (size_t i = 0; i < x.count(); i += kBlock) {
    const size_t n = std::min(kBlock, x.count() - i);
    convert(x.dtype(), x.raw() + i * size, DType::kFloat64, values, n);
    std::transform(values, values + n, values, [&](double v) { return v > double{op.threshold} ? 1 : 0; });
    convert(DType::kFloat64, values, y.dtype(), y.raw() + i * size, n);
  }
}

}  // namespace

KINGLET_OP_IN(ai_onnx_ml, "ai.onnx.ml", Binarizer, op<Binarizer, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
