// SVMClassifier (ai.onnx.ml). With support vectors each pair of classes has a decision value, and the pairs
// vote; prob_a and prob_b turn the values into probabilities of the classes. Without support vectors each
// class has a linear score. Labels and scores follow ONNX Runtime where the standard is silent.

#include <cmath>
#include <numeric>

#include "ops/in_f32.hpp"
#include "ops/ml/svm.hpp"

namespace kinglet::ops {
namespace {

using ml::check_attributes;

struct SvmClassifier {
  ml::Labels labels;
  ml::SupportVectors vectors;
  std::vector<size_t> first_vector;  ///< of each class, and the end; empty: linear
  std::vector<float> coefficients;   ///< [classes - 1, vectors]
  std::vector<float> rho, prob_a, prob_b;
  ml::PostTransform transform;
  bool mixed_signs;  ///< of the coefficients

  explicit SvmClassifier(const NodeView& n);
  size_t classes() const { return labels.size(); }
  size_t pairs() const { return classes() * (classes() - 1) / 2; }
  bool linear() const { return first_vector.empty(); }
  /// A single decision value is written as two scores.
  bool doubles_score() const { return !linear() && prob_a.empty() && classes() == 2; }
  size_t columns() const {
    if (linear() || !prob_a.empty()) return classes();
    return std::max<size_t>(pairs(), 2);
  }
};

SvmClassifier::SvmClassifier(const NodeView& n)
    : labels(n, "classlabels_strings", "classlabels_ints"),
      coefficients(n.attr_floats("coefficients", {})),
      rho(n.attr_floats("rho", {})),
      prob_a(n.attr_floats("prob_a", {})),
      prob_b(n.attr_floats("prob_b", {})),
      transform(ml::parse_post_transform(n)),
      mixed_signs(std::any_of(coefficients.begin(), coefficients.end(), [](float w) { return w < 0; })) {
  check_attributes(classes() < 65536 && !rho.empty(), "no rho, or too many classes");
  size_t end = 0;
  for (const int64_t count : n.attr_ints("vectors_per_class", {})) {
    check_attributes(count >= 0 && count < int64_t{1} << 32, "vectors_per_class are not negative");
    first_vector.push_back(end);
    end += static_cast<size_t>(count);
  }
  if (end == 0) {
    first_vector.clear();
    vectors = ml::SupportVectors::linear(std::move(coefficients), classes());
    return;
  }
  first_vector.push_back(end);
  check_attributes(first_vector.size() == classes() + 1 && classes() >= 2,
                   "as many vectors_per_class as labels");
  vectors = ml::SupportVectors(n, n.attr_floats("support_vectors", {}), end);
  check_attributes(coefficients.size() / end >= classes() - 1, "too few coefficients");
  check_attributes(rho.size() >= pairs(), "rho has one element a pair of classes");
  check_attributes(prob_a.size() == prob_b.size() && (prob_a.empty() || prob_a.size() >= pairs()),
                   "prob_a and prob_b have one element a pair of classes");
}

SvmClassifier parse(const NodeView& n) { return SvmClassifier(n); }

void infer(const SvmClassifier& op, InferContext& c) { ml::infer_classifier(c, op.labels, op.columns()); }

/// Probabilities p[n] of n classes from those of their pairs, r[i * n + j] that of i against j: algorithm 2
/// of Wu, Lin and Weng, "Probability estimates for multi-class classification by pairwise coupling" (2004),
/// in the precision and with the bounds of its users, since it stops long before it converges.
void couple_pairs(const float* r, size_t n, float* q, float* qp, float* p) {
  for (size_t i = 0; i < n; ++i) {
    p[i] = 1.0f / static_cast<float>(n);
    q[i * n + i] = 0;
    for (size_t j = 0; j < n; ++j) {
      if (i == j) continue;
      q[i * n + i] += r[j * n + i] * r[j * n + i];
      q[i * n + j] = -r[j * n + i] * r[i * n + j];
    }
  }
  const float tolerance = 0.005f / static_cast<float>(n);
  for (int pass = 0; pass < 100; ++pass) {
    float pqp = 0, worst = 0;
    for (size_t i = 0; i < n; ++i) {
      qp[i] = 0;
      for (size_t j = 0; j < n; ++j) qp[i] += q[i * n + j] * p[j];
      pqp += p[i] * qp[i];
    }
    for (size_t i = 0; i < n; ++i) worst = std::max(worst, std::abs(qp[i] - pqp));
    if (worst < tolerance) return;
    for (size_t i = 0; i < n; ++i) {
      const float change = (pqp - qp[i]) / q[i * n + i];
      p[i] += change;
      pqp = (pqp + change * (change * q[i * n + i] + 2 * qp[i])) / (1 + change) / (1 + change);
      for (size_t j = 0; j < n; ++j) {
        qp[j] = (qp[j] + change * q[i * n + j]) / (1 + change);
        p[j] /= 1 + change;
      }
    }
  }
}

/// Buffers for one row.
struct Workspace {
  std::vector<float> kernel, values, votes, pairs, q, qp;

  explicit Workspace(const SvmClassifier& op)
      : kernel(op.vectors.count()), values(op.linear() ? op.classes() : op.pairs()), votes(op.classes()) {
    if (op.prob_a.empty()) return;
    pairs.resize(op.classes() * op.classes());
    q.resize(pairs.size());
    qp.resize(op.classes());
  }
};

/// The decision value of each pair of classes, and the pairs that each class wins.
void decide(const SvmClassifier& op, const float* x, Workspace& w) {
  op.vectors.evaluate(x, w.kernel.data());
  std::fill(w.votes.begin(), w.votes.end(), 0.0f);
  const size_t vectors = op.vectors.count();
  const auto part = [&](size_t of, size_t row) {
    double sum = 0;
    for (size_t v = op.first_vector[of]; v < op.first_vector[of + 1]; ++v) {
      sum += double{op.coefficients[row * vectors + v]} * double{w.kernel[v]};
    }
    return sum;
  };
  size_t pair = 0;
  for (size_t i = 0; i + 1 < op.classes(); ++i) {
    for (size_t j = i + 1; j < op.classes(); ++j, ++pair) {
      // The coefficients of a class against itself are left out, so that row j - 1 holds those against j.
      const double sum = part(i, j - 1) + part(j, i) + double{op.rho[pair]};
      w.values[pair] = static_cast<float>(sum);
      w.votes[sum > 0 ? i : j] += 1;
    }
  }
}

void probabilities(const SvmClassifier& op, Workspace& w, float* out) {
  const size_t n = op.classes();
  size_t pair = 0;
  for (size_t i = 0; i + 1 < n; ++i) {
    for (size_t j = i + 1; j < n; ++j, ++pair) {
      const float p = 1 - ml::logistic(w.values[pair] * op.prob_a[pair] + op.prob_b[pair]);
      w.pairs[i * n + j] = std::clamp(p, 1e-7f, 1 - 1e-7f);
      w.pairs[j * n + i] = 1 - w.pairs[i * n + j];
    }
  }
  couple_pairs(w.pairs.data(), n, w.q.data(), w.qp.data(), out);
}

size_t choose(const SvmClassifier& op, const Workspace& w) {
  const std::vector<float>& scores = op.linear() ? w.values : w.votes;
  const auto best = std::max_element(scores.begin(), scores.end());
  // Two linear scores: what counts is whether any is positive.
  if (op.linear() && op.classes() == 2 && (op.mixed_signs ? *best > 0 : *best >= 0.5f)) return 1;
  return static_cast<size_t>(best - scores.begin());
}

void run(const SvmClassifier& op, RunContext& c) {
  const ml::Rows rows(c.in(0).shape());
  c.require(rows.features == op.vectors.features(), "{} features where the model has {}", rows.features,
            op.vectors.features());
  const float* x = as_f32(c, c.in(0));
  const size_t columns = op.columns();
  float* scores = c.wants(1) ? c.out(1).data<float>() : c.scratch<float>(rows.count * columns);
  Workspace w(op);
  for (size_t row = 0; row < rows.count; ++row, x += rows.features, scores += columns) {
    if (op.linear()) {
      op.vectors.evaluate(x, w.values.data());
      for (float& value : w.values) value += op.rho[0];
    } else {
      decide(op, x, w);
    }
    if (c.wants(0)) op.labels.write(c.out(0), row, choose(op, w));
    if (!op.linear() && !op.prob_a.empty()) {
      probabilities(op, w, scores);
    } else {
      std::copy(w.values.begin(), w.values.end(), scores);
    }
    if (!op.doubles_score()) {
      ml::transform_scores(op.transform, scores, columns);
      continue;
    }
    const bool is_logistic = op.transform == ml::PostTransform::kLogistic;
    scores[1] = is_logistic ? ml::logistic(scores[0]) : scores[0];
    scores[0] = op.transform == ml::PostTransform::kNone ? -scores[1] : 1 - scores[1];
  }
}

}  // namespace

KINGLET_OP_IN(ai_onnx_ml, "ai.onnx.ml", SVMClassifier, op<SvmClassifier, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
