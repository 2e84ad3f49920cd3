// Reductions with constant axes as an input get them as an attribute, so that a change of layout can renumber them.

#include "graph/inference.hpp"
#include "graph/passes/match.hpp"
#include "graph/passes/passes.hpp"

namespace kinglet::passes {

bool axes_to_attribute(Graph& graph) {
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (!node.op_type.starts_with("Reduce") || !is_op(node, node.op_type, 2) || !graph.is_constant(node.inputs[1])) continue;
    const Tensor& axes = graph.value(node.inputs[1]).constant;
    if (axes.dtype() != DType::kInt64 || axes.count() == 0) continue;  // no axes: another attribute decides
    node.set_ints("axes", to_int64s(axes));
    node.inputs.resize(1);
    node.own_inputs = 1;
    parse_node(node);
    changed = true;
  }
  return changed;
}

}  // namespace kinglet::passes
