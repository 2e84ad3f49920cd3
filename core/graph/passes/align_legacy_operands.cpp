// Add, Equal, PRelu and their like of opsets 1 to 6 become those of opset 7: a constant that stands at an
// `axis` gets the dims of 1 that put it there under NumPy's rules, on which the other passes rely.
//
//   Add(x [N, C, H, W], b [C], broadcast = 1, axis = 1)   becomes   Add(x, b [C, 1, 1])

#include <algorithm>

#include "graph/inference.hpp"
#include "graph/passes/passes.hpp"

namespace kinglet::passes {
namespace {

constexpr std::string_view kOperators[] = {"Add", "Sub", "Mul",   "Div",     "Pow",  "And",
                                           "Or",  "Xor", "Equal", "Greater", "Less", "PRelu"};

/// The dim of a tensor of this rank that the operand starts at, or nothing when its dims are the last ones.
std::optional<size_t> first_dim(const Node& node, size_t rank, const Shape& operand) {
  if (operand.count() == 1) return std::nullopt;
  if (node.op_type == "PRelu")
    return operand.rank() == 1 && rank > 1 ? std::optional<size_t>(1) : std::nullopt;
  const Attribute* axis = node.find("axis");
  if (axis == nullptr) return std::nullopt;
  return static_cast<size_t>(axis->i < 0 ? axis->i + static_cast<int64_t>(rank) : axis->i);
}

}  // namespace

bool align_legacy_operands(Graph& graph) {
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (node.opset >= 7 || !node.domain.empty() || node.inputs.size() != 2 ||
        !graph.is_constant(node.inputs[1]))
      continue;
    if (node.inputs[0] == kNoValue || !graph.value(node.inputs[0]).shape.has_rank()) continue;
    if (std::find(std::begin(kOperators), std::end(kOperators), node.op_type) == std::end(kOperators))
      continue;
    const Attribute* broadcast = node.find("broadcast");
    if (node.op_type != "PRelu" && (broadcast == nullptr || broadcast->i == 0)) continue;
    const size_t rank = graph.value(node.inputs[0]).shape.rank();
    const Value& operand = graph.value(node.inputs[1]);
    Shape shape = operand.constant.shape();
    if (const auto first = first_dim(node, rank, shape)) {
      // Nodes of an If branch that never runs are not refused before they come here.
      if (*first > rank || shape.rank() > rank - *first) continue;
      while (shape.rank() < rank - *first) shape.push_back(1);
    }
    if (shape.rank() != operand.constant.rank()) {
      node.inputs[1] = graph.add_constant(operand.name + " (aligned)", operand.constant.reshaped(shape));
    }
    node.erase("axis");
    node.erase("broadcast");
    node.opset = 7;
    parse_node(node);
    changed = true;
  }
  return changed;
}

}  // namespace kinglet::passes
