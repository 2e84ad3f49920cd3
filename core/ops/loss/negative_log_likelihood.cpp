// NegativeLogLikelihoodLoss (ONNX 12, 13, 22) and SoftmaxCrossEntropyLoss (12, 13): what a classifier lost on
// each sample, or their sum or weighted mean. Computed in float64.

#include <algorithm>
#include <cmath>

#include "ops/elementwise.hpp"
#include "ops/move.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

enum class Reduction : uint8_t { kNone, kSum, kMean };

struct Loss {
  bool softmax;  ///< the scores are logits
  Reduction reduction = Reduction::kMean;
  std::optional<int64_t> ignored = {};  ///< the label of samples that do not count
};

Loss parse(const NodeView& n) {
  Loss op{.softmax = n.op_type() == "SoftmaxCrossEntropyLoss"};
  const std::string reduction = n.attr_string("reduction", "mean");
  if (reduction == "none") {
    op.reduction = Reduction::kNone;
  } else if (reduction == "sum") {
    op.reduction = Reduction::kSum;
  } else if (reduction != "mean") {
    throw_error(ErrorCode::kModel, "reduction '{}' is not known", reduction);
  }
  if (n.has("ignore_index")) op.ignored = n.attr_int("ignore_index");
  return op;
}

/// Scores [N, C, d...], labels [N, d...], weights [C].
void infer(const Loss& op, InferContext& c) {
  check_type(c.dtype(0), kFloats);
  if (c.has(2)) require_same_types(c, 0, 2);
  const SymShape &scores = c.shape(0), &labels = c.shape(1);
  SymShape out = SymShape::of_rank(0);
  if (op.reduction == Reduction::kNone) out = labels;
  c.require(!scores.has_rank() || scores.rank() >= 2, "expected scores [N, C, ...], got {}", scores);
  if (scores.has_rank() && labels.has_rank()) {
    c.require(labels.rank() + 1 == scores.rank(), "labels {} for scores {}", labels, scores);
    for (size_t i = 0; i < labels.rank(); ++i) unify(labels[i], scores[i == 0 ? 0 : i + 1]);
  }
  c.out(0, c.dtype(0), std::move(out));
  c.out(1, c.dtype(0), scores);
}

/// x[n, C, inner] to its log-softmax along C, in place.
void log_softmax(double* x, size_t classes, size_t inner) {
  for (size_t i = 0; i < inner; ++i) {
    double greatest = x[i];
    for (size_t k = 1; k < classes; ++k) greatest = std::max(greatest, x[k * inner + i]);
    double sum = 0;
    for (size_t k = 0; k < classes; ++k) sum += std::exp(x[k * inner + i] - greatest);
    const double log_sum = std::log(sum);
    for (size_t k = 0; k < classes; ++k) x[k * inner + i] = x[k * inner + i] - greatest - log_sum;
  }
}

const double* as_f64(RunContext& c, const Tensor& t) {
  double* out = c.scratch<double>(t.count());
  convert(t.dtype(), t.raw(), DType::kFloat64, out, t.count());
  return out;
}

void run(const Loss& op, RunContext& c) {
  const Tensor &scores = c.in(0), &labels = c.in(1);
  const Shape& shape = scores.shape();
  const auto classes = static_cast<size_t>(shape[1]);
  const size_t batch = static_cast<size_t>(shape[0]), inner = shape.count(2, shape.rank()),
               samples = batch * inner;
  c.require(labels.count() == samples, "labels {} for scores {}", labels.shape(), shape);
  c.require(!c.has(2) || c.in(2).count() == classes, "expected {} weights, got {}", classes,
            c.has(2) ? c.in(2).shape() : shape);

  double* log_probabilities = c.scratch<double>(scores.count());
  convert(scores.dtype(), scores.raw(), DType::kFloat64, log_probabilities, scores.count());
  for (size_t n = 0; op.softmax && classes != 0 && n < batch; ++n) {
    log_softmax(log_probabilities + n * classes * inner, classes, inner);
  }
  if (c.wants(1))
    convert(DType::kFloat64, log_probabilities, c.out(1).dtype(), c.out(1).raw(), scores.count());

  const double* weights = c.has(2) ? as_f64(c, c.in(2)) : nullptr;
  const Indices label(labels);
  double* losses = c.scratch<double>(samples);
  double sum = 0, sum_of_weights = 0;
  for (size_t s = 0; s < samples; ++s) {
    losses[s] = 0;
    if (op.ignored && label[s] == *op.ignored) continue;
    c.require(label[s] >= 0 && label[s] < shape[1], "label {} is outside of [0, {})", label[s], shape[1]);
    const auto k = static_cast<size_t>(label[s]);
    const double weight = weights == nullptr ? 1 : weights[k];
    losses[s] = -weight * log_probabilities[(s / inner * classes + k) * inner + s % inner];
    sum += losses[s];
    sum_of_weights += weight;
  }
  if (!c.wants(0)) return;
  Tensor& y = c.out(0);
  if (op.reduction == Reduction::kNone) return convert(DType::kFloat64, losses, y.dtype(), y.raw(), samples);
  const double loss = op.reduction == Reduction::kSum ? sum : sum / sum_of_weights;
  convert(DType::kFloat64, &loss, y.dtype(), y.raw(), 1);
}

}  // namespace

KINGLET_OP(NegativeLogLikelihoodLoss, op<Loss, parse, infer, run>(since(12)));
KINGLET_OP(SoftmaxCrossEntropyLoss, op<Loss, parse, infer, run>(since(12)));

}  // namespace kinglet::ops
