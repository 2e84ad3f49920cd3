// OneHotEncoder (ai.onnx.ml): each element becomes a float32 vector over the categories, 1 at its own.
// Numbers are cut to integers first. A category that is not known gives zeros, or fails when the attribute
// `zeros` is 0.

#include "ops/convert.hpp"
#include "ops/ml/keys.hpp"
#include "ops/ml/rows.hpp"

namespace kinglet::ops {
namespace {

struct OneHotEncoder {
  ml::TensorKeys keys;
  size_t categories;
  bool zeros;
};

OneHotEncoder parse(const NodeView& n) {
  const Tensor cats = ml::list_attribute(n, "cats");
  ml::check_attributes(cats.valid() && cats.count() != 0, "no categories");
  return {ml::TensorKeys(cats), cats.count(), n.attr_int("zeros", 1) != 0};
}

void infer(const OneHotEncoder& op, InferContext& c) {
  SymShape out = c.shape(0);
  if (out.has_rank()) out.push_back(static_cast<int64_t>(op.categories));
  c.out(0, DType::kFloat32, out);
}

void run(const OneHotEncoder& op, RunContext& c) {
  Tensor x = c.in(0);
  if (x.dtype() != DType::kString && x.dtype() != DType::kInt64) {
    Tensor ints(DType::kInt64, x.shape());
    convert(x.dtype(), x.raw(), DType::kInt64, ints.raw(), x.count());
    x = ints;
  }
  const std::vector<size_t> found = op.keys.find(x);
  float* y = c.out(0).data<float>();
  std::fill_n(y, found.size() * op.categories, 0.0f);
  for (size_t i = 0; i < found.size(); ++i, y += op.categories) {
    if (found[i] != ml::kNoKey) y[found[i]] = 1;
    if (found[i] == ml::kNoKey && !op.zeros) {
      throw_error(ErrorCode::kInvalidArgument, "element {} is of no category", i);
    }
  }
}

}  // namespace

KINGLET_OP_IN(ai_onnx_ml, "ai.onnx.ml", OneHotEncoder, op<OneHotEncoder, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
