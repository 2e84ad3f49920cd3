// ZipMap (ai.onnx.ml): scores [N, C] (or [C] as one row) as a sequence of N maps from class labels to scores.

#include "ops/convert.hpp"
#include "ops/ml/keys.hpp"
#include "ops/ml/rows.hpp"

namespace kinglet::ops {
namespace {

struct ZipMap {
  Tensor labels;
};

ZipMap parse(const NodeView& n) {
  const Tensor labels = ml::list_attribute(n, "classlabels");
  ml::check_attributes(labels.valid() && labels.count() != 0, "no class labels");
  return {labels};
}

void infer(const ZipMap&, InferContext& c) { c.out(0, DType::kSequence, {}); }

void run(const ZipMap& op, RunContext& c) {
  const Tensor& x = c.in(0);
  const ml::Rows rows(x.shape());
  c.require(rows.features == op.labels.count(), "{} scores for {} labels", rows.features, op.labels.count());
  std::vector<Tensor> maps;
  for (size_t i = 0; i < rows.count; ++i) {
    Tensor scores(DType::kFloat32, op.labels.shape());
    convert(x.dtype(), x.raw() + i * rows.features * dtype_size(x.dtype()), DType::kFloat32, scores.raw(),
            rows.features);
    maps.push_back(Tensor::map(op.labels, scores));
  }
  c.give(0, Tensor::sequence(maps));
}

}  // namespace

KINGLET_OP_IN(ai_onnx_ml, "ai.onnx.ml", ZipMap, op<ZipMap, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
