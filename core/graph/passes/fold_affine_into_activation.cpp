// A scalar scale or shift after a fused HardSwish goes into its parameters: alpha * hardswish(x) + beta.

#include "graph/inference.hpp"
#include "graph/passes/match.hpp"
#include "graph/passes/passes.hpp"

namespace kinglet::passes {
namespace {

bool fold(const Neighbours& near, std::vector<float>& params, const Node& node, ValueId image) {
  const std::optional<float> scalar = near.scalar(Neighbours::other_operand(node, image));
  if (!scalar) return false;
  if (node.op_type == "Mul") {
    params[0] *= *scalar;
    params[1] *= *scalar;
  } else {
    params[1] += *scalar;
  }
  return true;
}

}  // namespace

bool fold_affine_into_activation(Graph& graph) {
  const Neighbours near(graph);
  std::vector<int32_t> producer = graph.producers();
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (!is_op(node, "Mul", 2) && !is_op(node, "Add", 2)) continue;
    for (const ValueId id : node.inputs) {
      const int32_t made_by = producer[static_cast<size_t>(id)];
      if (made_by < 0 || !near.one_use(id) || !same_rank(graph, id, node.outputs[0])) continue;
      Node& target = graph.nodes[static_cast<size_t>(made_by)];
      const Attribute *activation = target.find("activation"), *params = target.find("activation_params");
      if (activation == nullptr || activation->s != "HardSwish" || target.outputs[0] != id) continue;
      std::vector<float> updated = params != nullptr ? params->floats : std::vector<float>{};
      if (updated.empty()) updated = {1, 0};
      if (!fold(near, updated, node, id)) continue;
      target.set_floats("activation_params", std::move(updated));
      target.outputs[0] = node.outputs[0];
      producer[static_cast<size_t>(node.outputs[0])] = made_by;
      node.outputs[0] = kNoValue;
      parse_node(target);
      changed = true;
      break;
    }
  }
  if (changed) drop_nodes_without_outputs(graph);
  return changed;
}

}  // namespace kinglet::passes
