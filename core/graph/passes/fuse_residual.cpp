// Conv + Add of a value of the same shape -> Conv with input Z (as com.microsoft FusedConv has it).

#include <algorithm>

#include "graph/inference.hpp"
#include "graph/passes/passes.hpp"

namespace kinglet::passes {
namespace {

bool certainly_same(const SymShape& a, const SymShape& b) {
  if (!a.has_rank() || !b.has_rank() || a.rank() != b.rank()) return false;
  for (size_t i = 0; i < a.rank(); ++i) {
    if (!a[i].same(b[i])) return false;
  }
  return true;
}

bool takes_residual(const Node& node) {
  const Attribute* last = node.find("channels_last");
  return node.domain.empty() && node.op_type == "Conv" && last != nullptr && last->i != 0 && node.own_inputs <= 3 &&
         node.find("activation") == nullptr;
}

}  // namespace

bool fuse_residual(Graph& graph) {
  const std::vector<int32_t> producer = graph.producers();
  const std::vector<uint32_t> uses = graph.use_counts();
  bool changed = false;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    Node& add = graph.nodes[n];
    if (!add.domain.empty() || add.op_type != "Add" || add.inputs.size() != 2 || add.outputs.empty() || add.outputs[0] == kNoValue) continue;
    if (graph.value(add.outputs[0]).dtype != DType::kFloat32) continue;
    if (!certainly_same(graph.value(add.inputs[0]).shape, graph.value(add.inputs[1]).shape)) continue;
    // The convolution that comes later in the order: the other operand is computed by then.
    int32_t best = -1;
    size_t operand = 0;
    for (size_t i = 0; i < 2; ++i) {
      const int32_t made_by = producer[static_cast<size_t>(add.inputs[i])];
      if (made_by < 0 || !takes_residual(graph.nodes[static_cast<size_t>(made_by)])) continue;
      if (!has_one_use(graph, uses, add.inputs[i]) || made_by <= best) continue;
      best = made_by;
      operand = i;
    }
    if (best < 0 || producer[static_cast<size_t>(add.inputs[1 - operand])] > best) continue;
    Node& conv = graph.nodes[static_cast<size_t>(best)];
    conv.inputs.resize(3, kNoValue);
    conv.inputs.push_back(add.inputs[1 - operand]);
    conv.own_inputs = 4;
    conv.outputs[0] = add.outputs[0];
    add.outputs[0] = kNoValue;
    changed = true;
  }
  std::erase_if(graph.nodes, [](const Node& n) { return n.outputs.size() == 1 && n.outputs[0] == kNoValue; });
  return changed;
}

}  // namespace kinglet::passes
