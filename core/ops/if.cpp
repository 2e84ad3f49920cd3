// If - runs one of two subgraphs (ONNX If 1, 11, 13, 16, 19, 21).

#include "ops/op.hpp"

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

void infer(const If& op, InferContext& c) {
  const std::vector<ValueInfo> on_true = c.infer_subgraph(op.then_branch, {});
  const std::vector<ValueInfo> on_false = c.infer_subgraph(op.else_branch, {});
  c.require(on_true.size() == c.outputs() && on_false.size() == c.outputs(), "{} outputs, but the branches have {} and {}",
            c.outputs(), on_true.size(), on_false.size());
  for (size_t i = 0; i < c.outputs(); ++i) {
    const DType type = on_true[i].dtype != DType::kUndefined ? on_true[i].dtype : on_false[i].dtype;
    c.out(i, type, common(on_true[i].shape, on_false[i].shape));
  }
}

void run(const If& op, RunContext& c) {
  const Tensor& condition = c.in(0);
  c.require(condition.count() == 1, "expected a condition of one element, got {}", condition.shape());
  const bool chosen = condition.data<bool>()[0];
  const std::vector<Tensor> results = c.run_subgraph(chosen ? op.then_branch : op.else_branch, {});
  for (size_t i = 0; i < results.size() && i < c.outputs(); ++i) {
    if (c.wants(i)) c.out(i, results[i].dtype(), results[i].shape()).copy_from(results[i]);
  }
}

}  // namespace

KINGLET_OP(If, op<If, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
