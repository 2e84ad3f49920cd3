// FeatureVectorizer (ai.onnx.ml): inputs [N, C] (or [C] as [1, C]) side by side, as float32.
// `inputdimensions` says how many columns an input takes: more than it has are zeros, fewer cut it off.

#include "ops/convert.hpp"
#include "ops/ml/rows.hpp"

namespace kinglet::ops {
namespace {

struct FeatureVectorizer {
  std::vector<int64_t> columns;
};

FeatureVectorizer parse(const NodeView& n) {
  FeatureVectorizer op{n.attr_ints("inputdimensions", {})};
  for (const int64_t columns : op.columns) {
    ml::check_attributes(columns >= 0 && columns < int64_t{1} << 31, "inputdimensions are out of range");
  }
  ml::check_attributes(op.columns.empty() || op.columns.size() == n.inputs(),
                       "one of inputdimensions an input");
  return op;
}

/// The columns that input i of `own` columns takes.
Dim columns_of(const FeatureVectorizer& op, size_t i, Dim own) {
  return op.columns.empty() ? own : Dim(op.columns[i]);
}

void infer(const FeatureVectorizer& op, InferContext& c) {
  int64_t total = 0;
  bool known = true;
  for (size_t i = 0; i < c.inputs(); ++i) {
    const SymShape& shape = c.shape(i);
    ml::row_count(shape);
    const Dim columns = columns_of(op, i, shape.has_rank() ? shape[shape.rank() - 1] : Dim());
    known = known && columns.known() && !__builtin_add_overflow(total, columns.value(), &total);
  }
  c.out(0, DType::kFloat32, SymShape({ml::row_count(c.shape(0)), known ? Dim(total) : Dim()}));
}

void run(const FeatureVectorizer& op, RunContext& c) {
  Tensor& y = c.out(0);
  const ml::Rows out(y.shape());
  std::fill_n(y.data<float>(), y.count(), 0.0f);
  size_t at = 0;
  for (size_t i = 0; i < c.inputs(); ++i) {
    const Tensor& x = c.in(i);
    const ml::Rows rows(x.shape());
    c.require(rows.count == out.count, "{} rows beside {}", rows.count, out.count);
    const auto columns = static_cast<size_t>(columns_of(op, i, static_cast<int64_t>(rows.features)).value());
    for (size_t row = 0; row < rows.count; ++row) {
      convert(x.dtype(), x.raw() + row * rows.features * dtype_size(x.dtype()), DType::kFloat32,
              y.data<float>() + row * out.features + at, std::min(columns, rows.features));
    }
    at += columns;
  }
}

}  // namespace

KINGLET_OP_IN(ai_onnx_ml, "ai.onnx.ml", FeatureVectorizer,
              op<FeatureVectorizer, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
