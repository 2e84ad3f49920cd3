#pragma once
// Looking at a graph's neighbourhoods, for passes that search patterns.

#include <optional>

#include "graph/graph.hpp"

namespace kinglet::passes {

/// A snapshot of who makes and who reads each value; passes that rewrite as they go must only weaken it (nodes may
/// lose outputs, values may lose readers).
class Neighbours {
 public:
  explicit Neighbours(Graph& graph) : graph_(graph), producer_(graph.producers()), uses_(graph.use_counts()) {}

  /// The ai.onnx node of this type that makes `id` as its output 0, or null.
  Node* made_by(ValueId id, std::string_view op_type) const;
  /// Index of the node that makes `id`, or -1.
  int32_t producer(ValueId id) const { return id == kNoValue ? -1 : producer_[static_cast<size_t>(id)]; }
  /// Read once, by a node.
  bool one_use(ValueId id) const { return uses_[static_cast<size_t>(id)] == 1 && !graph_.is_output(id); }
  uint32_t uses(ValueId id) const { return uses_[static_cast<size_t>(id)]; }
  /// The one element of a float32 constant.
  std::optional<float> scalar(ValueId id) const;
  bool is_scalar(ValueId id, float wanted) const;
  /// For a binary node with one constant scalar operand: the other operand.
  ValueId other_than_scalar(const Node& node, float wanted) const;
  /// For a binary node that reads `operand`: the other one, else kNoValue.
  static ValueId other_operand(const Node& node, ValueId operand);

 private:
  Graph& graph_;
  std::vector<int32_t> producer_;
  std::vector<uint32_t> uses_;
};

/// Does a node of opsets 1 to 6 say itself where its second operand goes? NumPy's rules may put it elsewhere; a node that
/// align_legacy_operands could not turn is matched by no pattern.
bool has_legacy_axis(const Node& node);

/// Is the node ai.onnx `op_type` with `inputs` inputs, all there, and a wanted output 0?
bool is_op(const Node& node, std::string_view op_type, size_t inputs);

/// Are the ranks of both values known and the same? A factor of one element may still add dims.
bool same_rank(const Graph& graph, ValueId a, ValueId b);

/// Turns `node` into ai.onnx `op_type` over `inputs` without attributes, keeping its outputs.
void become(Node& node, std::string_view op_type, std::vector<ValueId> inputs);

/// Drops nodes none of whose outputs is left.
void drop_nodes_without_outputs(Graph& graph);

}  // namespace kinglet::passes
