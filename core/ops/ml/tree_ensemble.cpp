// TreeEnsemble and TreeEnsembleRegressor (ai.onnx.ml): for each row the sum, mean, least or greatest of what
// the trees' leaves say of each target, plus base values. Y [N, targets] is of the input's float type for
// TreeEnsemble, float32 for the other. Scores are summed in double precision.

#include "ops/convert.hpp"
#include "ops/ml/forest.hpp"

namespace kinglet::ops {
namespace {

using ml::check_attributes;
using Aggregate = ml::Forest::Aggregate;

struct TreeEnsemble {
  size_t targets;
  ml::Forest forest;
  std::vector<double> base;  ///< empty: zeros
  Aggregate aggregate;
  ml::PostTransform transform;
  bool keeps_type;
};

size_t target_count(const NodeView& n) {
  const int64_t targets = n.attr_int("n_targets", 1);
  check_attributes(targets > 0, "n_targets must be positive");
  return static_cast<size_t>(targets);
}

TreeEnsemble parse(const NodeView& n) {
  const size_t targets = target_count(n);
  const int64_t aggregate = n.attr_int("aggregate_function", 1), transform = n.attr_int("post_transform", 0);
  check_attributes(aggregate >= 0 && aggregate <= 3, "aggregate_function is not known");
  check_attributes(transform >= 0 && transform <= 4, "post_transform is not known");
  return {targets,
          ml::Forest::from_indices(n, targets),
          {},
          static_cast<Aggregate>(aggregate),
          static_cast<ml::PostTransform>(transform),
          true};
}

Aggregate parse_aggregate(const std::string& name) {
  static constexpr std::string_view kNames[] = {"AVERAGE", "SUM", "MIN", "MAX"};
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (name == kNames[i]) return static_cast<Aggregate>(i);
  }
  throw_error(ErrorCode::kModel, "aggregate_function '{}' is not known", name);
}

TreeEnsemble parse_regressor(const NodeView& n) {
  const size_t targets = target_count(n);
  TreeEnsemble op{targets,
                  ml::Forest::from_node_ids(n, "target", targets),
                  ml::floats_or_tensor(n, "base_values"),
                  parse_aggregate(n.attr_string("aggregate_function", "SUM")),
                  ml::parse_post_transform(n),
                  false};
  check_attributes(op.base.empty() || op.base.size() == targets, "base_values do not fit the targets");
  return op;
}

void infer(const TreeEnsemble& op, InferContext& c) {
  c.out(0, op.keeps_type ? c.dtype(0) : DType::kFloat32,
        SymShape({ml::row_count(c.shape(0)), static_cast<int64_t>(op.targets)}));
}

void run(const TreeEnsemble& op, RunContext& c) {
  const Tensor& x = c.in(0);
  Tensor& y = c.out(0);
  const ml::Rows rows(x.shape());
  c.require(rows.features >= op.forest.features(), "{} features where the trees read {}", rows.features,
            op.forest.features());
  std::vector<double> row(rows.features), sums(op.targets);
  std::vector<float> rounded(op.targets);
  std::vector<ml::Forest::Score> scores(op.targets);
  for (size_t i = 0; i < rows.count; ++i) {
    convert(x.dtype(), x.raw() + i * rows.features * dtype_size(x.dtype()), DType::kFloat64, row.data(),
            row.size());
    op.forest.evaluate(row.data(), op.aggregate, scores);
    for (size_t t = 0; t < op.targets; ++t) sums[t] = scores[t].value + (op.base.empty() ? 0 : op.base[t]);
    std::byte* out = y.raw() + i * op.targets * dtype_size(y.dtype());
    if (op.transform == ml::PostTransform::kNone) {
      convert(DType::kFloat64, sums.data(), y.dtype(), out, op.targets);
      continue;
    }
    std::transform(sums.begin(), sums.end(), rounded.begin(), [](double v) { return static_cast<float>(v); });
    ml::transform_scores(op.transform, rounded.data(), op.targets);
    convert(DType::kFloat32, rounded.data(), y.dtype(), out, op.targets);
  }
}

}  // namespace

KINGLET_OP_IN(ai_onnx_ml, "ai.onnx.ml", TreeEnsemble, op<TreeEnsemble, parse, infer, run>(since(5)));
KINGLET_OP_IN(ai_onnx_ml, "ai.onnx.ml", TreeEnsembleRegressor,
              op<TreeEnsemble, parse_regressor, infer, run>(since(1)));

}  // namespace kinglet::ops
