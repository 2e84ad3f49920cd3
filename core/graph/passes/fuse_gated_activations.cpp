// x times a gate of x, written out, -> one operator:
//   x * Sigmoid(x)                                      -> Swish
//   x * HardSigmoid(x; 1/6, 1/2)                        -> HardSwish
//   x * Clip(x + 3, 0, 6) / 6, in either grouping       -> HardSwish

#include "graph/inference.hpp"
#include "graph/passes/match.hpp"
#include "graph/passes/passes.hpp"

namespace kinglet::passes {
namespace {

bool is_clip_0_6(const Neighbours& near, const Node& clip) {
  const auto bound = [&](size_t input, std::string_view attribute, float wanted) {
    if (clip.opset >= 11) return input < clip.inputs.size() && near.is_scalar(clip.inputs[input], wanted);
    const Attribute* a = clip.find(attribute);
    return a != nullptr && a->f == wanted;
  };
  return bound(1, "min", 0) && bound(2, "max", 6);
}

/// Clip(x + 3, 0, 6): the x, else kNoValue.
ValueId relu6_of_shifted(const Neighbours& near, ValueId id) {
  const Node* clip = near.made_by(id, "Clip");
  if (clip == nullptr || !is_clip_0_6(near, *clip)) return kNoValue;
  const Node* add = near.made_by(clip->inputs[0], "Add");
  return add != nullptr ? near.other_than_scalar(*add, 3) : kNoValue;
}

/// v / 6 or v * (1/6): the v, else kNoValue.
ValueId sixth_of(const Neighbours& near, ValueId id) {
  if (const Node* div = near.made_by(id, "Div"); div != nullptr && near.is_scalar(div->inputs[1], 6)) return div->inputs[0];
  if (const Node* mul = near.made_by(id, "Mul"); mul != nullptr) return near.other_than_scalar(*mul, 1.0f / 6);
  return kNoValue;
}

bool is_gate(const Neighbours& near, ValueId gate, ValueId x, std::string_view& becomes) {
  if (const Node* n = near.made_by(gate, "Sigmoid"); n != nullptr && n->inputs[0] == x) {
    becomes = "Swish";
    return true;
  }
  becomes = "HardSwish";
  if (const Node* n = near.made_by(gate, "HardSigmoid"); n != nullptr && n->inputs[0] == x) {
    const Attribute *alpha = n->find("alpha"), *beta = n->find("beta");
    return alpha != nullptr && std::abs(alpha->f - 1.0f / 6) < 1e-6f && (beta == nullptr || beta->f == 0.5f);
  }
  return relu6_of_shifted(near, sixth_of(near, gate)) == x;
}

/// (x * Clip(x + 3, 0, 6)) as the product: the x, else kNoValue.
ValueId ungrouped_hard_swish(const Neighbours& near, ValueId product) {
  const Node* mul = near.made_by(product, "Mul");
  if (mul == nullptr || mul->inputs.size() != 2) return kNoValue;
  for (size_t i = 0; i < 2; ++i) {
    if (relu6_of_shifted(near, mul->inputs[1 - i]) == mul->inputs[i]) return mul->inputs[i];
  }
  return kNoValue;
}

}  // namespace

bool fuse_gated_activations(Graph& graph) {
  const Neighbours near(graph);
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (!is_op(node, "Mul", 2) && !is_op(node, "Div", 2)) continue;
    if (graph.value(node.outputs[0]).dtype != DType::kFloat32) continue;
    std::string_view becomes = "HardSwish";
    ValueId x = ungrouped_hard_swish(near, sixth_of(near, node.outputs[0]));
    for (size_t i = 0; i < 2 && x == kNoValue && node.op_type == "Mul"; ++i) {
      if (is_gate(near, node.inputs[1 - i], node.inputs[i], becomes)) x = node.inputs[i];
    }
    if (x == kNoValue || !same_rank(graph, x, node.outputs[0])) continue;
    become(node, becomes, {x});
    node.opset = 24;
    parse_node(node);
    changed = true;
  }
  return changed;
}

}  // namespace kinglet::passes
