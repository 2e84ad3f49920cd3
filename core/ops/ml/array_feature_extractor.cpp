// ArrayFeatureExtractor (ai.onnx.ml): picks elements of the last dim of X by the indices Y. A vector X gives
// [1, k].

#include "ops/move.hpp"
#include "ops/op.hpp"

namespace kinglet::ops {
namespace {

struct ArrayFeatureExtractor {};

ArrayFeatureExtractor parse(const NodeView&) { return {}; }

void infer(const ArrayFeatureExtractor&, InferContext& c) {
  const SymShape &x = c.shape(0), &indices = c.shape(1);
  if (!x.has_rank()) return c.out(0, c.dtype(0), {});
  c.require(x.rank() != 0, "a scalar has no features");
  Dim picked = 1;
  if (!indices.has_rank()) {
    picked = Dim();
  } else if (indices.is_concrete()) {
    picked = static_cast<int64_t>(indices.concrete().count());
  } else {
    picked = indices.rank() == 1 ? indices[0] : Dim();
  }
  SymShape out = x.rank() == 1 ? SymShape({Dim(1), Dim()}) : x;
  out[out.rank() - 1] = picked;
  c.out(0, c.dtype(0), out);
}

void run(const ArrayFeatureExtractor&, RunContext& c) {
  const Tensor& x = c.in(0);
  const size_t picked = c.in(1).count();
  const int64_t features = x.shape().back();
  c.require(picked != 0, "no features are picked");
  const Indices indices(c.in(1));
  Tensor& y = c.out(0);
  const size_t rows = y.count() / picked;
  for (size_t row = 0; row < rows; ++row) {
    for (size_t i = 0; i < picked; ++i) {
      c.require(indices[i] >= 0 && indices[i] < features, "index {} of {} features", indices[i], features);
      const size_t source = row * static_cast<size_t>(features) + static_cast<size_t>(indices[i]);
      copy_elements(x.dtype(), element(y, row * picked + i), element(x, source), 1);
    }
  }
}

}  // namespace

KINGLET_OP_IN(ai_onnx_ml, "ai.onnx.ml", ArrayFeatureExtractor,
              op<ArrayFeatureExtractor, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
