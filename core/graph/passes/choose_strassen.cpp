// MatMul, Gemm and Conv (FusedGemm, FusedConv) -> the same with the attribute `strassen`: their products, where large, are of halves of the matrices,
// seven for eight, which rounds more (core/kernels/strassen.hpp).

#include "graph/inference.hpp"
#include "graph/passes/passes.hpp"

namespace kinglet::passes {
namespace {

bool is_product(const Node& node) {
  if (node.domain == "com.microsoft") return node.op_type == "FusedConv" || node.op_type == "FusedGemm";
  return node.domain.empty() && (node.op_type == "MatMul" || node.op_type == "Gemm" || node.op_type == "Conv");
}

}  // namespace

bool choose_strassen(Graph& graph) {
  for (Node& node : graph.nodes) {
    if (!is_product(node)) continue;
    node.set_int("strassen", 1);
    parse_node(node);
  }
  return false;
}

}  // namespace kinglet::passes
