// If - runs one of two subgraphs (ONNX If 1, 11, 13, 16, 19, 21).

#include "ops/control/results.hpp"

namespace kinglet::ops {
namespace {

struct If {
  size_t then_branch = 0, else_branch = 0;
};

If parse(const NodeView& n) { return {n.attr_graph("then_branch"), n.attr_graph("else_branch")}; }

/// What holds whichever branch runs.
SymShape common(const SymShape& a, const SymShape& b) {
  if (!a.has_rank() || !b.has_rank() || a.rank() != b.rank()) return {};
  std::vector<Dim> dims;
  for (size_t i = 0; i < a.rank(); ++i) dims.push_back(a[i].same(b[i]) ? a[i] : Dim());
  return SymShape(std::move(dims));
}

void check_outputs(const std::vector<ValueInfo>& results, const InferContext& c) {
  if (results.size() == c.outputs()) return;
  throw_error(ErrorCode::kModel, "{} outputs, but a branch has {}", c.outputs(), results.size());
}

/// A branch whose shapes contradict each other is one that the model never takes with these inputs.
std::optional<std::vector<ValueInfo>> infer_branch(size_t branch, InferContext& c) {
  try {
    std::vector<ValueInfo> results = c.infer_subgraph(branch, {});
    check_outputs(results, c);
    return results;
  } catch (const Error& error) {
    if (error.code != ErrorCode::kShape) throw;
    return std::nullopt;
  }
}

void infer(const If& op, InferContext& c) {
  if (c.dtype(0) != DType::kUndefined && c.dtype(0) != DType::kBool) {
    throw_error(ErrorCode::kModel, "the condition is {}", c.dtype(0));
  }
  if (const Tensor* condition = c.constant(0); condition != nullptr && condition->dtype() == DType::kBool && condition->count() == 1) {
    const std::vector<ValueInfo> taken = c.infer_subgraph(condition->data<bool>()[0] ? op.then_branch : op.else_branch, {});
    check_outputs(taken, c);
    for (size_t i = 0; i < taken.size(); ++i) c.out(i, taken[i].dtype, taken[i].shape);
    return;
  }
  const auto on_true = infer_branch(op.then_branch, c);
  const auto on_false = infer_branch(op.else_branch, c);
  for (size_t i = 0; i < c.outputs(); ++i) {
    if (!on_true || !on_false) {
      if (on_true || on_false) c.out(i, (on_true ? *on_true : *on_false)[i].dtype, {});
      continue;
    }
    const ValueInfo &a = (*on_true)[i], &b = (*on_false)[i];
    if (a.dtype != b.dtype && (a.dtype == DType::kNone || b.dtype == DType::kNone)) {
      c.out(i, DType::kUndefined, {});  // an optional that one branch leaves empty
      continue;
    }
    if (a.dtype != b.dtype && a.dtype != DType::kUndefined && b.dtype != DType::kUndefined) {
      throw_error(ErrorCode::kModel, "output {} is {} in one branch and {} in the other", i, a.dtype, b.dtype);
    }
    c.out(i, a.dtype != DType::kUndefined ? a.dtype : b.dtype, common(a.shape, b.shape));
  }
}

void run(const If& op, RunContext& c) {
  const Tensor& condition = c.in(0);
  if (condition.dtype() != DType::kBool) throw_error(ErrorCode::kModel, "the condition is {}", condition.dtype());
  c.require(condition.count() == 1, "expected a condition of one element, got {}", condition.shape());
  const bool chosen = condition.data<bool>()[0];
  const std::vector<Tensor> results = c.run_subgraph(chosen ? op.then_branch : op.else_branch, {});
  for (size_t i = 0; i < results.size() && i < c.outputs(); ++i) {
    pass_on(c, i, results[i]);
  }
}

}  // namespace

KINGLET_OP(If, op<If, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
