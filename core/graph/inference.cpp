#include "graph/inference.hpp"

#include <algorithm>

namespace kinglet {
namespace {

using ops::ValueInfo;

/// All values of `graph` from its formal inputs and captures; indexed by ValueId.
std::vector<ValueInfo> infer_values(const Graph& graph, std::span<const ValueInfo> formal_inputs,
                                    std::span<const ValueInfo> captures, Subgraphs subgraphs);

void update_values(Graph& graph, std::span<ValueInfo> infos) {
  for (size_t i = 0; i < infos.size(); ++i) {
    Value& value = graph.values[i];
    if (value.constant.valid()) continue;
    if (infos[i].dtype != DType::kUndefined) value.dtype = infos[i].dtype;
    value.shape = std::move(infos[i].shape);
    value.dims = std::move(infos[i].dims);
  }
}

class BodyInference : public ops::SubgraphInference {
 public:
  BodyInference(const Node& node, std::span<const ValueInfo* const> inputs, Subgraphs subgraphs)
      : node_(node), inputs_(inputs), subgraphs_(subgraphs) {}

  std::vector<ValueInfo> infer(size_t subgraph, std::span<const ValueInfo> formal_inputs) override {
    Graph& body = *node_.subgraphs.at(subgraph);
    if (body.inputs.size() != formal_inputs.size()) {
      throw_error(ErrorCode::kModel, "a subgraph has {} inputs, expected {}", body.inputs.size(), formal_inputs.size());
    }
    std::vector<ValueInfo> captures;
    for (const Capture& c : body.captures) {
      const ValueInfo* outer = inputs_[c.node_input];
      captures.push_back(outer != nullptr ? *outer : ValueInfo{});
    }
    std::vector<ValueInfo> all = infer_values(body, formal_inputs, captures, subgraphs_);
    std::vector<ValueInfo> outputs;
    for (const ValueId id : body.outputs) outputs.push_back(all[static_cast<size_t>(id)]);
    if (subgraphs_ == Subgraphs::kUpdate) update_values(body, all);
    return outputs;
  }

 private:
  const Node& node_;
  std::span<const ValueInfo* const> inputs_;
  Subgraphs subgraphs_;
};

void collect_missing(const Graph& graph, std::vector<MissingOperator>& missing) {
  for (const Node& node : graph.nodes) {
    const ops::OpDef* def = ops::find_op(node.domain, node.op_type);
    if (def == nullptr || node.opset < def->since) {
      const auto same = [&](const MissingOperator& m) {
        return m.op == node.op_type && m.domain == node.domain && m.opset == node.opset;
      };
      auto it = std::find_if(missing.begin(), missing.end(), same);
      if (it == missing.end()) it = missing.insert(missing.end(), {node.op_type, node.domain, node.opset, {}});
      it->nodes.push_back(node.name);
    }
    for (const auto& body : node.subgraphs) collect_missing(*body, missing);
  }
}

void parse_all(Graph& graph) {
  for (Node& node : graph.nodes) {
    parse_node(node);
    for (const auto& body : node.subgraphs) parse_all(*body);
  }
}

}  // namespace

void blame(const Node& node, Error& error) {
  if (!error.node.empty()) return;
  error.node = node.name;
  error.op = node.op_type;
  error.message = text("{} ({}): {}", node.name, node.op_type, error.message);
}

void parse_node(Node& node) {
  node.def = ops::find_op(node.domain, node.op_type);
  if (node.def == nullptr) throw_error(ErrorCode::kInternal, "operator {} is not in this build", node.op_type);
  with_node(node, [&] { node.op = node.def->parse(ops::NodeView(node)); });
}

void resolve_operators(Graph& graph) {
  std::vector<MissingOperator> missing;
  collect_missing(graph, missing);
  if (!missing.empty()) {
    std::string list;
    for (const MissingOperator& m : missing) {
      list += text("{}{}{} (opset {}; {} node{}, first '{}')", list.empty() ? "" : ", ",
                   m.domain.empty() ? "" : m.domain + ".", m.op, m.opset, m.nodes.size(),
                   m.nodes.size() == 1 ? "" : "s", m.nodes.front());
    }
    Error error(ErrorCode::kUnsupportedOperator, text("the model needs operators that this build lacks: {}", list));
    error.missing = std::move(missing);
    throw error;
  }
  parse_all(graph);
}

ValueInfo info_of(const Value& value) {
  ValueInfo info;
  info.dtype = value.dtype;
  info.shape = value.shape;
  info.constant = value.constant;
  info.dims = value.dims;
  return info;
}

std::vector<ValueInfo> infer_node(const Node& node, std::span<const ValueInfo* const> inputs, Subgraphs subgraphs) {
  std::vector<ValueInfo> outputs(node.outputs.size());
  BodyInference bodies(node, inputs, subgraphs);
  with_node(node, [&] {
    ops::InferContext context(inputs, node.own_inputs, outputs, &bodies);
    node.def->infer(node.op.get(), context);
  });
  return outputs;
}

namespace {

std::vector<ValueInfo> infer_values(const Graph& graph, std::span<const ValueInfo> formal_inputs,
                                    std::span<const ValueInfo> captures, Subgraphs subgraphs) {
  std::vector<ValueInfo> infos(graph.values.size());
  for (size_t i = 0; i < infos.size(); ++i) {
    if (graph.values[i].constant.valid()) infos[i] = info_of(graph.values[i]);
  }
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const auto id = static_cast<size_t>(graph.inputs[i]);
    infos[id] = i < formal_inputs.size() ? formal_inputs[i] : info_of(graph.values[id]);
    if (infos[id].dtype == DType::kUndefined) infos[id].dtype = graph.values[id].dtype;
  }
  for (size_t i = 0; i < graph.captures.size() && i < captures.size(); ++i) {
    const auto id = static_cast<size_t>(graph.captures[i].inner);
    if (!graph.values[id].constant.valid()) infos[id] = captures[i];
  }
  std::vector<const ValueInfo*> inputs;
  for (const Node& node : graph.nodes) {
    inputs.clear();
    for (const ValueId id : node.inputs) inputs.push_back(id == kNoValue ? nullptr : &infos[static_cast<size_t>(id)]);
    std::vector<ValueInfo> outputs = infer_node(node, inputs, subgraphs);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      infos[static_cast<size_t>(node.outputs[i])] = std::move(outputs[i]);
    }
  }
  return infos;
}

}  // namespace

void infer_shapes(Graph& graph) {
  std::vector<ValueInfo> formal;
  for (const ValueId id : graph.inputs) formal.push_back(info_of(graph.value(id)));
  std::vector<ValueInfo> infos = infer_values(graph, formal, {}, Subgraphs::kUpdate);
  update_values(graph, infos);
}

}  // namespace kinglet
