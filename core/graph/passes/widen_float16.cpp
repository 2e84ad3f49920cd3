// float16 and bfloat16 between nodes -> float32: no arithmetic here has 16 bits, so operators would widen their inputs and round
// their outputs, each for itself.
//
//   x (float16) -> Conv -> Relu -> y (float16)   becomes   x -> Cast -> Conv -> Relu -> Cast -> y
//
// What is left out is rounding, also where the file rounds on purpose (Cast of float32 to float16). Constants become
// float32 where a node that does so reads them. A node that only moves or converts elements stays as its inputs are, and one that
// takes no float32 instead (BitCast), or has subgraphs or sequences, keeps its types.

#include <algorithm>

#include "base/flags.hpp"
#include "graph/inference.hpp"
#include "graph/passes/passes.hpp"
#include "ops/convert.hpp"

namespace kinglet::passes {
namespace {

using ops::ValueInfo;

constexpr std::string_view kMoves[] = {"Cast",           "Concat",   "DepthToSpace", "Expand",  "Flatten", "Gather",
                                       "GatherElements", "GatherND", "Identity",     "Reshape", "Slice",   "SpaceToDepth",
                                       "Split",          "Squeeze",  "Tile",         "Transpose", "Unsqueeze"};
/// What inference may want to know the elements of is small; weights are widened when it is clear that they are used.
constexpr size_t kSmallBytes = 4096;

/// Of com.microsoft: it widens those of its many weights that a run needs.
constexpr std::string_view kLazy = "MoE";

bool is_half(DType type) { return type == DType::kFloat16 || type == DType::kBFloat16; }

Tensor widened(const Tensor& constant) {
  Tensor wide(DType::kFloat32, constant.shape());
  ops::convert(constant.dtype(), constant.raw(), DType::kFloat32, wide.raw(), constant.count());
  return wide;
}

/// Constants and what they became: graphs that read the same weights get the same ones.
using Widened = std::vector<std::pair<Tensor, Tensor>>;

class Widening {
 public:
  Widening(Graph& graph, Widened& widened)
      : graph_(graph), widened_(widened), wide_(graph.values.size(), kNoValue), is_narrow_(graph.values.size(), true) {}

  bool run() {
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (Node& node : nodes) {
      with_node(node, [&] {
        if (touches(node) && widen(node)) {
          changed_ = true;
        } else {
          for (const ValueId id : node.inputs) make_narrow(id);
        }
      });
      for (const auto& body : node.subgraphs) changed_ = Widening(*body, widened_).run() || changed_;
      graph_.nodes.push_back(std::move(node));
    }
    for (const ValueId id : graph_.outputs) make_narrow(id);
    return changed_;
  }

 private:
  bool half(ValueId id) const { return id != kNoValue && is_half(graph_.value(id).dtype); }
  bool only_wide(ValueId id) const { return half(id) && !is_narrow_[static_cast<size_t>(id)]; }

  bool touches(const Node& node) const {
    const auto is_it = [&](ValueId id) { return half(id); };
    return std::any_of(node.inputs.begin(), node.inputs.end(), is_it) || std::any_of(node.outputs.begin(), node.outputs.end(), is_it);
  }

  /// Does the node move or convert elements that are there in 16 bits?
  bool stays(const Node& node) const {
    if (!node.domain.empty() || std::find(std::begin(kMoves), std::end(kMoves), node.op_type) == std::end(kMoves)) return false;
    bool any_given = false, any_wide = false;
    for (const ValueId id : node.inputs) {
      any_wide = any_wide || only_wide(id);
      any_given = any_given || (half(id) && !only_wide(id) && !graph_.is_constant(id));
    }
    return any_given || !any_wide;
  }

  /// Makes the node one over float32; false, and nothing is changed, where it would not be the same operator.
  bool widen(Node& node) {
    const bool rounds = rounds_float32(node);
    if (!node.subgraphs.empty() || (!rounds && stays(node)) || (node.op_type == kLazy && !node.domain.empty())) return false;
    Node wide = node;
    if (rounds) {
      wide.set_int("to", static_cast<int64_t>(DType::kFloat32));
      parse_node(wide);
    }
    if (!infers_the_same(wide)) return false;
    for (ValueId& id : wide.inputs) {
      if (half(id)) id = make_wide(id);
    }
    for (ValueId& id : wide.outputs) {
      if (!half(id)) continue;
      const Value& value = graph_.value(id);
      const ValueId to = graph_.add_value(value.name + " (float32)", DType::kFloat32, value.shape);
      wide_[static_cast<size_t>(id)] = to;
      is_narrow_[static_cast<size_t>(id)] = false;
      id = to;
    }
    node = std::move(wide);
    return true;
  }

  bool rounds_float32(const Node& node) const {
    if (node.op_type != "Cast" || !node.domain.empty() || node.opset < 6 || node.inputs.size() != 1 || node.outputs.size() != 1) return false;
    if (!half(node.outputs[0])) return false;
    return only_wide(node.inputs[0]) || graph_.value(node.inputs[0]).dtype == DType::kFloat32;
  }

  /// Over float32 in place of 16 bits, do all outputs have the types they had, with float32 in place of 16 bits?
  bool infers_the_same(const Node& node) {
    std::vector<ValueInfo> inputs(node.inputs.size()), outputs;
    std::vector<const ValueInfo*> pointers(node.inputs.size(), nullptr);
    for (size_t i = 0; i < inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      if (id == kNoValue) continue;
      const Value& value = graph_.value(id);
      if (is_container(value.dtype) || value.dtype == DType::kUndefined) return false;
      inputs[i] = info_of(value);
      pointers[i] = &inputs[i];
      if (!half(id)) continue;
      inputs[i].dtype = DType::kFloat32;
      if (value.constant.valid()) inputs[i].constant = value.constant.bytes() <= kSmallBytes ? widened(value.constant) : Tensor();
    }
    try {
      outputs = infer_node(node, pointers);
    } catch (const Error&) {
      return false;  // it takes 16 bits alone: the question's answer, not a fault of the model
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      const ValueId id = node.outputs[i];
      if (id == kNoValue) continue;
      const DType was = graph_.value(id).dtype;
      if (is_container(was) || was == DType::kUndefined || outputs[i].dtype != (is_half(was) ? DType::kFloat32 : was)) return false;
    }
    return true;
  }

  const Tensor& widened_once(const Tensor& constant) {
    const auto is_it = [&](const std::pair<Tensor, Tensor>& known) {
      return known.first.raw() == constant.raw() && known.first.dtype() == constant.dtype() && known.first.shape() == constant.shape();
    };
    const auto found = std::find_if(widened_.begin(), widened_.end(), is_it);
    if (found != widened_.end()) return found->second;
    return widened_.emplace_back(constant, widened(constant)).second;
  }

  ValueId make_wide(ValueId id) {
    ValueId& wide = wide_[static_cast<size_t>(id)];
    if (wide != kNoValue) return wide;
    const std::string name = graph_.value(id).name + " (float32)";
    if (graph_.is_constant(id)) return wide = graph_.add_constant(name, widened_once(graph_.value(id).constant));
    wide = graph_.add_value(name, DType::kFloat32, graph_.value(id).shape);
    add_cast(id, wide);
    return wide;
  }

  void make_narrow(ValueId id) {
    if (!only_wide(id)) return;
    add_cast(wide_[static_cast<size_t>(id)], id);
    is_narrow_[static_cast<size_t>(id)] = true;
  }

  void add_cast(ValueId from, ValueId to) {
    Node node;
    node.name = graph_.value(to).name + " (cast)";
    node.op_type = "Cast";
    node.opset = 13;
    node.inputs = {from};
    node.own_inputs = 1;
    node.outputs = {to};
    node.set_int("to", static_cast<int64_t>(graph_.value(to).dtype));
    parse_node(node);
    graph_.nodes.push_back(std::move(node));
  }

  Graph& graph_;
  Widened& widened_;
  /// Of the values that the file has: the one that holds it as float32, and whether it is there in 16 bits too.
  std::vector<ValueId> wide_;
  Flags is_narrow_;
  bool changed_ = false;
};

}  // namespace

bool widen_float16(Graph& graph) {
  const bool has_any = std::any_of(graph.values.begin(), graph.values.end(), [](const Value& value) { return is_half(value.dtype); });
  Widened widened;
  return has_any && Widening(graph, widened).run();
}

}  // namespace kinglet::passes
