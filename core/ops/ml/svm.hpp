#pragma once
// Kernel functions of support vector machines.

#include "ops/ml/rows.hpp"

namespace kinglet::ops::ml {

/// A kernel k(x, v) and the vectors that it is evaluated with.
class SupportVectors {
 public:
  SupportVectors() = default;
  /// `vectors` are `count` > 0 rows. Throws kModel when they do not divide evenly.
  SupportVectors(const NodeView& n, std::vector<float> vectors, size_t count);
  /// The machine of no support vectors: a linear kernel over the coefficients.
  static SupportVectors linear(std::vector<float> coefficients, size_t count);

  size_t count() const { return count_; }
  size_t features() const { return vectors_.size() / count_; }
  /// y[i] = k(x, v[i]) of all vectors; x has features() elements.
  void evaluate(const float* x, float* y) const;

 private:
  enum class Kernel : uint8_t { kLinear, kPoly, kRbf, kSigmoid };

  Kernel kernel_ = Kernel::kLinear;
  float gamma_ = 1, coef0_ = 0, degree_ = 1;
  size_t count_ = 1;
  std::vector<float> vectors_;
};

}  // namespace kinglet::ops::ml
