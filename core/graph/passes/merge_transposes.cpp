// Transpose after Transpose becomes one Transpose, or nothing when they cancel.

#include <numeric>

#include "graph/inference.hpp"
#include "graph/passes/match.hpp"
#include "graph/passes/passes.hpp"

namespace kinglet::passes {
namespace {

/// The permutation of a Transpose, its default (reversed dims) resolved; empty when that needs an unknown rank.
std::vector<int64_t> permutation_of(const Graph& graph, const Node& node) {
  const SymShape& shape = graph.value(node.inputs[0]).shape;
  std::vector<int64_t> out;
  if (const Attribute* perm = node.find("perm"); perm != nullptr) {
    // Where the rank is not known, nobody has checked the axes yet.
    const auto rank = static_cast<int64_t>(perm->ints.size());
    for (const int64_t axis : perm->ints) {
      if (axis < -rank || axis >= rank) return {};
      out.push_back(axis < 0 ? axis + rank : axis);
    }
    return out;
  }
  for (size_t i = shape.rank(); i-- > 0;) out.push_back(static_cast<int64_t>(i));
  return out;
}

bool is_transpose(const Node& node) { return is_op(node, "Transpose", 1); }

bool is_identity(const std::vector<int64_t>& perm) {
  for (size_t i = 0; i < perm.size(); ++i) {
    if (perm[i] != static_cast<int64_t>(i)) return false;
  }
  return true;
}

}  // namespace

bool merge_transposes(Graph& graph) {
  bool changed = false;
  const std::vector<int32_t> producer = graph.producers();
  for (Node& node : graph.nodes) {
    if (!is_transpose(node)) continue;
    std::vector<int64_t> perm = permutation_of(graph, node);
    // The producer may have been merged already, so that its own input is the start of its chain.
    const int32_t made_by = producer[static_cast<size_t>(node.inputs[0])];
    if (made_by >= 0 && is_transpose(graph.nodes[static_cast<size_t>(made_by)])) {
      const Node& inner = graph.nodes[static_cast<size_t>(made_by)];
      const std::vector<int64_t> first = permutation_of(graph, inner);
      if (first.size() == perm.size() && !perm.empty()) {
        for (int64_t& p : perm) p = first.at(static_cast<size_t>(p));
        node.inputs[0] = inner.inputs[0];
        node.set_ints("perm", perm);
        parse_node(node);
        changed = true;
      }
    }
    if (perm.empty() || !is_identity(perm) || graph.is_output(node.outputs[0])) continue;
    graph.replace_uses(node.outputs[0], node.inputs[0]);
    changed = true;
  }
  return changed;
}

}  // namespace kinglet::passes
