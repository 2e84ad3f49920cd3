// Identity, Dropout without a mask, and casts to the type a value already has disappear.

#include "graph/passes/passes.hpp"

namespace kinglet::passes {
namespace {

bool passes_through(const Graph& graph, const Node& node) {
  if (!node.domain.empty() || node.inputs.empty() || node.inputs[0] == kNoValue) return false;
  if (node.op_type == "Identity") return true;
  if (node.op_type == "Dropout") {
    // training_mode (input 2, is_test = 0 before opset 7) may turn it on; a mask must be computed.
    const Attribute* is_test = node.find("is_test");
    if (node.opset < 7 && is_test != nullptr && is_test->i == 0) return false;
    return (node.outputs.size() < 2 || node.outputs[1] == kNoValue) && (node.inputs.size() < 3 || node.inputs[2] == kNoValue);
  }
  if (node.op_type == "Cast") {
    const DType from = graph.value(node.inputs[0]).dtype;
    return from != DType::kUndefined && node.outputs[0] != kNoValue && from == graph.value(node.outputs[0]).dtype;
  }
  return false;
}

}  // namespace

bool remove_identities(Graph& graph) {
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (node.outputs.empty() || node.outputs[0] == kNoValue || !passes_through(graph, node)) continue;
    // A graph output keeps its own value: its name is the caller's.
    if (graph.is_output(node.outputs[0])) continue;
    graph.replace_uses(node.outputs[0], node.inputs[0]);
    changed = true;
  }
  return changed;
}

}  // namespace kinglet::passes
