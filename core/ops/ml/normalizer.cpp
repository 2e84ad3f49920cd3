// Normalizer (ai.onnx.ml): each row divided by its greatest element, its sum of magnitudes (L1) or its length
// (L2); a row whose divisor is 0 stays as it is.

#include <cmath>

#include "ops/ml/rows.hpp"

namespace kinglet::ops {
namespace {

struct Normalizer {
  std::string norm;
};

Normalizer parse(const NodeView& n) {
  Normalizer op{n.attr_string("norm", "MAX")};
  ml::check_attributes(op.norm == "MAX" || op.norm == "L1" || op.norm == "L2", "norm is MAX, L1 or L2");
  return op;
}

void infer(const Normalizer&, InferContext& c) { c.out(0, DType::kFloat32, c.shape(0)); }

void run(const Normalizer& op, RunContext& c) {
  const ml::Rows rows(c.in(0).shape());
  const std::vector<double> values = ml::to_doubles(c.in(0));
  float* y = c.out(0).data<float>();
  for (size_t row = 0; row < values.size(); row += rows.features) {
    double divisor = op.norm == "MAX" ? values[row] : 0;
    for (size_t i = row; i < row + rows.features; ++i) {
      if (op.norm == "MAX") {
        divisor = std::max(divisor, values[i]);
      } else {
        divisor += op.norm == "L1" ? std::abs(values[i]) : values[i] * values[i];
      }
    }
    if (op.norm == "L2") divisor = std::sqrt(divisor);
    if (divisor == 0) divisor = 1;
    for (size_t i = row; i < row + rows.features; ++i) y[i] = static_cast<float>(values[i] / divisor);
  }
}

}  // namespace

KINGLET_OP_IN(ai_onnx_ml, "ai.onnx.ml", Normalizer, op<Normalizer, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
