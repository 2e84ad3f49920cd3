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

bool is_any(std::span<const ValueId> ids, const Flags& flags) {
  return std::any_of(ids.begin(), ids.end(), [&](ValueId id) { return id != kNoValue && flags[static_cast<size_t>(id)]; });
}

bool compares(const Node& node) {
  constexpr std::string_view kOperators[] = {"Softmax", "LogSoftmax", "Hardmax", "ArgMax", "ArgMin", "TopK"};
  return node.domain.empty() && std::find(std::begin(kOperators), std::end(kOperators), node.op_type) != std::end(kOperators);
}

/// The values that come to a node that compares by none that multiplies. `outputs`: those of the graph are compared outside of it.
Flags find_compared(const Graph& graph, bool outputs) {
  Flags compared(graph.values.size(), false);
  for (const ValueId id : graph.outputs) compared[static_cast<size_t>(id)] = outputs;
  for (size_t n = graph.nodes.size(); n-- > 0;) {
    const Node& node = graph.nodes[n];
    const bool hands_on = !is_product(node) && is_any(node.outputs, compared);
    if (!hands_on && !compares(node)) continue;
    for (const ValueId id : node.inputs) {
      if (id != kNoValue) compared[static_cast<size_t>(id)] = true;
    }
  }
  return compared;
}

void choose(Graph& graph, bool outputs) {
  const Flags compared = find_compared(graph, outputs);
  for (Node& node : graph.nodes) {
    const bool is_compared = is_any(node.outputs, compared);
    for (const auto& body : node.subgraphs) choose(*body, is_compared);
    if (!is_product(node) || is_compared) continue;
    node.set_int("strassen", 1);
    parse_node(node);
  }
}

}  // namespace

bool choose_strassen(Graph& graph) {
  // A subgraph has been seen with the graph around it, which says what is compared outside of it.
  if (!graph.is_subgraph) choose(graph, false);
  return false;
}

}  // namespace kinglet::passes
