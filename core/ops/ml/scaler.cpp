// Scaler (ai.onnx.ml): Y = (X - offset) * scale as float32, one offset and scale for all or one a feature
// (the last dim of X).

#include "ops/ml/rows.hpp"

namespace kinglet::ops {
namespace {

struct Scaler {
  std::vector<float> offset, scale;
};

Scaler parse(const NodeView& n) {
  Scaler op{n.attr_floats("offset", {}), n.attr_floats("scale", {})};
  if (op.offset.empty()) op.offset = {0};
  if (op.scale.empty()) op.scale = {1};
  return op;
}

void infer(const Scaler&, InferContext& c) { c.out(0, DType::kFloat32, c.shape(0)); }

void run(const Scaler& op, RunContext& c) {
  const Tensor& x = c.in(0);
  const size_t features = x.rank() == 0 ? 1 : static_cast<size_t>(x.shape().back());
  for (const size_t n : {op.offset.size(), op.scale.size()}) {
    c.require(n == 1 || n == features, "{} values for {} features", n, features);
  }
  const std::vector<double> values = ml::to_doubles(x);
  float* y = c.out(0).data<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t feature = i % features;
    y[i] = static_cast<float>((values[i] - op.offset[op.offset.size() == 1 ? 0 : feature]) *
                              op.scale[op.scale.size() == 1 ? 0 : feature]);
  }
}

}  // namespace

KINGLET_OP_IN(ai_onnx_ml, "ai.onnx.ml", Scaler, op<Scaler, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
