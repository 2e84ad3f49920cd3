// MatMul, Gemm and Conv (FusedGemm, FusedConv) -> the same with the attribute `strassen`: their products, where large, are of halves of the matrices,
// seven for eight, which rounds more (core/kernels/strassen.hpp). Those whose results are compared with each other, by a Softmax or ArgMax,
// stay: columns of equal weights would no longer be equal.

#include <algorithm>

#include "base/flags.hpp"
#include "graph/inference.hpp"
#include "graph/passes/passes.hpp"

namespace kinglet::passes {
namespace {

bool is_product(const Node& node) {
  if (node.domain == "com.microsoft") return node.op_type == "FusedConv" || node.op_type == "FusedGemm";
  return node.domain.empty() && (node.op_type == "MatMul" || node.op_type == "Gemm" || node.op_type == "Conv");
}

bool compares(const Node& node) {
  constexpr std::string_view kOperators[] = {"Softmax", "LogSoftmax", "Hardmax", "ArgMax", "ArgMin", "TopK"};
  return node.domain.empty() && std::find(std::begin(kOperators), std::end(kOperators), node.op_type) != std::end(kOperators);
}

/// The values that come to a node that compares by none that multiplies.
Flags find_compared(const Graph& graph) {
  Flags compared(graph.values.size(), false);
  for (size_t n = graph.nodes.size(); n-- > 0;) {
    const Node& node = graph.nodes[n];
    const bool hands_on = !is_product(node) && std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) {
      return id != kNoValue && compared[static_cast<size_t>(id)];
    });
    if (!hands_on && !compares(node)) continue;
    for (const ValueId id : node.inputs) {
      if (id != kNoValue) compared[static_cast<size_t>(id)] = true;
    }
  }
  return compared;
}

}  // namespace

bool choose_strassen(Graph& graph) {
  const Flags compared = find_compared(graph);
  for (Node& node : graph.nodes) {
    if (!is_product(node) || node.outputs[0] == kNoValue || compared[static_cast<size_t>(node.outputs[0])]) continue;
    node.set_int("strassen", 1);
    parse_node(node);
  }
  return false;
}

}  // namespace kinglet::passes
