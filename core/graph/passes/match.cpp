#include "graph/passes/match.hpp"

#include <algorithm>
#include <cmath>

namespace kinglet::passes {

Node* Neighbours::made_by(ValueId id, std::string_view op_type) const {
  const int32_t n = producer(id);
  if (n < 0) return nullptr;
  Node& node = graph_.nodes[static_cast<size_t>(n)];
  // A branch of If that never runs may hold nodes that inference has not seen, and so not refused.
  static constexpr std::string_view kBinary[] = {"Add", "Sub", "Mul", "Div", "Pow"};
  const size_t operands = std::find(std::begin(kBinary), std::end(kBinary), op_type) != std::end(kBinary) ? 2 : 1;
  const bool fits = node.domain.empty() && node.op_type == op_type && node.inputs.size() >= operands &&
                    !has_legacy_axis(node);
  return fits && node.outputs[0] == id ? &node : nullptr;
}

std::optional<float> Neighbours::scalar(ValueId id) const {
  if (!graph_.is_constant(id)) return std::nullopt;
  const Tensor& t = graph_.value(id).constant;
  if (t.dtype() != DType::kFloat32 || t.count() != 1) return std::nullopt;
  return t.data<float>()[0];
}

bool Neighbours::is_scalar(ValueId id, float wanted) const {
  const std::optional<float> s = scalar(id);
  return s && std::fabs(*s - wanted) <= 1e-6f * std::max(1.0f, std::fabs(wanted));
}

ValueId Neighbours::other_than_scalar(const Node& node, float wanted) const {
  if (node.inputs.size() != 2) return kNoValue;
  if (is_scalar(node.inputs[1], wanted)) return node.inputs[0];
  return is_scalar(node.inputs[0], wanted) ? node.inputs[1] : kNoValue;
}

ValueId Neighbours::other_operand(const Node& node, ValueId operand) {
  if (node.inputs.size() != 2) return kNoValue;
  if (node.inputs[0] == operand) return node.inputs[1];
  return node.inputs[1] == operand ? node.inputs[0] : kNoValue;
}

bool has_legacy_axis(const Node& node) {
  return node.opset < 7 && node.inputs.size() == 2 && node.find("axis") != nullptr;
}

bool is_op(const Node& node, std::string_view op_type, size_t inputs) {
  return node.domain.empty() && node.op_type == op_type && node.inputs.size() == inputs && !node.outputs.empty() &&
         !has_legacy_axis(node) &&
         node.outputs[0] != kNoValue && std::find(node.inputs.begin(), node.inputs.end(), kNoValue) == node.inputs.end();
}

bool same_rank(const Graph& graph, ValueId a, ValueId b) {
  const SymShape &left = graph.value(a).shape, &right = graph.value(b).shape;
  return left.has_rank() && right.has_rank() && left.rank() == right.rank();
}

void become(Node& node, std::string_view op_type, std::vector<ValueId> inputs) {
  node.op_type = op_type;
  node.domain.clear();
  node.attributes.clear();
  node.own_inputs = inputs.size();
  node.inputs = std::move(inputs);
}

void drop_nodes_without_outputs(Graph& graph) {
  std::erase_if(graph.nodes, [](const Node& n) {
    return std::all_of(n.outputs.begin(), n.outputs.end(), [](ValueId id) { return id == kNoValue; });
  });
}

}  // namespace kinglet::passes
