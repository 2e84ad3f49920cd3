#include "runtime/twin_nodes.hpp"

#include <algorithm>

#include "ops/op.hpp"

namespace kinglet {
namespace {

bool is_same(const Tensor& a, const Tensor& b) {
  return a.valid() == b.valid() && (!a.valid() || (a.raw() == b.raw() && a.dtype() == b.dtype() && a.shape() == b.shape()));
}

bool is_same(const Attribute& a, const Attribute& b) {
  const auto is_plain = [](const Attribute& x) { return x.strings.empty() && x.tensors.empty(); };
  return a.name == b.name && a.kind == b.kind && a.i == b.i && a.f == b.f && a.s == b.s && a.ints == b.ints && a.floats == b.floats &&
         is_plain(a) && is_plain(b);
}

/// The elements of the first input that is a large constant, or null.
const std::byte* weights_of(const Graph& graph, const Node& node) {
  constexpr size_t kLargeBytes = 16 << 10;
  for (size_t i = 0; i < node.own_inputs && i < 32 && node.subgraphs.empty(); ++i) {
    if (!graph.is_constant(node.inputs[i])) continue;
    const Tensor& constant = graph.value(node.inputs[i]).constant;
    if (constant.bytes() >= kLargeBytes) return constant.raw();
  }
  return nullptr;
}

bool are_twins(const Graph& graph, const Node& node, const Graph& other_graph, const Node& other) {
  if (node.def != other.def || node.opset != other.opset || node.own_inputs != other.own_inputs || node.attributes.size() != other.attributes.size()) return false;
  for (size_t i = 0; i < node.own_inputs; ++i) {
    if ((node.inputs[i] == kNoValue) != (other.inputs[i] == kNoValue)) return false;
    if (node.inputs[i] == kNoValue) continue;
    const Value &a = graph.value(node.inputs[i]), &b = other_graph.value(other.inputs[i]);
    if (a.dtype != b.dtype || !is_same(a.constant, b.constant)) return false;
  }
  return std::equal(node.attributes.begin(), node.attributes.end(), other.attributes.begin(), [](const Attribute& a, const Attribute& b) { return is_same(a, b); });
}

}  // namespace

TwinNodes::TwinNodes(Graph& graph, ConstantMemory& memory) {
  add_graph(graph);
  for (const Twin& twin : twins_) {
    if (twin.count == 1 || !twin.alone) continue;
    for (const ValueId id : twin.node->inputs) {
      if (twin.graph->is_constant(id)) memory.count_as_one(twin.graph->value(id).constant, twin.count);
    }
  }
}

void TwinNodes::add_graph(Graph& graph) {
  const std::vector<uint32_t> uses = graph.use_counts();
  for (const Node& node : graph.nodes) {
    if (node.def->prepare != nullptr) {
      const std::byte* const weights = weights_of(graph, node);
      const bool alone = std::none_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) { return graph.is_constant(id) && uses[static_cast<size_t>(id)] != 1; });
      size_t first = weights == nullptr ? twins_.size() : 0;
      for (; first < twins_.size(); ++first) {
        Twin& other = twins_[first];
        if (other.weights != weights || other.first != first || !are_twins(graph, node, *other.graph, *other.node)) continue;
        ++other.count;
        other.alone = other.alone && alone;
        break;
      }
      twins_.push_back({&graph, &node, weights, first, 1, alone});
    }
    for (const auto& body : node.subgraphs) add_graph(*body);
  }
}

}  // namespace kinglet
