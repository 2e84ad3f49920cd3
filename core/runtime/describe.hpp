#pragma once

#include <string>

#include "graph/graph.hpp"

namespace kinglet {

/// One line a node: `out float32[1,64,?,?] = Conv(x, w, b) {strides=[2,2]} "conv1"`. For people, not for parsing.
std::string describe_graph(const Graph& graph);

}  // namespace kinglet
