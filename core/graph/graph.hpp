#pragma once
// The graph IR: values (the edges) and nodes (the operator calls), as the reader makes them and the passes rewrite them.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/value_type.hpp"

namespace kinglet {

class Graph;
struct Node;

namespace ops {
struct OpDef;
}

/// Index into Graph::values.
using ValueId = int32_t;
/// An optional input or output that is not there.
inline constexpr ValueId kNoValue = -1;

struct Value {
  std::string name;
  DType dtype = DType::kUndefined;  ///< kUndefined while not inferred
  SymShape shape;
  /// What the file says of a model's input or output that is no tensor; null for tensors.
  std::shared_ptr<const ValueType> declared;
  Tensor constant;  ///< valid() for initializers and folded values
  /// What is known of the elements of a small int64 tensor that computes a shape; empty when nothing is.
  std::vector<Dim> dims;
};

/// One attribute; the field that `kind` names is set.
struct Attribute {
  enum class Kind : uint8_t { kInt, kFloat, kString, kTensor, kGraph, kInts, kFloats, kStrings, kTensors, kGraphs, kType };
  std::string name;
  Kind kind = Kind::kInt;
  int64_t i = 0;
  float f = 0;
  std::string s;
  std::vector<int64_t> ints;
  std::vector<float> floats;
  std::vector<std::string> strings;
  std::vector<Tensor> tensors;     ///< kTensor: one; kTensors: all
  std::vector<size_t> subgraphs;   ///< kGraph, kGraphs: indices into Node::subgraphs
};

/// A call of an operator.
struct Node {
  std::string name;
  std::string op_type;
  std::string domain;  ///< "" is ai.onnx
  int64_t opset = 0;   ///< of the node's domain, as the model imports it
  std::vector<ValueId> inputs;  ///< the operator's own, then what its subgraphs capture from outside
  std::vector<ValueId> outputs;
  size_t own_inputs = 0;  ///< how many of `inputs` are the operator's own
  std::vector<Attribute> attributes;
  std::vector<std::shared_ptr<Graph>> subgraphs;  ///< shared with the programs that run them
  const ops::OpDef* def = nullptr;  ///< set by resolve_operators()
  std::shared_ptr<void> op;         ///< the operator's own struct, made by its parse()

  const Attribute* find(std::string_view attribute) const;
  void set(Attribute attribute);  ///< adds or replaces
  void set_int(std::string_view attribute, int64_t value);
  void set_ints(std::string_view attribute, std::vector<int64_t> value);
  void set_string(std::string_view attribute, std::string value);
  void set_floats(std::string_view attribute, std::vector<float> value);
  void erase(std::string_view attribute);
};

/// A value of the enclosing graph that a subgraph uses: value `inner` here is input `node_input` of the node above.
struct Capture {
  ValueId inner = kNoValue;
  size_t node_input = 0;
};

class Graph {
 public:
  std::string name;
  std::vector<Value> values;
  std::vector<Node> nodes;  ///< in topological order
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  bool is_subgraph = false;       ///< of a node: its constants may lie in the graph around it too
  std::vector<Capture> captures;  ///< of a subgraph
  /// Names of symbolic dims, shared by a graph and its subgraphs; Dim::symbol_index() points here.
  std::shared_ptr<std::vector<std::string>> symbols = std::make_shared<std::vector<std::string>>();

  Value& value(ValueId id) { return values[static_cast<size_t>(id)]; }
  const Value& value(ValueId id) const { return values[static_cast<size_t>(id)]; }
  ValueId add_value(std::string name, DType dtype = DType::kUndefined, SymShape shape = {});
  ValueId add_constant(std::string name, Tensor tensor);
  bool is_constant(ValueId id) const { return id != kNoValue && value(id).constant.valid(); }
  bool is_output(ValueId id) const;
  /// The symbolic dim of this name, made when new.
  Dim symbol(std::string_view name);
  /// Node index that makes each value, or -1 for inputs and constants.
  std::vector<int32_t> producers() const;
  /// Number of uses of each value: by nodes (captures included) and as graph outputs.
  std::vector<uint32_t> use_counts() const;
  /// Makes every use of `from` (node inputs and graph outputs) a use of `to`.
  void replace_uses(ValueId from, ValueId to);
  /// Sorts nodes so that each comes after the producers of its inputs; stable. Throws kModel on a cycle.
  void sort_topologically();
};

/// A model as it is read: the main graph and what the file says of itself.
struct Model {
  Graph graph;
  int64_t ir_version = 0;
  std::string producer;
  std::vector<std::pair<std::string, int64_t>> opsets;  ///< domain ("" is ai.onnx), version
};

}  // namespace kinglet
