// Nodes whose inputs are constants become constants; so do shape vectors whose elements are all known, and constants
// go into the subgraphs that capture them. DequantizeLinear is left to dequantize_constants: passes look for codes.

#include <algorithm>

#include "base/flags.hpp"
#include "base/inlining.hpp"
#include "graph/evaluate.hpp"
#include "graph/inference.hpp"
#include "graph/passes/passes.hpp"

namespace kinglet::passes {
namespace {

/// A folded value larger than this must not be larger than its inputs, or else be weights that are packed anyway:
/// ConstantOfShape and Expand would turn a few bytes of model into megabytes of memory.
constexpr size_t kSmallBytes = 64 << 10;

/// Bytes of tensors; of those inferred, SIZE_MAX when not all are known.
size_t total_bytes(std::span<const ops::ValueInfo* const> infos) {
  size_t total = 0;
  for (const ops::ValueInfo* info : infos) {
    if (info == nullptr) continue;
    if (info->constant.valid()) {
      total += info->constant.bytes();
    } else if (info->shape.is_concrete()) {
      total += info->shape.concrete().count() * dtype_size(info->dtype);
    } else {
      return SIZE_MAX;
    }
  }
  return total;
}

/// Constants are no captures any more: who reads them is then known in each graph alone.
bool push_into_subgraphs(const Graph& graph, Node& node) {
  Flags is_captured(node.inputs.size(), false);
  std::fill_n(is_captured.begin(), node.own_inputs, true);
  for (const auto& body : node.subgraphs) {
    std::erase_if(body->captures, [&](const Capture& c) {
      const ValueId outer = node.inputs[c.node_input];
      if (graph.is_constant(outer)) {
        Value& inner = body->value(c.inner);
        inner.constant = graph.value(outer).constant;
        inner.dtype = inner.constant.dtype();
        inner.shape = inner.constant.shape();
        return true;
      }
      is_captured[c.node_input] = true;
      return false;
    });
  }
  bool changed = false;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (is_captured[i] || node.inputs[i] == kNoValue) continue;
    node.inputs[i] = kNoValue;
    changed = true;
  }
  return changed;
}

/// An integer vector all of whose elements shape inference could tell.
bool fold_known_dims(Value& value) {
  const bool all_known = !value.dims.empty() && std::all_of(value.dims.begin(), value.dims.end(), [](Dim d) { return d.known(); });
  if (!all_known || value.constant.valid() || value.dtype != DType::kInt64 || !value.shape.is_concrete()) return false;
  const Shape shape = value.shape.concrete();
  if (shape.count() != value.dims.size()) return false;
  std::vector<int64_t> elements;
  for (const Dim d : value.dims) elements.push_back(d.value());
  value.constant = Tensor::from<int64_t>(shape, elements);
  return true;
}

using Infos = std::vector<ops::ValueInfo>;

/// The values that operators pack when they are constants: a run would pack them each time.
Flags find_weights(const Graph& graph) {
  constexpr std::string_view kPackers[] = {"Conv", "ConvTranspose", "Gemm", "MatMul"};
  Flags is_weight(graph.values.size(), false);
  for (const Node& node : graph.nodes) {
    if (!node.domain.empty() || node.own_inputs < 2 || node.inputs[1] == kNoValue) continue;
    if (std::find(std::begin(kPackers), std::end(kPackers), node.op_type) == std::end(kPackers)) continue;
    is_weight[static_cast<size_t>(node.inputs[1])] = true;
  }
  return is_weight;
}

/// Replaces the outputs of a node whose inputs are constants by constants.
KINGLET_APART bool fold_node(Graph& graph, Node& node, Infos& infos, const Flags& is_weight) {
  std::vector<const ops::ValueInfo*> inputs, outputs;
  for (const ValueId id : node.inputs) inputs.push_back(id == kNoValue ? nullptr : &infos[static_cast<size_t>(id)]);
  if (node.op_type == "DequantizeLinear" || !can_evaluate(node, inputs)) return false;
  const Infos inferred = infer_node(node, inputs);
  for (const ops::ValueInfo& o : inferred) outputs.push_back(&o);
  const size_t bytes = total_bytes(outputs);
  const bool makes_weights = node.outputs.size() == 1 && node.outputs[0] != kNoValue && is_weight[static_cast<size_t>(node.outputs[0])];
  // A Constant's elements are in memory already.
  if (node.op_type != "Constant" && (bytes == SIZE_MAX || (bytes > kSmallBytes && bytes > total_bytes(inputs) && !makes_weights))) return false;
  std::vector<Tensor> results = evaluate(node, inputs, inferred);
  for (size_t i = 0; i < results.size(); ++i) {
    const ValueId id = node.outputs[i];
    if (id == kNoValue) continue;
    Value& value = graph.value(id);
    value.dtype = results[i].dtype();
    value.shape = results[i].shape();
    value.constant = std::move(results[i]);
    infos[static_cast<size_t>(id)] = info_of(value);
  }
  node.outputs.assign(node.outputs.size(), kNoValue);
  return true;
}

KINGLET_APART bool fold_known_outputs(Graph& graph, Node& node, Infos& infos) {
  bool changed = false;
  for (ValueId& id : node.outputs) {
    if (id == kNoValue || !fold_known_dims(graph.value(id))) continue;
    infos[static_cast<size_t>(id)] = info_of(graph.value(id));
    id = kNoValue;
    changed = true;
  }
  return changed;
}

}  // namespace

bool fold_constants(Graph& graph) {
  bool changed = false;
  Infos infos;
  for (const Value& value : graph.values) infos.push_back(info_of(value));
  const Flags is_weight = find_weights(graph);
  for (Node& node : graph.nodes) {
    changed = push_into_subgraphs(graph, node) || changed;
    // What is too large to be made is this node's.
    with_node(node, [&] { changed = fold_node(graph, node, infos, is_weight) || changed; });
    changed = fold_known_outputs(graph, node, infos) || changed;
  }
  std::erase_if(graph.nodes, [](const Node& node) {
    return std::all_of(node.outputs.begin(), node.outputs.end(), [](ValueId id) { return id == kNoValue; });
  });
  return changed;
}

}  // namespace kinglet::passes
