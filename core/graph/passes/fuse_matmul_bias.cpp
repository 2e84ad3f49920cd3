// MatMul + Add of a constant with one value a column -> MatMul with a bias; com.microsoft's MatMulIntegerToFloat
// likewise.

#include "graph/inference.hpp"
#include "graph/passes/match.hpp"
#include "graph/passes/passes.hpp"

namespace kinglet::passes {

namespace {

/// The product without bias that makes `id`, or null.
Node* product_of(Graph& graph, const Neighbours& near, ValueId id) {
  const int32_t n = near.producer(id);
  if (n < 0 || !near.one_use(id)) return nullptr;
  Node& node = graph.nodes[static_cast<size_t>(n)];
  if (node.find("activation") != nullptr || node.outputs[0] != id) return nullptr;
  if (node.domain.empty() && node.op_type == "MatMul" && node.own_inputs == 2) return &node;
  const bool of_codes = node.domain == "com.microsoft" && node.op_type == "MatMulIntegerToFloat";
  return of_codes && (node.own_inputs < 7 || node.inputs[6] == kNoValue) ? &node : nullptr;
}

}  // namespace

bool fuse_matmul_bias(Graph& graph) {
  const Neighbours near(graph);
  bool changed = false;
  for (Node& add : graph.nodes) {
    if (!is_op(add, "Add", 2) || graph.value(add.outputs[0]).dtype != DType::kFloat32) continue;
    for (size_t i = 0; i < 2; ++i) {
      Node* matmul = product_of(graph, near, add.inputs[i]);
      const ValueId bias = add.inputs[1 - i];
      if (matmul == nullptr) continue;
      // A product with a vector has no columns: its last dim is the rows.
      const SymShape& right = graph.value(matmul->inputs[1]).shape;
      if (!right.has_rank() || right.rank() < 2) continue;
      const SymShape& out = graph.value(add.inputs[i]).shape;
      if (!graph.is_constant(bias) || !out.has_rank() || out.rank() == 0) continue;
      const Shape& shape = graph.value(bias).constant.shape();
      const bool one_a_column = shape.rank() >= 1 && shape.rank() <= out.rank() && out[out.rank() - 1].same(shape.back()) &&
                                shape.count() == static_cast<size_t>(shape.back());
      if (!one_a_column) continue;
      if (!matmul->domain.empty()) matmul->inputs.resize(6, kNoValue);
      matmul->inputs.push_back(bias);
      matmul->own_inputs = matmul->inputs.size();
      matmul->outputs[0] = add.outputs[0];
      add.outputs[0] = kNoValue;
      changed = true;
      break;
    }
  }
  if (changed) drop_nodes_without_outputs(graph);
  return changed;
}

}  // namespace kinglet::passes
