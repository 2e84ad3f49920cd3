// What only moves or chooses elements works on codes:
//
//   DequantizeLinear -> Reshape -> QuantizeLinear, both with the same scale    becomes    Reshape
//
// So do MaxPool, Relu and Clip; and where nothing is between the two, both go.

#include <algorithm>

#include "graph/inference.hpp"
#include "graph/passes/passes.hpp"
#include "graph/passes/qdq.hpp"

namespace kinglet::passes {
namespace {

constexpr std::string_view kMoves[] = {"Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Gather", "Identity",
                                       "DepthToSpace", "SpaceToDepth", "Expand", "Tile", "MaxPool"};

bool moves(const Node& node) {
  if (!node.domain.empty() || node.outputs.size() > 1) return false;
  if (node.op_type == "MaxPool" && node.opset < 12) return false;  // codes came with opset 12
  return std::find(std::begin(kMoves), std::end(kMoves), node.op_type) != std::end(kMoves);
}

bool move(Graph& graph, const Neighbours& near, const QuantizedOutput& y) {
  const std::optional<CodesOf> direct = dequantized(graph, near, y.quantize->inputs[0]);
  if (direct && same_parameters(graph, *direct, y)) {
    const ValueId result = y.quantize->outputs[0];
    if (graph.is_output(result)) return false;
    y.quantize->outputs[0] = kNoValue;
    graph.replace_uses(result, direct->codes);
    return true;
  }
  Node& node = *y.op;
  if (node.inputs.empty() || node.inputs[0] == kNoValue) return false;
  const std::optional<CodesOf> x = dequantized(graph, near, node.inputs[0]);
  if (!x || !same_parameters(graph, *x, y)) return false;
  if (!moves(node)) return become_clip(graph, near, y, x->codes);
  node.inputs[0] = x->codes;
  replace_quantized(graph, y);
  return true;
}

}  // namespace

bool move_codes(Graph& graph) {
  const Neighbours near(graph);
  bool changed = false;
  for (Node& node : graph.nodes) {
    const std::optional<QuantizedOutput> y = quantized_output(graph, near, node);
    if (y) changed = move(graph, near, *y) || changed;
  }
  if (changed) drop_nodes_without_outputs(graph);
  return changed;
}

}  // namespace kinglet::passes
