// Constant: a tensor, number, string, or list of them, that is written in the model.

#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct Constant {
  Tensor value;
};

template <class T>
Tensor vector(const std::vector<T>& values) {
  return Tensor::from<T>({static_cast<int64_t>(values.size())}, std::span<const T>(values));
}

Constant parse(const NodeView& n) {
  if (n.has("value")) return {n.attr_tensor("value")};
  if (n.has("value_float")) return {Tensor::scalar(n.attr_float("value_float"))};
  if (n.has("value_int")) return {Tensor::scalar(n.attr_int("value_int"))};
  if (n.has("value_string")) return {Tensor::scalar(n.attr_string("value_string"))};
  if (n.has("value_floats")) return {vector(n.attr_floats("value_floats", {}))};
  if (n.has("value_ints")) return {vector(n.attr_ints("value_ints"))};
  if (n.has("value_strings")) return {vector(n.attr_strings("value_strings", {}))};
  if (n.has("sparse_value")) return {n.attr_tensor("sparse_value")};  // the reader has made it dense
  throw_error(ErrorCode::kModel, "has no value");
}

void infer(const Constant& op, InferContext& c) {
  c.out(0, op.value.dtype(), op.value.shape());
  if (op.value.dtype() != DType::kInt64 || op.value.rank() > 1 || op.value.count() > kMaxRank) return;
  std::vector<Dim> elements;
  for (const int64_t v : op.value.values<int64_t>()) elements.emplace_back(v);
  c.out_dims(0, std::move(elements));
}

void run(const Constant& op, RunContext& c) { c.out(0).copy_from(op.value); }

}  // namespace

KINGLET_OP(Constant, op<Constant, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
