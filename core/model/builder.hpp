#pragma once
// decoded.hpp -> Graph: names are linked to values, subgraphs to what they capture, function calls to bodies.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/decoded.hpp"

namespace kinglet::onnx {

/// An order of names that is quick to tell: they are long and differ at their ends.
struct NameOrder {
  bool operator()(std::string_view a, std::string_view b) const {
    if (a.size() != b.size()) return a.size() < b.size();
    for (size_t i = a.size(); i-- > 0;) {
      if (a[i] != b[i]) return a[i] < b[i];
    }
    return false;
  }
};

/// One type for all that is looked up by a name of the file, so that its code is there once.
using NameMap = std::map<std::string_view, ValueId, NameOrder>;

class Builder {
 public:
  explicit Builder(const DecodedModel& model) : model_(model) {}

  /// The main graph, its function calls replaced by their bodies. Throws kModel.
  Graph build();

 private:
  /// The attributes of a function call, which the function's body may refer to.
  struct Call {
    const DecodedFunction* function;
    std::vector<std::pair<std::string_view, const DecodedAttribute*>> attributes;
  };

  /// The node that a subgraph belongs to, while the subgraph is built.
  struct Site {
    Node& node;
    std::map<ValueId, size_t> captured;  ///< outer value -> its place in node.inputs
  };

  /// Names that are visible in a graph or in a function's body. A body has the graph of its call, but sees
  /// none of its names.
  struct Scope {
    Graph& graph;
    Scope* parent = nullptr;     ///< of a subgraph: the scope of its node
    Site* site = nullptr;        ///< of a subgraph: its node
    const Call* call = nullptr;  ///< within a function
    std::string prefix;          ///< of names within a function
    NameMap names;
  };

  // builder.cpp
  void build_graph(const DecodedGraph& decoded, Scope& scope);
  void add_constants_and_inputs(const DecodedGraph& decoded, Scope& scope);
  void add_outputs(const DecodedGraph& decoded, Scope& scope);
  void declare_outputs(const std::vector<DecodedNode>& nodes, Scope& scope);
  void apply_types(const std::vector<DecodedValue>& values, Scope& scope);
  void build_nodes(const std::vector<DecodedNode>& nodes, Scope& scope);
  void build_node(const DecodedNode& decoded, const std::string& name, Scope& scope);
  void build_attribute(const DecodedAttribute& decoded, Site& site, Scope& scope);
  void check_main_inputs(const DecodedGraph& decoded) const;
  ValueId define(Scope& scope, std::string_view name, Tensor constant = {});
  std::optional<ValueId> find(Scope& scope, std::string_view name);
  ValueId use(Scope& scope, std::string_view name);
  void apply_type(Value& value, const DecodedType& type);
  std::optional<int64_t> opset(const Scope& scope, std::string_view domain) const;
  void check_budget(const Node& node, const Scope& scope);

  // function_inliner.cpp
  const DecodedFunction* function_for(const DecodedNode& node);
  void inline_call(const DecodedFunction& function, const DecodedNode& node, const std::string& name,
                   Scope& scope);
  void bind_outputs(const DecodedFunction& function, const DecodedNode& node, Scope& caller, Scope& body);
  Call make_call(const DecodedFunction& function, const DecodedNode& node, const Scope& scope) const;
  const DecodedAttribute* resolve(const DecodedAttribute& attribute, const Scope& scope) const;
  std::string unique_prefix(const std::string& name);

  const DecodedModel& model_;
  std::map<std::string, size_t> functions_;     ///< places in the model's list, by domain, name and overload
  std::vector<const DecodedFunction*> active_;  ///< the calls that are being inlined
  std::map<std::string, size_t> prefixes_;      ///< how many calls had this node name
  /// Indices of Graph::symbols by name: a file may have any number of them, and Graph::symbol() tries one after the
  /// other.
  NameMap symbols_;
  std::shared_ptr<std::vector<std::string>> symbol_names_ = std::make_shared<std::vector<std::string>>();
  size_t inlined_bytes_ = 0;
  size_t depth_ = 0;
};

}  // namespace kinglet::onnx
