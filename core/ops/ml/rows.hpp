#pragma once
// What the operators of ai.onnx.ml share: rows of features, class labels, and what is done with scores at the
// end.

#include <string>
#include <vector>

#include "ops/op.hpp"

namespace kinglet::ops::ml {

/// A tensor [N, C] as rows, or [C] as one row; throws kShape for another rank.
struct Rows {
  size_t count, features;
  explicit Rows(const Shape& shape);
};

/// The dim N of an input [N, C] or [C]; throws kShape for another rank.
Dim row_count(const SymShape& shape);

/// The elements of t as doubles; throws kModel when t is not of a numeric type.
std::vector<double> to_doubles(const Tensor& t);

/// Throws kModel unless `holds`: for attributes that contradict each other.
inline void check_attributes(bool holds, std::string_view what) {
  if (!holds) throw_error(ErrorCode::kModel, "attributes: {}", what);
}

/// In the order of TreeEnsemble's numbers for them.
enum class PostTransform : uint8_t { kNone, kSoftmax, kLogistic, kSoftmaxZero, kProbit };

/// From the attribute of the name post_transform.
PostTransform parse_post_transform(const NodeView& n);

float logistic(float x);

/// The transform of the n >= 2 scores of a row; of a single score only PROBIT means something, as in ONNX
/// Runtime.
void transform_scores(PostTransform transform, float* scores, size_t n);

/// The labels of a classifier: strings or int64.
class Labels {
 public:
  /// Throws kModel when there are none, or both kinds.
  Labels(const NodeView& n, std::string_view strings_attribute, std::string_view ints_attribute);
  size_t size() const { return strings_.empty() ? ints_.size() : strings_.size(); }
  DType dtype() const { return strings_.empty() ? DType::kInt64 : DType::kString; }
  /// Writes label `index`; an index of no label gives its number.
  void write(Tensor& y, size_t row, size_t index) const;

 private:
  std::vector<std::string> strings_;
  std::vector<int64_t> ints_;
};

/// Outputs of a classifier: labels [N] and float32 scores [N, columns].
void infer_classifier(InferContext& c, const Labels& labels, size_t columns);

}  // namespace kinglet::ops::ml
