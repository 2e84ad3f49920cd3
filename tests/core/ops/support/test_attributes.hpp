#pragma once
// A node's attributes as a test writes them down.

#include <string_view>
#include <vector>

#include "graph/graph.hpp"

namespace kinglet::test {

Attribute attr(std::string_view name, int64_t value);
inline Attribute attr(std::string_view name, int value) { return attr(name, int64_t{value}); }
Attribute attr(std::string_view name, float value);
Attribute attr(std::string_view name, const char* value);
Attribute attr(std::string_view name, Tensor value);
Attribute attr_ints(std::string_view name, std::vector<int64_t> value);
Attribute attr_floats(std::string_view name, std::vector<float> value);
Attribute attr_strings(std::string_view name, std::vector<std::string> value);
/// A subgraph attribute: its index in OpCall::subgraphs.
Attribute attr_graph(std::string_view name, size_t index);

}  // namespace kinglet::test
