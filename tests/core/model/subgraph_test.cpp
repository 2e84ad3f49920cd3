// Subgraphs: what they capture from the graphs around them.

#include "model/onnx_writer.hpp"

using namespace kinglet;
using namespace kinglet::test;
using Catch::Matchers::ContainsSubstring;

namespace {

const Bytes kX = value("x", 1, {"n"});
const Bytes kCondition = value("c", 9, {});

Bytes if_node(const Bytes& then_branch, const Bytes& else_branch, const std::string& output = "y") {
  return node("If", {"c"}, {output},
              {graph_attribute("then_branch", then_branch), graph_attribute("else_branch", else_branch)},
              "if");
}

Bytes main_graph(const Strings& nodes, const Strings& initializers = {}) {
  return model_file({.graph = graph({.nodes = nodes,
                                     .initializers = initializers,
                                     .inputs = {kX, kCondition},
                                     .outputs = {value("y")}})});
}

Bytes branch(const Strings& nodes, const std::string& output, const std::string& name = "b") {
  return graph({.nodes = nodes, .outputs = {value(output)}, .name = name});
}

}  // namespace

TEST_CASE("an outer value becomes one more input of the node, once for all its subgraphs", "[onnx]") {
  const Model m =
      read(main_graph({node("Relu", {"x"}, {"r"}), if_node(branch({node("Add", {"r", "r"}, {"t"})}, "t"),
                                                           branch({node("Sub", {"x", "r"}, {"e"})}, "e"))}));
  const Graph& g = m.graph;
  const Node& n = g.nodes[1];
  REQUIRE(n.own_inputs == 1);
  REQUIRE(n.inputs.size() == 3);
  CHECK(n.inputs[0] == find_value(g, "c"));
  CHECK(n.inputs[1] == find_value(g, "r"));
  CHECK(n.inputs[2] == find_value(g, "x"));
  REQUIRE(n.subgraphs.size() == 2);
  CHECK(n.find("then_branch")->kind == Attribute::Kind::kGraph);
  CHECK(n.find("then_branch")->subgraphs == std::vector<size_t>{0});
  CHECK(n.find("else_branch")->subgraphs == std::vector<size_t>{1});

  const Graph& then_branch = *n.subgraphs[0];
  REQUIRE(then_branch.captures.size() == 1);
  CHECK(then_branch.captures[0].node_input == 1);
  CHECK(then_branch.captures[0].inner == then_branch.nodes[0].inputs[0]);
  CHECK(then_branch.inputs.empty());
  const Graph& else_branch = *n.subgraphs[1];
  REQUIRE(else_branch.captures.size() == 2);
  CHECK(else_branch.captures[0].node_input == 2);  // x, the first that Sub uses
  CHECK(else_branch.captures[1].node_input == 1);
  const Value& x = else_branch.value(else_branch.captures[0].inner);
  CHECK(x.dtype == DType::kFloat32);  // what is known of the outer value is known within
  CHECK(x.shape[0].same(g.value(g.inputs[0]).shape[0]));
  CHECK(then_branch.symbols == g.symbols);
}

TEST_CASE("an outer constant is the same constant within", "[onnx]") {
  const Model m = read(main_graph({if_node(branch({node("Add", {"x", "w"}, {"t"})}, "t"), branch({}, "w"))},
                                  {float_tensor("w", {1}, {3})}));
  const Node& n = m.graph.nodes[0];
  CHECK(n.inputs.size() == 2);  // the condition and x
  const Tensor& outer = constant(m.graph, "w");
  CHECK(constant(*n.subgraphs[0], "w").raw() == outer.raw());
  CHECK(n.subgraphs[1]->is_constant(n.subgraphs[1]->outputs[0]));
}

TEST_CASE("captures reach through several levels", "[onnx]") {
  const Bytes innermost = branch({node("Neg", {"r"}, {"i"})}, "i", "innermost");
  const Bytes inner = branch({if_node(innermost, branch({}, "x"), "m")}, "m", "inner");
  const Model m = read(main_graph({node("Relu", {"x"}, {"r"}), if_node(inner, branch({}, "x"))}));
  const Node& outer_if = m.graph.nodes[1];
  CHECK(outer_if.inputs.size() == 4);  // the condition; c, r and x, captured
  const Graph& level1 = *outer_if.subgraphs[0];
  const Node& inner_if = level1.nodes[0];
  CHECK(level1.value(inner_if.inputs[0]).name == "c");
  const Graph& level2 = *inner_if.subgraphs[0];
  REQUIRE(level2.captures.size() == 1);
  const ValueId in_level1 = inner_if.inputs[level2.captures[0].node_input];
  CHECK(level1.value(in_level1).name == "r");
  const auto through = std::find_if(level1.captures.begin(), level1.captures.end(),
                                    [&](const Capture& c) { return c.inner == in_level1; });
  REQUIRE(through != level1.captures.end());
  CHECK(outer_if.inputs[through->node_input] == find_value(m.graph, "r"));
}

TEST_CASE("a captured value is made before the node, wherever the file has it", "[onnx]") {
  const Model m = read(main_graph(
      {if_node(branch({node("Neg", {"r"}, {"t"})}, "t"), branch({}, "x")), node("Relu", {"x"}, {"r"})}));
  CHECK(m.graph.nodes[0].op_type == "Relu");
}

TEST_CASE("the innermost name counts", "[onnx]") {
  const Bytes body =
      graph({.nodes = {node("Neg", {"x"}, {"t"})}, .inputs = {value("x", 1, {})}, .outputs = {value("t")}});
  const Model m = read(main_graph({node("Loop", {"", "c", "x"}, {"y"}, {graph_attribute("body", body)})}));
  const Node& loop = m.graph.nodes[0];
  CHECK(loop.inputs.size() == 3);
  CHECK(loop.subgraphs[0]->captures.empty());
  CHECK(loop.subgraphs[0]->nodes[0].inputs[0] == loop.subgraphs[0]->inputs[0]);
}

TEST_CASE("subgraphs that cannot be are refused", "[onnx]") {
  struct Row {
    const char* label;
    Bytes file;
    const char* message;
  };
  const Row rows[] = {
      {"unknown name",
       main_graph({if_node(branch({node("Neg", {"q"}, {"t"}, {}, "neg")}, "t"), branch({}, "x"))}),
       "neg (Neg): input 'q' is made by no node, input or initializer"},
      {"unknown output", main_graph({if_node(branch({}, "q"), branch({}, "x"))}),
       "if (If): output 'q' of graph 'b' is made by no node"},
      {"a subgraph's name is not seen outside",
       main_graph({if_node(branch({node("Neg", {"x"}, {"t"})}, "t"), branch({}, "x"), "z"),
                   node("Relu", {"t"}, {"y"})}),
       "Relu_1 (Relu): input 't'"},
      {"defined twice within",
       main_graph({if_node(branch({node("A", {}, {"t"}), node("B", {}, {"t"})}, "t"), branch({}, "x"))}),
       "value 't' is defined twice"},
      {"cycle within", main_graph({if_node(branch({node("A", {"t"}, {"t"})}, "t"), branch({}, "x"))}),
       "has a cycle"},
      {"cycle through a capture",
       main_graph({if_node(branch({node("A", {"y"}, {"t"})}, "t"), branch({}, "x"))}), "has a cycle"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.label);
    CHECK_THAT(read_error(row.file), ContainsSubstring(row.message));
  }
}

TEST_CASE("subgraphs may nest 63 deep and no deeper", "[onnx]") {
  const auto nested = [](size_t levels) {
    Bytes inner = branch({}, "x");
    for (size_t i = 0; i < levels; ++i) inner = branch({if_node(inner, branch({}, "x"), "t")}, "t");
    return main_graph({if_node(inner, branch({}, "x"))});
  };
  CHECK_NOTHROW(read(nested(62)));
  CHECK_THAT(read_error(nested(63)), ContainsSubstring("nested more than 64 deep"));
  CHECK_THAT(read_error(nested(1000)), ContainsSubstring("nested more than 64 deep"));
}
