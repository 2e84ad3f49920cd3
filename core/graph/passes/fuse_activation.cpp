// Conv, ConvTranspose, Gemm, MatMul or MatMulIntegerToFloat + activation -> one node with the attribute `activation`.

#include <limits>

#include "graph/inference.hpp"
#include "graph/passes/passes.hpp"
#include "ops/epilogue.hpp"

namespace kinglet::passes {
namespace {

/// The activation's parameters in the order of ops::activation_named(), or nothing when the node is none that can be
/// fused.
std::optional<std::vector<float>> activation_params(const Graph& graph, const Node& node) {
  const auto attribute = [&](std::string_view name, float otherwise) {
    const Attribute* a = node.find(name);
    return a != nullptr ? a->f : otherwise;
  };
  if (!node.domain.empty()) return std::nullopt;
  if (node.op_type == "HardSigmoid") return std::vector<float>{attribute("alpha", 0.2f), attribute("beta", 0.5f)};
  if (node.op_type == "LeakyRelu") return std::vector<float>{attribute("alpha", 0.01f)};
  if (node.op_type == "Elu") return std::vector<float>{attribute("alpha", 1.0f)};
  if (node.op_type == "Gelu") return node.find("approximate") == nullptr ? std::optional(std::vector<float>{}) : std::nullopt;
  if (node.op_type == "Swish") {
    const float alpha = attribute("alpha", 1.0f);
    return alpha == 1 ? std::optional(std::vector<float>{}) : std::nullopt;
  }
  if (node.op_type == "Clip") {
    if (node.inputs.size() > 3) return std::nullopt;
    constexpr float kInf = std::numeric_limits<float>::infinity();
    const bool by_inputs = node.opset >= 11;
    std::vector<float> bounds{-kInf, kInf};
    if (!by_inputs) bounds = {attribute("min", -kInf), attribute("max", kInf)};
    for (size_t i = 1; by_inputs && i < node.inputs.size(); ++i) {
      if (node.inputs[i] == kNoValue) continue;
      if (!graph.is_constant(node.inputs[i])) return std::nullopt;
      const Tensor& bound = graph.value(node.inputs[i]).constant;
      if (bound.dtype() != DType::kFloat32 || bound.count() != 1) return std::nullopt;
      bounds[i - 1] = bound.data<float>()[0];
    }
    return bounds;
  }
  if (ops::activation_named(node.op_type, {})) return std::vector<float>{};
  return std::nullopt;
}

bool takes_activation(const Node& node) {
  if (node.find("activation") != nullptr) return false;
  if (node.domain == "com.microsoft") return node.op_type == "MatMulIntegerToFloat";
  if (!node.domain.empty()) return false;
  return node.op_type == "Conv" || node.op_type == "ConvTranspose" || node.op_type == "Gemm" || node.op_type == "MatMul";
}

}  // namespace

bool fuse_activation(Graph& graph) {
  const std::vector<int32_t> producer = graph.producers();
  const std::vector<uint32_t> uses = graph.use_counts();
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (node.inputs.empty() || node.outputs.empty() || node.inputs[0] == kNoValue || node.outputs[0] == kNoValue) continue;
    const int32_t made_by = producer[static_cast<size_t>(node.inputs[0])];
    if (made_by < 0 || !has_one_use(graph, uses, node.inputs[0])) continue;
    Node& target = graph.nodes[static_cast<size_t>(made_by)];
    if (!takes_activation(target) || graph.value(node.outputs[0]).dtype != DType::kFloat32) continue;
    std::optional<std::vector<float>> params = activation_params(graph, node);
    if (!params) continue;
    target.set_string("activation", node.op_type);
    target.set_floats("activation_params", std::move(*params));
    target.outputs[0] = node.outputs[0];
    node.outputs[0] = kNoValue;
    parse_node(target);
    changed = true;
  }
  std::erase_if(graph.nodes, [](const Node& n) { return n.outputs.size() == 1 && n.outputs[0] == kNoValue; });
  return changed;
}

}  // namespace kinglet::passes
