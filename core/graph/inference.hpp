#pragma once
// Types and shapes of a graph's values, from those of its inputs.

#include "graph/graph.hpp"
#include "ops/op.hpp"

namespace kinglet {

/// Finds every node's operator and parses its attributes, subgraphs included.
/// Throws kUnsupportedOperator listing all operators that this build lacks.
void resolve_operators(Graph& graph);

/// Sets def and op of one node whose operator is known to exist (a pass made or changed it).
void parse_node(Node& node);

/// What the graph says of a value by itself: its constant, or its declared type.
ops::ValueInfo info_of(const Value& value);

/// Whether inference writes what it learns of a node's subgraphs into their values.
enum class Subgraphs : bool { kLeave, kUpdate };

/// Infers one node; entry i of the result belongs to node.outputs[i]. Errors name the node.
std::vector<ops::ValueInfo> infer_node(const Node& node, std::span<const ops::ValueInfo* const> inputs,
                                       Subgraphs subgraphs = Subgraphs::kLeave);

/// Infers the main graph from its declared inputs and writes the result into its values and those of its subgraphs.
void infer_shapes(Graph& graph);

/// Gives an Error without a node this one's name and operator, before its message.
void blame(const Node& node, Error& error);

/// Calls `body`; its Errors are blamed on the node.
template <class F>
void with_node(const Node& node, F body) {
  try {
    body();
  } catch (Error& error) {
    blame(node, error);
    throw;
  }
}

}  // namespace kinglet
