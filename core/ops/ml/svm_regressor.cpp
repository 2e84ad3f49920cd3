// SVMRegressor (ai.onnx.ml): Y [N, 1] = coefficients [V] times the kernel of each row with V support vectors,
// plus rho. Without support vectors it is linear in the row. A one-class machine gives the sign, -1 or 1.
// Like ONNX Runtime it takes no notice of post_transform.

#include "ops/in_f32.hpp"
#include "ops/ml/svm.hpp"

namespace kinglet::ops {
namespace {

struct SvmRegressor {
  ml::SupportVectors vectors;
  std::vector<float> coefficients;  ///< of the vectors
  float rho;
  bool one_class;
};

SvmRegressor parse(const NodeView& n) {
  std::vector<float> coefficients = n.attr_floats("coefficients", {});
  const std::vector<float> rho = n.attr_floats("rho", {});
  const int64_t supports = n.attr_int("n_supports", 0);
  ml::check_attributes(rho.size() == 1, "rho has one element");
  ml::parse_post_transform(n);
  SvmRegressor op{
      .vectors = {}, .coefficients = {1}, .rho = rho[0], .one_class = n.attr_int("one_class", 0) != 0};
  if (supports > 0) {
    ml::check_attributes(static_cast<uint64_t>(supports) == coefficients.size(),
                         "a coefficient a support vector");
    op.vectors = ml::SupportVectors(n, n.attr_floats("support_vectors", {}), coefficients.size());
    op.coefficients = std::move(coefficients);
  } else {
    op.vectors = ml::SupportVectors::linear(std::move(coefficients), 1);
  }
  return op;
}

void infer(const SvmRegressor&, InferContext& c) {
  c.out(0, DType::kFloat32, SymShape({ml::row_count(c.shape(0)), Dim(1)}));
}

void run(const SvmRegressor& op, RunContext& c) {
  const ml::Rows rows(c.in(0).shape());
  c.require(rows.features == op.vectors.features(), "{} features where the model has {}", rows.features,
            op.vectors.features());
  const float* x = as_f32(c, c.in(0));
  float* kernel = c.scratch<float>(op.vectors.count());
  float* y = c.out(0).data<float>();
  for (size_t row = 0; row < rows.count; ++row, x += rows.features) {
    op.vectors.evaluate(x, kernel);
    double sum = op.rho;
    for (size_t i = 0; i < op.coefficients.size(); ++i) sum += double{op.coefficients[i]} * double{kernel[i]};
    y[row] = op.one_class ? (sum > 0 ? 1.0f : -1.0f) : static_cast<float>(sum);
  }
}

}  // namespace

KINGLET_OP_IN(ai_onnx_ml, "ai.onnx.ml", SVMRegressor, op<SvmRegressor, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
