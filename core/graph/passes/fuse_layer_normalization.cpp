// Layer normalisation over the last axis, written out, -> LayerNormalization:
//
//   d = x - mean(x);  y = d / sqrt(mean(d^2) + epsilon) * scale + bias

#include "graph/inference.hpp"
#include "graph/passes/match.hpp"
#include "graph/passes/passes.hpp"

namespace kinglet::passes {
namespace {

/// The x of a ReduceMean(x) over the last axis with keepdims, else kNoValue.
ValueId mean_of(const Graph& graph, const Neighbours& near, ValueId id) {
  const Node* mean = near.made_by(id, "ReduceMean");
  if (mean == nullptr) return kNoValue;
  const Attribute *keep = mean->find("keepdims"), *attribute = mean->find("axes");
  if (keep != nullptr && keep->i == 0) return kNoValue;
  std::vector<int64_t> axes = attribute != nullptr ? attribute->ints : std::vector<int64_t>{};
  if (mean->inputs.size() > 1 && graph.is_constant(mean->inputs[1])) axes = to_int64s(graph.value(mean->inputs[1]).constant);
  const SymShape& shape = graph.value(mean->inputs[0]).shape;
  const bool last = axes.size() == 1 && (axes[0] == -1 || (shape.has_rank() && axes[0] == static_cast<int64_t>(shape.rank()) - 1));
  return last ? mean->inputs[0] : kNoValue;
}

/// The x of x - mean(x), else kNoValue.
ValueId centered(const Graph& graph, const Neighbours& near, ValueId id) {
  const Node* sub = near.made_by(id, "Sub");
  return sub != nullptr && mean_of(graph, near, sub->inputs[1]) == sub->inputs[0] ? sub->inputs[0] : kNoValue;
}

/// The x of d^2 with d = x - mean(x), else kNoValue.
ValueId squared(const Graph& graph, const Neighbours& near, ValueId id) {
  if (const Node* pow = near.made_by(id, "Pow"); pow != nullptr && near.is_scalar(pow->inputs[1], 2)) return centered(graph, near, pow->inputs[0]);
  const Node* mul = near.made_by(id, "Mul");
  return mul != nullptr && mul->inputs[0] == mul->inputs[1] ? centered(graph, near, mul->inputs[0]) : kNoValue;
}

struct Normalized {
  ValueId x = kNoValue;
  float epsilon = 0;
};

Normalized normalized(const Graph& graph, const Neighbours& near, ValueId id) {
  const Node* div = near.made_by(id, "Div");
  if (div == nullptr) return {};
  const Node* sqrt = near.made_by(div->inputs[1], "Sqrt");
  const Node* add = sqrt != nullptr ? near.made_by(sqrt->inputs[0], "Add") : nullptr;
  if (add == nullptr) return {};
  for (size_t i = 0; i < 2; ++i) {
    const std::optional<float> epsilon = near.scalar(add->inputs[1 - i]);
    const ValueId squares = epsilon ? mean_of(graph, near, add->inputs[i]) : kNoValue;
    if (squares == kNoValue) continue;
    const ValueId x = centered(graph, near, div->inputs[0]);
    if (x != kNoValue && squared(graph, near, squares) == x) return {x, *epsilon};
  }
  return {};
}

/// Is the constant one value for each position of x's last axis?
bool is_parameter(const Graph& graph, ValueId id, ValueId x) {
  if (!graph.is_constant(id)) return false;
  const Tensor& t = graph.value(id).constant;
  const SymShape& shape = graph.value(x).shape;
  return t.dtype() == DType::kFloat32 && t.rank() == 1 && shape.has_rank() && shape.rank() > 0 && shape[shape.rank() - 1].same(t.dim(0));
}

}  // namespace

bool fuse_layer_normalization(Graph& graph) {
  const Neighbours near(graph);
  bool changed = false;
  for (Node& add : graph.nodes) {
    if (!is_op(add, "Add", 2) || graph.value(add.outputs[0]).dtype != DType::kFloat32) continue;
    for (size_t i = 0; i < 2; ++i) {
      const Node* mul = near.made_by(add.inputs[i], "Mul");
      if (mul == nullptr || mul->inputs.size() != 2) continue;
      for (size_t j = 0; j < 2; ++j) {
        const Normalized norm = normalized(graph, near, mul->inputs[j]);
        const ValueId scale = mul->inputs[1 - j], bias = add.inputs[1 - i];
        if (norm.x == kNoValue || !is_parameter(graph, scale, norm.x) || !is_parameter(graph, bias, norm.x)) continue;
        if (!same_rank(graph, norm.x, add.outputs[0])) continue;
        become(add, "LayerNormalization", {norm.x, scale, bias});
        add.set_int("axis", -1);
        Attribute epsilon;
        epsilon.name = "epsilon";
        epsilon.kind = Attribute::Kind::kFloat;
        epsilon.f = norm.epsilon;
        add.set(std::move(epsilon));
        add.opset = 17;
        parse_node(add);
        changed = true;
        break;
      }
      if (add.op_type != "Add") break;
    }
  }
  return changed;
}

}  // namespace kinglet::passes
