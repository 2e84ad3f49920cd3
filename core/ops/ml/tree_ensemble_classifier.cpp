// TreeEnsembleClassifier (ai.onnx.ml): the votes of trees for classes. Labels [N], and scores [N, classes]
// float32, are as in ONNX Runtime where the standard is silent: with two classes of which only one has votes.

#include "ops/convert.hpp"
#include "ops/ml/forest.hpp"

namespace kinglet::ops {
namespace {

using ml::check_attributes;
using Scores = std::span<ml::Forest::Score>;

/// As it is written, so that trees that disagree evenly tie: in double precision the votes' own rounding
/// would decide.
float rounded(const ml::Forest::Score& score) { return static_cast<float>(score.value); }

struct TreeEnsembleClassifier {
  ml::Labels labels;
  ml::Forest forest;
  std::vector<double> base;
  ml::PostTransform transform;
  bool one_voted;  ///< two classes, and all votes are for one of them
  bool votes_are_positive;

  explicit TreeEnsembleClassifier(const NodeView& n);
};

TreeEnsembleClassifier::TreeEnsembleClassifier(const NodeView& n)
    : labels(n, "classlabels_strings", "classlabels_int64s"),
      forest(ml::Forest::from_node_ids(n, "class", labels.size())),
      base(ml::floats_or_tensor(n, "base_values")),
      transform(ml::parse_post_transform(n)),
      one_voted(labels.size() == 2),
      votes_are_positive(true) {
  check_attributes(base.size() <= labels.size(), "more base_values than classes");
  for (const ml::Forest::Weight& w : forest.weights()) {
    one_voted = one_voted && w.target == forest.weights()[0].target;
    votes_are_positive = votes_are_positive && w.value >= 0;
  }
}

TreeEnsembleClassifier parse(const NodeView& n) { return TreeEnsembleClassifier(n); }

void infer(const TreeEnsembleClassifier& op, InferContext& c) {
  ml::infer_classifier(c, op.labels, op.labels.size());
}

/// The class of the greatest score after adding base values.
size_t choose_among_many(const TreeEnsembleClassifier& op, Scores scores) {
  size_t best = 0;
  bool found = false;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (i < op.base.size()) scores[i] = {scores[i].value + op.base[i], true};
    if (!scores[i].present || (found && rounded(scores[i]) <= rounded(scores[best]))) continue;
    best = i;
    found = true;
  }
  return best;
}

/// The same for two classes, of which the second may get its score from the first only.
size_t choose_of_two(const TreeEnsembleClassifier& op, Scores scores) {
  if (!op.one_voted) scores[1].present = scores[1].present || scores[0].present;
  if (op.base.size() == 2 && scores[1].present) {
    scores[1].value = op.base[1] + scores[0].value;
    scores[0].value = -scores[1].value;
  } else {
    for (size_t i = 0; i < op.base.size(); ++i) scores[i].value += op.base[i];
  }
  const float decisive = rounded(scores[scores[1].present ? 1 : 0]);
  return decisive > (op.one_voted && op.votes_are_positive ? 0.5f : 0) ? 1 : 0;
}

void run(const TreeEnsembleClassifier& op, RunContext& c) {
  const Tensor& x = c.in(0);
  const ml::Rows rows(x.shape());
  c.require(rows.features >= op.forest.features(), "{} features where the trees read {}", rows.features,
            op.forest.features());
  const size_t classes = op.labels.size();
  float* out = c.wants(1) ? c.out(1).data<float>() : c.scratch<float>(rows.count * classes);
  std::vector<double> row(rows.features);
  std::vector<ml::Forest::Score> scores(classes);
  for (size_t i = 0; i < rows.count; ++i, out += classes) {
    convert(x.dtype(), x.raw() + i * rows.features * dtype_size(x.dtype()), DType::kFloat64, row.data(),
            row.size());
    op.forest.evaluate(row.data(), ml::Forest::Aggregate::kSum, scores);
    const size_t best = classes == 2 ? choose_of_two(op, scores) : choose_among_many(op, scores);
    if (c.wants(0)) op.labels.write(c.out(0), i, best);
    for (size_t k = 0; k < classes; ++k) out[k] = scores[k].present ? rounded(scores[k]) : 0;
    const bool is_single = classes == 2 && !scores[1].present && op.base.size() != 2;
    if (!is_single) {
      ml::transform_scores(op.transform, out, classes);
      continue;
    }
    if (op.transform == ml::PostTransform::kProbit) {
      ml::transform_scores(op.transform, out, 1);
    } else if (op.transform == ml::PostTransform::kLogistic) {
      out[1] = ml::logistic(out[0]);
      out[0] = ml::logistic(-out[0]);
    } else {
      out[1] = out[0];
      out[0] = op.votes_are_positive ? 1 - out[1] : -out[1];
    }
  }
}

}  // namespace

KINGLET_OP_IN(ai_onnx_ml, "ai.onnx.ml", TreeEnsembleClassifier,
              op<TreeEnsembleClassifier, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
