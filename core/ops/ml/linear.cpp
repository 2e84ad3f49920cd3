// LinearClassifier and LinearRegressor (ai.onnx.ml): scores [N, E] = X [N, C] times coefficients [E, C], plus
// intercepts [E]. Sums are kept in double precision.

#include "ops/in_f32.hpp"
#include "ops/ml/rows.hpp"

namespace kinglet::ops {
namespace {

using ml::check_attributes;

struct Linear {
  std::vector<float> coefficients, intercepts;
  size_t targets = 0;
  ml::PostTransform transform = ml::PostTransform::kNone;

  Linear(const NodeView& n, size_t count)
      : coefficients(n.attr_floats("coefficients", {})),
        intercepts(n.attr_floats("intercepts", {})),
        targets(count),
        transform(ml::parse_post_transform(n)) {
    check_attributes(targets > 0 && !coefficients.empty() && coefficients.size() % targets == 0,
                     "coefficients do not fit the targets");
    check_attributes(intercepts.empty() || intercepts.size() == targets, "intercepts do not fit the targets");
  }

  /// Writes the scores of rows x to y, `stride` apart.
  void scores(RunContext& c, const Tensor& x, float* y, size_t stride) const {
    const ml::Rows rows(x.shape());
    const size_t features = coefficients.size() / targets;
    c.require(rows.features == features, "{} features where the model has {}", rows.features, features);
    const float* row = as_f32(c, x);
    for (size_t i = 0; i < rows.count; ++i, row += features, y += stride) {
      const float* w = coefficients.data();
      for (size_t t = 0; t < targets; ++t, w += features) {
        double sum = intercepts.empty() ? 0 : intercepts[t];
        for (size_t k = 0; k < features; ++k) sum += double{row[k]} * double{w[k]};
        y[t] = static_cast<float>(sum);
      }
    }
  }
};

Linear parse_regressor(const NodeView& n) {
  const int64_t targets = n.attr_int("targets", 1);
  check_attributes(targets > 0, "targets must be positive");
  return Linear(n, static_cast<size_t>(targets));
}

void infer_regressor(const Linear& op, InferContext& c) {
  c.out(0, DType::kFloat32, SymShape({ml::row_count(c.shape(0)), static_cast<int64_t>(op.targets)}));
}

void run_regressor(const Linear& op, RunContext& c) {
  Tensor& y = c.out(0);
  float* scores = y.data<float>();
  op.scores(c, c.in(0), scores, op.targets);
  for (size_t i = 0; i < y.count(); i += op.targets) {
    ml::transform_scores(op.transform, scores + i, op.targets);
  }
}

struct Classifier {
  ml::Labels labels;
  Linear linear;
  size_t columns;  ///< of the scores: a single score and two labels make two

  explicit Classifier(const NodeView& n)
      : labels(n, "classlabels_strings", "classlabels_ints"),
        linear(n, n.has("intercepts") ? n.attr_floats("intercepts", {}).size() : labels.size()),
        columns(linear.targets == 1 && labels.size() == 2 ? 2 : linear.targets) {
    check_attributes(linear.targets == 1 || labels.size() >= linear.targets, "more scores than labels");
  }
};

Classifier parse_classifier(const NodeView& n) { return Classifier(n); }

void infer_classifier(const Classifier& op, InferContext& c) {
  ml::infer_classifier(c, op.labels, op.columns);
}

void run_classifier(const Classifier& op, RunContext& c) {
  const size_t rows = ml::Rows(c.in(0).shape()).count, targets = op.linear.targets;
  float* scores = c.wants(1) ? c.out(1).data<float>() : c.scratch<float>(rows * op.columns);
  op.linear.scores(c, c.in(0), scores, op.columns);
  for (size_t i = 0; i < rows; ++i, scores += op.columns) {
    const size_t best = targets == 1
                            ? (scores[0] > 0 ? 1 : 0)
                            : static_cast<size_t>(std::max_element(scores, scores + targets) - scores);
    if (c.wants(0)) op.labels.write(c.out(0), i, best);
    if (op.columns == targets) {
      ml::transform_scores(op.linear.transform, scores, targets);
      continue;
    }
    // What is left of a single score's transform makes the score of the positive label.
    const bool is_logistic = op.linear.transform == ml::PostTransform::kLogistic;
    scores[1] = is_logistic ? ml::logistic(scores[0]) : scores[0];
    scores[0] = 1 - scores[1];
  }
}

}  // namespace

KINGLET_OP_IN(ai_onnx_ml, "ai.onnx.ml", LinearRegressor,
              op<Linear, parse_regressor, infer_regressor, run_regressor>(since(1)));
KINGLET_OP_IN(ai_onnx_ml, "ai.onnx.ml", LinearClassifier,
              op<Classifier, parse_classifier, infer_classifier, run_classifier>(since(1)));

}  // namespace kinglet::ops
