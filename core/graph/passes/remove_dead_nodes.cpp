// Nodes whose outputs nobody reads go, and so do the elements of constants that nobody reads.

#include <algorithm>

#include "base/flags.hpp"
#include "graph/passes/passes.hpp"

namespace kinglet::passes {

bool remove_dead_nodes(Graph& graph) {
  std::vector<uint32_t> uses = graph.use_counts();
  bool changed = false;
  Flags dead(graph.nodes.size(), false);
  for (size_t n = graph.nodes.size(); n-- > 0;) {
    Node& node = graph.nodes[n];
    bool used = false;
    for (ValueId& id : node.outputs) {
      if (id == kNoValue) continue;
      if (uses[static_cast<size_t>(id)] != 0) {
        used = true;
      } else if (&id != &node.outputs.front()) {
        id = kNoValue;  // the operator need not compute an optional output
        changed = true;
      }
    }
    if (used) continue;
    for (const ValueId id : node.inputs) {
      if (id != kNoValue) --uses[static_cast<size_t>(id)];
    }
    dead[n] = true;
    changed = true;
  }
  size_t n = 0;
  std::erase_if(graph.nodes, [&](const Node&) { return dead[n++]; });
  for (size_t v = 0; v < graph.values.size(); ++v) {
    if (uses[v] == 0) graph.values[v].constant = {};
  }
  return changed;
}

}  // namespace kinglet::passes
