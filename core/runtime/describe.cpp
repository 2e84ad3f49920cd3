#include "runtime/describe.hpp"

namespace kinglet {
namespace {

template <class T>
void append_list(std::string& out, const std::vector<T>& values) {
  out += '[';
  for (size_t i = 0; i < values.size(); ++i) out += text("{}{}", i == 0 ? "" : ",", values[i]);
  out += ']';
}

void append_attribute(std::string& out, const Attribute& a) {
  out += text("{}=", a.name);
  switch (a.kind) {
    case Attribute::Kind::kInt: append_text(out, a.i); break;
    case Attribute::Kind::kFloat: append_text(out, static_cast<double>(a.f)); break;
    case Attribute::Kind::kString: out += a.s; break;
    case Attribute::Kind::kInts: append_list(out, a.ints); break;
    case Attribute::Kind::kFloats: append_list(out, a.floats); break;
    case Attribute::Kind::kStrings: append_list(out, a.strings); break;
    case Attribute::Kind::kTensor:
    case Attribute::Kind::kTensors: out += "tensor"; break;
    case Attribute::Kind::kGraph:
    case Attribute::Kind::kGraphs: out += "graph"; break;
    case Attribute::Kind::kType: out += "type"; break;
  }
}

void append_value(std::string& out, const Graph& graph, ValueId id) {
  out += id == kNoValue ? "-" : graph.value(id).name;
}

void append_node(std::string& out, const Graph& graph, const Node& node, size_t depth) {
  out.append(2 * depth, ' ');
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (i != 0) out += ", ";
    append_value(out, graph, node.outputs[i]);
    if (node.outputs[i] == kNoValue) continue;
    const Value& v = graph.value(node.outputs[i]);
    out += text(" {}{}", v.dtype, v.shape);
  }
  out += text(" = {}{}{}(", node.domain, node.domain.empty() ? "" : ".", node.op_type);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (i != 0) out += ", ";
    append_value(out, graph, node.inputs[i]);
  }
  out += ')';
  for (const Attribute& a : node.attributes) {
    out += &a == &node.attributes.front() ? " {" : ", ";
    append_attribute(out, a);
  }
  if (!node.attributes.empty()) out += '}';
  out += text(" \"{}\"\n", node.name);
  for (const auto& body : node.subgraphs) {
    for (const Node& inner : body->nodes) append_node(out, *body, inner, depth + 1);
  }
}

}  // namespace

std::string describe_graph(const Graph& graph) {
  std::string out;
  for (const Node& node : graph.nodes) append_node(out, graph, node, 0);
  return out;
}

}  // namespace kinglet
