// Channels-last layout: convolutions and what lies between them work on [N, spatial..., C].
//
//   x -> Conv -> Relu -> Conv -> y     becomes     x -> T -> Conv' -> Relu -> Conv' -> T' -> y
//
// Every value may have a channels-last twin. An operator with the trait kChannelsLast works on twins; elementwise
// operators and those with a permute() follow when their inputs have twins; all others read the value itself, which
// one Transpose makes from the twin when it is wanted. What cancels is left to merge_transposes.

#include <algorithm>
#include <numeric>

#include "base/flags.hpp"
#include "graph/inference.hpp"
#include "graph/passes/match.hpp"
#include "graph/passes/passes.hpp"
#include "kernels/transpose.hpp"

namespace kinglet::passes {
namespace {

std::vector<int64_t> to_last_permutation(size_t rank) {
  std::vector<int64_t> perm{0};
  for (size_t i = 2; i < rank; ++i) perm.push_back(static_cast<int64_t>(i));
  perm.push_back(1);
  return perm;
}

std::vector<int64_t> to_first_permutation(size_t rank) {
  std::vector<int64_t> perm{0, static_cast<int64_t>(rank) - 1};
  for (size_t i = 1; i + 1 < rank; ++i) perm.push_back(static_cast<int64_t>(i));
  return perm;
}

SymShape permuted(const SymShape& shape, std::span<const int64_t> perm) {
  std::vector<Dim> dims;
  for (const int64_t p : perm) dims.push_back(shape[static_cast<size_t>(p)]);
  return SymShape(std::move(dims));
}

/// A constant of lower or equal rank, brought to `rank` by leading ones and then to channels-last.
Tensor constant_to_last(const Tensor& t, size_t rank) {
  std::vector<size_t> dims(rank - t.rank(), 1);
  for (const int64_t d : t.shape()) dims.push_back(static_cast<size_t>(d));
  std::vector<size_t> perm;
  Shape shape;
  for (const int64_t p : to_last_permutation(rank)) {
    perm.push_back(static_cast<size_t>(p));
    shape.push_back(static_cast<int64_t>(dims[static_cast<size_t>(p)]));
  }
  Tensor out(t.dtype(), shape);
  if (t.count() != 0) kernels::transpose(t.raw(), out.raw(), dtype_size(t.dtype()), dims, perm);
  return out;
}

class Layout {
 public:
  explicit Layout(Graph& graph) : graph_(graph), twin_(graph.values.size(), kNoValue), pending_(graph.values.size(), false) {}

  bool run() {
    std::vector<Node> old = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (Node& node : old) {
      if (wants_last(node)) {
        convert(node, true);
      } else if (can_follow(node)) {
        convert(node, false);
      } else {
        for (const ValueId id : node.inputs) make_first(id);
        graph_.nodes.push_back(std::move(node));
      }
    }
    for (const ValueId id : graph_.outputs) make_first(id);
    return changed_;
  }

 private:
  size_t rank_of(ValueId id) const { return graph_.value(id).shape.has_rank() ? graph_.value(id).shape.rank() : 0; }
  bool has_twin(ValueId id) const { return id != kNoValue && at(twin_, id) != kNoValue; }

  static bool single_output(const Node& node) {
    return !node.outputs.empty() && node.outputs[0] != kNoValue &&
           std::all_of(node.outputs.begin() + 1, node.outputs.end(), [](ValueId id) { return id == kNoValue; });
  }

  static bool is_convolution(const Node& node) {
    return node.op_type == "Conv" || node.op_type == "ConvTranspose" || node.op_type == "QLinearConv" || node.op_type == "ConvInteger";
  }

  /// Whether the operator has a channels-last kernel for the type.
  bool has_kernel(const Node& node) const {
    const DType type = graph_.value(node.inputs[0]).dtype;
    if (type == DType::kInt8 || type == DType::kUint8) {
      return node.op_type.starts_with("QLinear") || node.op_type == "ConvInteger" || node.op_type == "MaxPool";
    }
    const bool half = type == DType::kFloat16 || type == DType::kBFloat16;
    return type == DType::kFloat32 || (half && is_convolution(node));
  }

  /// Convolutions always; poolings and their like when their input is there already.
  bool wants_last(const Node& node) const {
    if ((node.def->traits & ops::kChannelsLast) == 0 || !single_output(node) || node.inputs.empty() || node.inputs[0] == kNoValue) return false;
    const size_t rank = rank_of(node.inputs[0]);
    if (rank < 3 || rank > 5 || !has_kernel(node)) return false;
    const Attribute* done = node.find("channels_last");
    if (done != nullptr && done->i != 0) return false;
    // The residual of a FusedConv would have to be turned as well.
    if (node.op_type == "FusedConv" && node.own_inputs > 3) return false;
    if (is_convolution(node)) return node.own_inputs <= 3 || node.op_type == "QLinearConv";
    return has_twin(node.inputs[0]);
  }

  bool can_follow(Node& node) {
    if (node.outputs.empty() || node.inputs.empty() || !node.subgraphs.empty()) return false;
    if ((node.def->traits & ops::kPermutable) != 0) return elementwise_can_follow(node);
    if (node.def->permute == nullptr || node.inputs[0] == kNoValue) return false;
    const size_t rank = rank_of(node.inputs[0]);
    if (rank < 3 || !tensors_have_twins(node, rank)) return false;
    return node.def->permute(node, to_last_permutation(rank));
  }

  bool tensors_have_twins(const Node& node, size_t rank) const {
    bool any = false;
    for (size_t i = 0; i < node.own_inputs; ++i) {
      const ValueId id = node.inputs[i];
      if (id == kNoValue || rank_of(id) != rank || graph_.is_constant(id)) continue;
      if (!has_twin(id)) return false;
      any = true;
    }
    return any;
  }

  bool elementwise_can_follow(const Node& node) const {
    if (has_legacy_axis(node)) return false;
    size_t rank = 0, with = 0, without = 0;
    for (const ValueId id : node.inputs) {
      if (id == kNoValue) continue;
      if (!graph_.value(id).shape.has_rank()) return false;
      rank = std::max(rank, rank_of(id));
    }
    if (rank < 3) return false;
    for (const ValueId id : node.inputs) {
      if (id == kNoValue || rank_of(id) == 0) continue;
      if (graph_.is_constant(id)) {
        if (graph_.value(id).constant.dtype() == DType::kString) return false;
        continue;
      }
      if (rank_of(id) != rank) return false;
      ++(has_twin(id) ? with : without);
    }
    return with > 0 && with >= without;
  }

  void convert(Node& node, bool channels_last_operator) {
    changed_ = true;
    size_t rank = 0;
    for (const ValueId id : node.inputs) rank = std::max(rank, id == kNoValue ? 0 : rank_of(id));
    if (channels_last_operator) {
      rank = rank_of(node.inputs[0]);
      node.inputs[0] = make_last(node.inputs[0], rank);
      node.set_int("channels_last", 1);
      for (size_t i = 1; i < node.inputs.size(); ++i) make_first(node.inputs[i]);
    } else {
      const bool elementwise = (node.def->traits & ops::kPermutable) != 0;
      for (ValueId& id : node.inputs) {
        if (id == kNoValue || rank_of(id) == 0) continue;
        if (rank_of(id) == rank || (elementwise && graph_.is_constant(id))) {
          id = make_last(id, rank);
        } else {
          make_first(id);
        }
      }
    }
    for (ValueId& id : node.outputs) {
      if (id == kNoValue) continue;
      const SymShape shape = graph_.value(id).shape;
      const SymShape last = shape.has_rank() && shape.rank() == rank ? permuted(shape, to_last_permutation(rank)) : SymShape::of_rank(rank);
      const ValueId twin = add_value(graph_.value(id).name + " (channels last)", graph_.value(id).dtype, last);
      at(twin_, id) = twin;
      at(pending_, id) = true;
      id = twin;
    }
    parse_node(node);
    graph_.nodes.push_back(std::move(node));
  }

  ValueId add_value(std::string name, DType dtype, SymShape shape) {
    twin_.push_back(kNoValue);
    pending_.push_back(false);
    return graph_.add_value(std::move(name), dtype, std::move(shape));
  }

  void add_transpose(ValueId from, ValueId to, std::vector<int64_t> perm) {
    Node node;
    node.name = graph_.value(to).name + " (layout)";
    node.op_type = "Transpose";
    node.opset = 21;
    node.inputs = {from};
    node.own_inputs = 1;
    node.outputs = {to};
    node.set_ints("perm", std::move(perm));
    parse_node(node);
    graph_.nodes.push_back(std::move(node));
  }

  ValueId make_last(ValueId id, size_t rank) {
    if (has_twin(id)) return at(twin_, id);
    const Value value = graph_.value(id);
    ValueId twin;
    if (value.constant.valid()) {
      if (value.constant.count() == 1 && value.constant.rank() <= 1) return id;
      twin = add_value(value.name + " (channels last)", value.dtype, {});
      Tensor t = constant_to_last(value.constant, rank);
      graph_.value(twin).shape = t.shape();
      graph_.value(twin).constant = std::move(t);
    } else {
      twin = add_value(value.name + " (channels last)", value.dtype, permuted(value.shape, to_last_permutation(rank)));
      add_transpose(id, twin, to_last_permutation(rank));
    }
    // A constant of lower rank has another twin for another rank.
    if (rank == rank_of(id)) at(twin_, id) = twin;
    return twin;
  }

  /// Makes the value itself exist when only its twin does.
  void make_first(ValueId id) {
    if (id == kNoValue || !at(pending_, id)) return;
    at(pending_, id) = false;
    const ValueId twin = at(twin_, id);
    add_transpose(twin, id, to_first_permutation(rank_of(twin)));
  }

  template <class T>
  static auto at(T& v, ValueId id) -> decltype(v[0]) {
    return v[static_cast<size_t>(id)];
  }

  Graph& graph_;
  std::vector<ValueId> twin_;
  Flags pending_;
  bool changed_ = false;
};

}  // namespace

bool channels_last(Graph& graph) { return Layout(graph).run(); }

}  // namespace kinglet::passes
