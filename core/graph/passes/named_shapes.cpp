#include "graph/passes/named_shapes.hpp"

#include "graph/inference.hpp"

namespace kinglet::passes {

std::vector<SymShape> named_shapes(const Graph& graph) {
  size_t next = graph.symbols->size();
  const auto name_unknown = [&](ops::ValueInfo& info) {
    for (size_t i = 0; i < info.shape.rank(); ++i) {
      Dim& dim = info.shape[i];
      if (!dim.known() && !dim.is_symbol()) dim = Dim::symbol(next++);
    }
  };
  std::vector<ops::ValueInfo> infos;
  for (const Value& value : graph.values) {
    infos.push_back(info_of(value));
    name_unknown(infos.back());
  }
  std::vector<const ops::ValueInfo*> inputs;
  for (const Node& node : graph.nodes) {
    inputs.clear();
    for (const ValueId id : node.inputs)
      inputs.push_back(id == kNoValue ? nullptr : &infos[static_cast<size_t>(id)]);
    std::vector<ops::ValueInfo> outputs = infer_node(node, inputs);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      name_unknown(outputs[i]);
      infos[static_cast<size_t>(node.outputs[i])] = std::move(outputs[i]);
    }
  }
  std::vector<SymShape> shapes;
  for (ops::ValueInfo& info : infos) shapes.push_back(std::move(info.shape));
  return shapes;
}

}  // namespace kinglet::passes
