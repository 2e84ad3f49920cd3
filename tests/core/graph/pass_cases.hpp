#pragma once
// Small graphs for the tests of passes: what each becomes, and that it computes the same as before.

#include "graph/inference.hpp"
#include "graph/passes/passes.hpp"
#include "pass_probe.hpp"

namespace kinglet::test {

/// A graph from x to its outputs.
struct PassCase {
  std::string label;
  Strings nodes;
  Strings initializers;
  std::string becomes;  ///< operators in order, fused activations after '+'
  std::vector<int64_t> x = {2, 4, 5, 6};
  Strings outputs = {"y"};
  Strings dims = {};  ///< declared for x; its shape when empty
};

/// After a pass that says so, inference finds what was known before it.
inline void check_kept_shapes(const Bytes& file) {
  Graph graph = read(file).graph;
  resolve_operators(graph);
  infer_shapes(graph);
  for (const Pass& pass : all_passes()) {
    if (!pass.run(graph)) continue;
    const std::vector<Value> known = graph.values;
    infer_shapes(graph);
    if (!pass.keeps_shapes) continue;
    for (const Node& node : graph.nodes) {
      for (const ValueId id : node.outputs) {
        if (id == kNoValue) continue;
        const auto i = static_cast<size_t>(id);
        CAPTURE(pass.name, graph.values[i].name);
        CHECK(graph.values[i].dtype == known[i].dtype);
        std::string before, after;
        append_text(before, known[i].shape);
        append_text(after, graph.values[i].shape);
        CHECK(after == before);
      }
    }
  }
}

inline void check(const std::vector<PassCase>& rows) {
  for (const PassCase& row : rows) {
    INFO(row.label);
    Strings outputs, dims = row.dims;
    for (const std::string& o : row.outputs) outputs.push_back(value(o));
    for (size_t i = 0; dims.size() < row.x.size(); ++i) dims.push_back(std::to_string(row.x[i]));
    const Bytes file = model_file({.graph = graph({.nodes = row.nodes,
                                                   .initializers = row.initializers,
                                                   .inputs = {value("x", 1, dims)},
                                                   .outputs = outputs}),
                                   .opsets = {{"", 17}, {"com.microsoft", 1}}});
    CHECK(operators(load(file).describe()) == row.becomes);
    check_kept_shapes(file);
    run_both(file, {{"x", unlike_neighbours(row.x)}});
  }
}

inline Bytes floats(const std::string& name, const std::vector<int64_t>& dims, const std::vector<float>& v) {
  return float_tensor(name, dims, v);
}
inline Bytes scalar(const std::string& name, float v) { return float_tensor(name, {}, {v}); }
inline Bytes conv(const std::string& in, const std::string& out, const std::string& w = "w", const Strings& more = {}) {
  Strings inputs = {in, w};
  inputs.insert(inputs.end(), more.begin(), more.end());
  return node("Conv", inputs, {out}, {ints_attribute("pads", {1, 1, 1, 1})});
}

inline const Bytes kW = weights_tensor("w", {4, 4, 3, 3});
inline const Bytes kB = floats("b", {4}, {1, -1, 2, 0.5f});

}  // namespace kinglet::test
