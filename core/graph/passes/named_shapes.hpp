#pragma once
// Shapes for passes that must know that two dims are the same number.

#include <vector>

#include "graph/graph.hpp"

namespace kinglet::passes {

/// The shapes of all values by ValueId, inferred with a symbol of its own for each dim that inference cannot
/// tell. So Dim::same() holds too for what follows from such a dim. The symbols have no names in the graph.
std::vector<SymShape> named_shapes(const Graph& graph);

}  // namespace kinglet::passes
