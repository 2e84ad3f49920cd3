#include "ops/ml/rows.hpp"

#include <cmath>

#include "ops/convert.hpp"

namespace kinglet::ops::ml {
namespace {

/// Inverse of the error function by Winitzki's approximation, whose relative error is below 2e-3.
float erf_inverse(float x) {
  const float log = std::log((1 - x) * (1 + x));
  const float v = 2 / (3.14159f * 0.147f) + 0.5f * log;
  return std::copysign(std::sqrt(std::sqrt(v * v - log / 0.147f) - v), x);
}

float probit(float x) { return 1.41421356f * erf_inverse(2 * x - 1); }

void softmax(float* scores, size_t n, bool keep_zeros) {
  float greatest = scores[0];
  for (size_t i = 1; i < n; ++i) greatest = std::max(greatest, scores[i]);
  float sum = 0;
  for (size_t i = 0; i < n; ++i) {
    if (keep_zeros && std::abs(scores[i]) <= 1e-7f) {
      scores[i] *= std::exp(-greatest);
      continue;
    }
    scores[i] = std::exp(scores[i] - greatest);
    sum += scores[i];
  }
  for (size_t i = 0; i < n; ++i) scores[i] /= sum;
}

}  // namespace

Rows::Rows(const Shape& shape) {
  Requires::require(shape.rank() == 1 || shape.rank() == 2, "needs [N, C] or [C], got {}", shape);
  count = shape.rank() == 1 ? 1 : static_cast<size_t>(shape[0]);
  features = static_cast<size_t>(shape.back());
}

Dim row_count(const SymShape& shape) {
  if (!shape.has_rank()) return {};
  Requires::require(shape.rank() == 1 || shape.rank() == 2, "needs [N, C] or [C], got {}", shape);
  return shape.rank() == 1 ? Dim(1) : shape[0];
}

std::vector<double> to_doubles(const Tensor& t) {
  std::vector<double> out(t.count());
  convert(t.dtype(), t.raw(), DType::kFloat64, out.data(), out.size());
  return out;
}

PostTransform parse_post_transform(const NodeView& n) {
  static constexpr std::string_view kNames[] = {"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"};
  const std::string name = n.attr_string("post_transform", "NONE");
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (name == kNames[i]) return static_cast<PostTransform>(i);
  }
  throw_error(ErrorCode::kModel, "post_transform '{}' is not known", name);
}

float logistic(float x) {
  const float v = 1 / (1 + std::exp(-std::abs(x)));
  return x < 0 ? 1 - v : v;
}

void transform_scores(PostTransform transform, float* scores, size_t n) {
  if (n == 0 || (n == 1 && transform != PostTransform::kProbit)) return;
  switch (transform) {
    case PostTransform::kNone: return;
    case PostTransform::kSoftmax:
    case PostTransform::kSoftmaxZero: return softmax(scores, n, transform == PostTransform::kSoftmaxZero);
    case PostTransform::kLogistic: std::transform(scores, scores + n, scores, logistic); return;
    case PostTransform::kProbit: std::transform(scores, scores + n, scores, probit); return;
  }
}

Labels::Labels(const NodeView& n, std::string_view strings_attribute, std::string_view ints_attribute)
    : strings_(n.attr_strings(strings_attribute, {})), ints_(n.attr_ints(ints_attribute, {})) {
  check_attributes(strings_.empty() != ints_.empty(), "class labels are either strings or integers");
}

void Labels::write(Tensor& y, size_t row, size_t index) const {
  if (strings_.empty()) {
    y.data<int64_t>()[row] = index < ints_.size() ? ints_[index] : static_cast<int64_t>(index);
    return;
  }
  std::string& label = y.data<std::string>()[row];
  label.clear();
  if (index < strings_.size()) {
    label = strings_[index];
  } else {
    append_text(label, uint64_t{index});
  }
}

void infer_classifier(InferContext& c, const Labels& labels, size_t columns) {
  const Dim rows = row_count(c.shape(0));
  c.out(0, labels.dtype(), SymShape({rows}));
  c.out(1, DType::kFloat32, SymShape({rows, static_cast<int64_t>(columns)}));
}

}  // namespace kinglet::ops::ml
