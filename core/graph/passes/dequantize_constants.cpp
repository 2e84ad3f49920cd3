// DequantizeLinear of a constant -> the numbers, where no pass found a use for the codes.

#include "graph/evaluate.hpp"
#include "graph/inference.hpp"
#include "graph/passes/match.hpp"
#include "graph/passes/passes.hpp"

namespace kinglet::passes {

bool dequantize_constants(Graph& graph) {
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (node.op_type != "DequantizeLinear" || node.outputs.empty() || node.outputs[0] == kNoValue) continue;
    std::vector<ops::ValueInfo> infos;
    for (const ValueId id : node.inputs) infos.push_back(id == kNoValue ? ops::ValueInfo() : info_of(graph.value(id)));
    std::vector<const ops::ValueInfo*> inputs;
    for (size_t i = 0; i < infos.size(); ++i) inputs.push_back(node.inputs[i] == kNoValue ? nullptr : &infos[i]);
    if (!can_evaluate(node, inputs)) continue;
    Value& value = graph.value(node.outputs[0]);
    value.constant = std::move(evaluate(node, inputs, infer_node(node, inputs)).at(0));
    value.dtype = value.constant.dtype();
    value.shape = value.constant.shape();
    node.outputs[0] = kNoValue;
    changed = true;
  }
  if (changed) drop_nodes_without_outputs(graph);
  return changed;
}

}  // namespace kinglet::passes
