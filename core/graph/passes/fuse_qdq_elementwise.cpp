// Operators between DequantizeLinear and QuantizeLinear that com.microsoft has for codes:
//
//   DequantizeLinear(a), DequantizeLinear(b) -> Add -> Relu -> QuantizeLinear    becomes    a, b -> QLinearAdd
//
// Likewise Mul, AveragePool, GlobalAveragePool, Softmax, Sigmoid, LeakyRelu and Concat.

#include <algorithm>

#include "graph/inference.hpp"
#include "graph/passes/passes.hpp"
#include "graph/passes/qdq.hpp"

namespace kinglet::passes {
namespace {

constexpr const char* kMicrosoft = "com.microsoft";

struct Target {
  std::string_view op;
  size_t inputs;  ///< 0: any number
  std::string_view becomes;
};
constexpr Target kTargets[] = {
    {.op = "Add", .inputs = 2, .becomes = "QLinearAdd"},
    {.op = "Mul", .inputs = 2, .becomes = "QLinearMul"},
    {.op = "AveragePool", .inputs = 1, .becomes = "QLinearAveragePool"},
    {.op = "GlobalAveragePool", .inputs = 1, .becomes = "QLinearGlobalAveragePool"},
    {.op = "Softmax", .inputs = 1, .becomes = "QLinearSoftmax"},
    {.op = "Sigmoid", .inputs = 1, .becomes = "QLinearSigmoid"},
    {.op = "LeakyRelu", .inputs = 1, .becomes = "QLinearLeakyRelu"},
    {.op = "Concat", .inputs = 0, .becomes = "QLinearConcat"},
};

const Target* target_of(const Node& node) {
  const auto fits = [&](const Target& t) { return t.op == node.op_type && (t.inputs == 0 || t.inputs == node.own_inputs); };
  const auto found = std::find_if(std::begin(kTargets), std::end(kTargets), fits);
  return found != std::end(kTargets) && node.opset >= 7 ? found : nullptr;
}

/// The codes of all inputs, of the type of the result; nothing when one is none.
std::optional<std::vector<CodesOf>> operands_of(const Graph& graph, const Neighbours& near, const QuantizedOutput& y) {
  std::vector<CodesOf> out;
  for (size_t i = 0; i < y.op->own_inputs; ++i) {
    const std::optional<CodesOf> x = dequantized(graph, near, y.op->inputs[i]);
    if (!x || x->type != y.type) return std::nullopt;
    out.push_back(*x);
  }
  return out;
}

bool fuse(Graph& graph, const Neighbours& near, const QuantizedOutput& y) {
  Node& node = *y.op;
  const Target* const target = target_of(node);
  if (target == nullptr) return false;
  const bool concat = target->inputs == 0;
  const std::optional<std::vector<CodesOf>> operands = operands_of(graph, near, y);
  if (!operands) return false;
  std::vector<ValueId> inputs;
  const std::vector<ValueId> result = {y.scale, zero_value(graph, y)};
  if (concat) inputs = result;
  for (const CodesOf& x : *operands) inputs.insert(inputs.end(), {x.codes, x.scale, zero_value(graph, x)});
  if (!concat) inputs.insert(inputs.end(), result.begin(), result.end());
  if (node.op_type == "Softmax") node.set_int("opset", node.opset);
  retarget(node, kMicrosoft, target->becomes, std::move(inputs));
  replace_quantized(graph, y);
  return true;
}

}  // namespace

bool fuse_qdq_elementwise(Graph& graph) {
  const Neighbours near(graph);
  bool changed = false;
  for (Node& node : graph.nodes) {
    const std::optional<QuantizedOutput> y = quantized_output(graph, near, node);
    if (y && y->op->domain.empty()) changed = fuse(graph, near, *y) || changed;
  }
  if (changed) drop_nodes_without_outputs(graph);
  return changed;
}

}  // namespace kinglet::passes
