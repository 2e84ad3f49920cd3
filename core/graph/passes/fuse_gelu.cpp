// 0.5 * x * (1 + Erf(x / sqrt(2))), its factors in any grouping -> Gelu.

#include <numbers>

#include "graph/inference.hpp"
#include "graph/passes/match.hpp"
#include "graph/passes/passes.hpp"

namespace kinglet::passes {
namespace {

constexpr float kSqrt2 = std::numbers::sqrt2_v<float>;

/// The factors of a tree of Muls of which only the root is read elsewhere.
void collect_factors(const Neighbours& near, const Node& mul, std::vector<ValueId>& factors, int depth) {
  for (const ValueId id : mul.inputs) {
    const Node* inner = near.made_by(id, "Mul");
    if (inner != nullptr && inner->inputs.size() == 2 && near.one_use(id) && depth > 0) {
      collect_factors(near, *inner, factors, depth - 1);
    } else {
      factors.push_back(id);
    }
  }
}

/// Add(Erf(x / sqrt(2)), 1): the x, else kNoValue.
ValueId gate_argument(const Neighbours& near, ValueId id) {
  const Node* add = near.made_by(id, "Add");
  if (add == nullptr) return kNoValue;
  const Node* erf = near.made_by(near.other_than_scalar(*add, 1), "Erf");
  if (erf == nullptr) return kNoValue;
  if (const Node* div = near.made_by(erf->inputs[0], "Div"); div != nullptr && near.is_scalar(div->inputs[1], kSqrt2)) return div->inputs[0];
  if (const Node* mul = near.made_by(erf->inputs[0], "Mul"); mul != nullptr) return near.other_than_scalar(*mul, 1 / kSqrt2);
  return kNoValue;
}

}  // namespace

bool fuse_gelu(Graph& graph) {
  const Neighbours near(graph);
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (!is_op(node, "Mul", 2) || graph.value(node.outputs[0]).dtype != DType::kFloat32) continue;
    std::vector<ValueId> factors;
    collect_factors(near, node, factors, 1);
    if (factors.size() != 3) continue;
    ValueId x = kNoValue;
    for (size_t half = 0; half < 3 && x == kNoValue; ++half) {
      if (!near.is_scalar(factors[half], 0.5f)) continue;
      const ValueId a = factors[(half + 1) % 3], b = factors[(half + 2) % 3];
      if (gate_argument(near, b) == a) x = a;
      if (gate_argument(near, a) == b) x = b;
    }
    if (x == kNoValue || !same_rank(graph, x, node.outputs[0])) continue;
    become(node, "Gelu", {x});
    node.opset = 20;
    parse_node(node);
    changed = true;
  }
  return changed;
}

}  // namespace kinglet::passes
