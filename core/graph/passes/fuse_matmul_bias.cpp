// MatMul + Add of a constant with one value a column -> MatMul with a bias.

#include "graph/inference.hpp"
#include "graph/passes/match.hpp"
#include "graph/passes/passes.hpp"

namespace kinglet::passes {

bool fuse_matmul_bias(Graph& graph) {
  const Neighbours near(graph);
  bool changed = false;
  for (Node& add : graph.nodes) {
    if (!is_op(add, "Add", 2) || graph.value(add.outputs[0]).dtype != DType::kFloat32) continue;
    for (size_t i = 0; i < 2; ++i) {
      Node* matmul = near.made_by(add.inputs[i], "MatMul");
      const ValueId bias = add.inputs[1 - i];
      if (matmul == nullptr || matmul->own_inputs != 2 || matmul->find("activation") != nullptr || !near.one_use(add.inputs[i])) continue;
      // A product with a vector has no columns: its last dim is the rows.
      const SymShape& right = graph.value(matmul->inputs[1]).shape;
      if (!right.has_rank() || right.rank() < 2) continue;
      const SymShape& out = graph.value(add.inputs[i]).shape;
      if (!graph.is_constant(bias) || !out.has_rank() || out.rank() == 0) continue;
      const Shape& shape = graph.value(bias).constant.shape();
      const bool one_a_column = shape.rank() >= 1 && shape.rank() <= out.rank() && out[out.rank() - 1].same(shape.back()) &&
                                shape.count() == static_cast<size_t>(shape.back());
      if (!one_a_column) continue;
      matmul->inputs.push_back(bias);
      matmul->own_inputs = 3;
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
