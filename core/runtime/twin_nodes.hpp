#pragma once
// Nodes that are prepared alike: of one operator with the same attributes, over the same constants. The branches of an If that a merged
// decoder has read the same weights, and so do layers that share theirs: these are packed once.

#include <vector>

#include "graph/constant_memory.hpp"

namespace kinglet {

class TwinNodes {
 public:
  /// Looks at `graph` and its subgraphs. Constants that twins of different graphs read, and nobody else, count as read once in `memory`.
  TwinNodes(Graph& graph, ConstantMemory& memory);

  /// A node and what is known of it.
  struct Twin {
    const Graph* graph;
    const Node* node;
    const std::byte* weights;   ///< its first large constant, or null: then it has no twin
    size_t first;               ///< the place of the first of its twins, which may be itself
    size_t count = 1;           ///< of the first: how many they are
    bool alone = true;          ///< of the first: each reads constants that no other node of its graph reads
    bool prepared = false;      ///< of the first: node->op is what they all are prepared to
    uint32_t released = 0;      ///< of the first: the inputs, as bits, that its prepare() released
  };
  /// The first of a node's twins. To be asked for each node with a prepare(), those of a graph in their order and a node before
  /// its subgraphs.
  Twin& next() { return twins_[twins_[at_++].first]; }

 private:
  void add_graph(Graph& graph);

  std::vector<Twin> twins_;
  size_t at_ = 0;
};

}  // namespace kinglet
