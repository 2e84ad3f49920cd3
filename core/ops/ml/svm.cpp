#include "ops/ml/svm.hpp"

#include <cmath>

namespace kinglet::ops::ml {

SupportVectors SupportVectors::linear(std::vector<float> coefficients, size_t count) {
  check_attributes(count != 0 && !coefficients.empty() && coefficients.size() % count == 0,
                   "vectors do not divide evenly");
  SupportVectors out;
  out.count_ = count;
  out.vectors_ = std::move(coefficients);
  return out;
}

SupportVectors::SupportVectors(const NodeView& n, std::vector<float> vectors, size_t count)
    : SupportVectors(linear(std::move(vectors), count)) {
  static constexpr std::string_view kNames[] = {"LINEAR", "POLY", "RBF", "SIGMOID"};
  const std::string name = n.attr_string("kernel_type", "LINEAR");
  const auto* at = std::find(std::begin(kNames), std::end(kNames), name);
  if (at == std::end(kNames)) throw_error(ErrorCode::kModel, "kernel_type '{}' is not known", name);
  kernel_ = static_cast<Kernel>(at - std::begin(kNames));
  if (kernel_ == Kernel::kLinear) return;
  const std::vector<float> parameters = n.attr_floats("kernel_params", {0, 0, 0});
  check_attributes(parameters.size() == 3, "kernel_params are gamma, coef0, degree");
  gamma_ = parameters[0];
  coef0_ = parameters[1];
  degree_ = parameters[2];
}

void SupportVectors::evaluate(const float* x, float* y) const {
  const float* v = vectors_.data();
  const size_t n = features();
  for (size_t i = 0; i < count_; ++i, v += n) {
    double sum = 0;
    for (size_t k = 0; k < n; ++k) {
      const double difference = double{x[k]} - double{v[k]};
      sum += kernel_ == Kernel::kRbf ? difference * difference : double{x[k]} * double{v[k]};
    }
    switch (kernel_) {
      case Kernel::kLinear: break;
      case Kernel::kPoly: sum = std::pow(gamma_ * sum + coef0_, double{degree_}); break;
      case Kernel::kRbf: sum = std::exp(-gamma_ * sum); break;
      case Kernel::kSigmoid: sum = std::tanh(gamma_ * sum + coef0_); break;
    }
    y[i] = static_cast<float>(sum);
  }
}

}  // namespace kinglet::ops::ml
