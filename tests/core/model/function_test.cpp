// Calls of model-local functions.

#include <set>

#include "model/onnx_writer.hpp"

using namespace kinglet;
using namespace kinglet::test;
using Catch::Matchers::ContainsSubstring;

namespace {

using Type = onnx::AttributeType;
const Bytes kX = value("x", 1, {"2"});
const Opsets kOpsets = {{"", 17}, {"local", 1}};

Bytes call(std::string_view function, const Strings& inputs, const Strings& outputs,
           const Strings& attributes = {}, std::string_view name = "call", std::string_view overload = "") {
  return node(function, inputs, outputs, attributes, name, "local", overload);
}

Bytes file(const Strings& nodes, const Strings& functions, const Strings& initializers = {}) {
  return model_file(
      {.graph =
           graph({.nodes = nodes, .initializers = initializers, .inputs = {kX}, .outputs = {value("y")}}),
       .opsets = kOpsets,
       .functions = functions});
}

const Bytes kTwice = function({.name = "Twice",
                               .inputs = {"a"},
                               .outputs = {"r"},
                               .nodes = {node("Neg", {"a"}, {"t"}), node("Add", {"t", "t"}, {"r"})},
                               .opsets = {{"", 13}}});

}  // namespace

TEST_CASE("a call becomes the function's body", "[onnx]") {
  const Model m =
      read(file({call("Twice", {"x"}, {"m"}, {}, "one"), call("Twice", {"m"}, {"y"}, {}, "two")}, {kTwice}));
  const Graph& g = m.graph;
  REQUIRE(g.nodes.size() == 4);
  Strings names;
  for (const Node& n : g.nodes) names.push_back(n.name);
  CHECK(names == Strings{"one/Neg_0", "one/Add_1", "two/Neg_0", "two/Add_1"});
  CHECK(g.nodes[0].inputs[0] == g.inputs[0]);
  CHECK(g.nodes[0].opset == 13);  // the function's own import
  CHECK(g.nodes[1].outputs[0] == find_value(g, "m"));
  CHECK(g.nodes[2].inputs[0] == find_value(g, "m"));
  CHECK(g.nodes[3].outputs[0] == g.outputs[0]);
  CHECK(find_value(g, "one/t") != kNoValue);
  CHECK(find_value(g, "two/t") != find_value(g, "one/t"));
}

TEST_CASE("calls of the same name make different values", "[onnx]") {
  const Model m = read(file({call("Twice", {"x"}, {"m"}), call("Twice", {"m"}, {"y"})}, {kTwice}));
  std::set<std::string> names;
  for (const Value& v : m.graph.values) CHECK(names.insert(v.name).second);
}

TEST_CASE("a body refers to the call's attributes, or to their defaults", "[onnx]") {
  const Bytes f = function(
      {.name = "F",
       .inputs = {"a"},
       .outputs = {"r"},
       .attributes = {"given", "missing"},
       .defaults = {int_attribute("defaulted", 5), int_attribute("overridden", 6)},
       .nodes = {node(
           "Op", {"a"}, {"r"},
           {reference_attribute("p", Type::kInt, "given"), reference_attribute("q", Type::kInt, "missing"),
            reference_attribute("r", Type::kInt, "defaulted"),
            reference_attribute("s", Type::kInt, "overridden"), int_attribute("own", 9)})}});
  const Model m =
      read(file({call("F", {"x"}, {"y"}, {int_attribute("given", 3), int_attribute("overridden", 7)})}, {f}));
  const Node& n = m.graph.nodes[0];
  CHECK(n.find("p")->i == 3);
  CHECK(n.find("q") == nullptr);
  CHECK(n.find("r")->i == 5);
  CHECK(n.find("s")->i == 7);
  CHECK(n.find("own")->i == 9);
}

TEST_CASE("functions call functions and pass their attributes on", "[onnx]") {
  const Bytes inner =
      function({.name = "Inner",
                .inputs = {"a"},
                .outputs = {"r"},
                .attributes = {"alpha"},
                .nodes = {node("Op", {"a"}, {"r"}, {reference_attribute("value", Type::kInt, "alpha")})}});
  const Bytes outer = function(
      {.name = "Outer",
       .inputs = {"a"},
       .outputs = {"r"},
       .attributes = {"beta"},
       .nodes = {call("Inner", {"a"}, {"m"}, {reference_attribute("alpha", Type::kInt, "beta")}, "i"),
                 call("Twice", {"m"}, {"r"}, {}, "t")}});
  const Model m =
      read(file({call("Outer", {"x"}, {"y"}, {int_attribute("beta", 4)})}, {outer, inner, kTwice}));
  REQUIRE(m.graph.nodes.size() == 3);
  CHECK(m.graph.nodes[0].name == "call/i/Op_0");
  CHECK(m.graph.nodes[0].find("value")->i == 4);
  CHECK(m.graph.nodes[2].outputs[0] == m.graph.outputs[0]);
}

TEST_CASE("inputs and outputs that a call leaves out", "[onnx]") {
  const Bytes f = function({.name = "F",
                            .inputs = {"a", "b", "c"},
                            .outputs = {"r", "s"},
                            .nodes = {node("Op", {"b", "a", "c"}, {"r", "s"})}});
  const Model m = read(file({call("F", {"x"}, {"", "y"})}, {f}));
  const Node& n = m.graph.nodes[0];
  CHECK(n.inputs == std::vector<ValueId>{kNoValue, m.graph.inputs[0]});
  CHECK(n.outputs[0] != kNoValue);
  CHECK(n.outputs[1] == m.graph.outputs[0]);
}

TEST_CASE("an output that is an input is passed through", "[onnx]") {
  const Bytes f = function({.name = "F", .inputs = {"a"}, .outputs = {"a"}});
  const Model m = read(file({call("F", {"x"}, {"y"})}, {f}));
  REQUIRE(m.graph.nodes.size() == 1);
  CHECK(m.graph.nodes[0].op_type == "Identity");
  CHECK(m.graph.nodes[0].inputs[0] == m.graph.inputs[0]);
  CHECK(m.graph.nodes[0].outputs[0] == m.graph.outputs[0]);
}

TEST_CASE("a subgraph within a function sees the body and not the caller", "[onnx]") {
  const auto function_of = [](const std::string& name_used) {
    const Bytes branch = graph({.nodes = {node("Neg", {name_used}, {"i"})}, .outputs = {value("i")}});
    return function({.name = "F",
                     .inputs = {"a"},
                     .outputs = {"r"},
                     .nodes = {node("Abs", {"a"}, {"t"}),
                               node("If", {"a"}, {"r"}, {graph_attribute("then_branch", branch)}, "if")}});
  };
  const Model m = read(file({node("Exp", {"x"}, {"e"}), call("F", {"e"}, {"y"})}, {function_of("t")}));
  const Node& n = m.graph.nodes[2];
  REQUIRE(n.inputs.size() == 2);
  CHECK(n.inputs[1] == m.graph.nodes[1].outputs[0]);
  CHECK_THAT(read_error(file({node("Exp", {"x"}, {"e"}), call("F", {"e"}, {"y"})}, {function_of("e")})),
             ContainsSubstring("input 'e' is made by no node"));
}

TEST_CASE("a call within a subgraph is inlined there", "[onnx]") {
  const Bytes branch = graph({.nodes = {call("Twice", {"x"}, {"i"})}, .outputs = {value("i")}});
  const Model m = read(file({node("If", {"x"}, {"y"}, {graph_attribute("then_branch", branch)})}, {kTwice}));
  REQUIRE(m.graph.nodes.size() == 1);
  const Graph& g = *m.graph.nodes[0].subgraphs[0];
  REQUIRE(g.nodes.size() == 2);
  CHECK(g.captures.size() == 1);
  CHECK(g.nodes[0].inputs[0] == g.captures[0].inner);
}

TEST_CASE("overloads are different functions", "[onnx]") {
  const auto overload = [](const std::string& which) {
    return function({.name = "F",
                     .overload = which,
                     .inputs = {"a"},
                     .outputs = {"r"},
                     .nodes = {node("Op" + which, {"a"}, {"r"})}});
  };
  const Model m = read(file({call("F", {"x"}, {"y"}, {}, "call", "B")}, {overload("A"), overload("B")}));
  CHECK(m.graph.nodes[0].op_type == "OpB");
}

TEST_CASE("the weights of a body are shared by its calls", "[onnx]") {
  const Bytes f = function(
      {.name = "F",
       .inputs = {},
       .outputs = {"r"},
       .nodes = {node("Constant", {}, {"r"},
                      {tensor_attribute("value", float_tensor("", {64}, std::vector<float>(64, 2)))})}});
  const Model m = read(file({call("F", {}, {"m"}), call("F", {}, {"y"})}, {f}));
  const Tensor& a = m.graph.nodes[0].find("value")->tensors[0];
  const Tensor& b = m.graph.nodes[1].find("value")->tensors[0];
  CHECK(a.raw() == b.raw());
  CHECK(a.values<float>()[63] == 2);
}

TEST_CASE("functions that cannot be are refused", "[onnx]") {
  const auto f = [](const FunctionSpec& spec) { return function(spec); };
  const Bytes good_call = call("F", {"x"}, {"y"});
  const Bytes op = node("Op", {"a"}, {"r"});
  struct Row {
    const char* label;
    Bytes file;
    const char* message;
  };
  const Row rows[] = {
      {"calls itself",
       file({good_call}, {f({.inputs = {"a"}, .outputs = {"r"}, .nodes = {call("F", {"a"}, {"r"})}})}),
       "function 'F' calls itself"},
      {"calls itself by another",
       file({good_call},
            {f({.inputs = {"a"}, .outputs = {"r"}, .nodes = {call("G", {"a"}, {"r"})}}),
             function({.name = "G", .inputs = {"a"}, .outputs = {"r"}, .nodes = {call("F", {"a"}, {"r"})}})}),
       "function 'F' calls itself"},
      {"defined twice", file({good_call}, {kTwice, kTwice}),
       "function 'Twice' of domain 'local' is defined twice"},
      {"no name", file({good_call}, {function({.name = ""})}), "a function has no name"},
      {"too many inputs",
       file({call("F", {"x", "x"}, {"y"})}, {f({.inputs = {"a"}, .outputs = {"r"}, .nodes = {op}})}),
       "2 inputs and 1 outputs given, function 'F' has 1 and 1"},
      {"too many outputs",
       file({call("F", {"x"}, {"y", "z"})}, {f({.inputs = {"a"}, .outputs = {"r"}, .nodes = {op}})}),
       "1 inputs and 2 outputs given"},
      {"input twice", file({good_call}, {f({.inputs = {"a", "a"}, .outputs = {"r"}, .nodes = {op}})}),
       "has two inputs 'a'"},
      {"output twice", file({good_call}, {f({.inputs = {"a"}, .outputs = {"r", "r"}, .nodes = {op}})}),
       "has two outputs 'r'"},
      {"output not made", file({good_call}, {f({.inputs = {"a"}, .outputs = {"q"}, .nodes = {op}})}),
       "its output 'q' is made by no node"},
      {"value made twice", file({good_call}, {f({.inputs = {"a"}, .outputs = {"r"}, .nodes = {op, op}})}),
       "value 'r' is defined twice"},
      {"input made by a node",
       file({good_call}, {f({.inputs = {"a"}, .outputs = {"r"}, .nodes = {op, node("Op", {}, {"a"})}})}),
       "value 'a' is defined twice"},
      {"unknown name",
       file({good_call}, {f({.inputs = {"a"}, .outputs = {"r"}, .nodes = {node("Op", {"x"}, {"r"})}})}),
       "call/Op_0 (Op): input 'x' is made by no node"},
      {"cycle",
       file({good_call}, {f({.inputs = {"a"}, .outputs = {"r"}, .nodes = {node("Op", {"r"}, {"r"})}})}),
       "has a cycle"},
      {"undeclared attribute",
       file({good_call},
            {f({.inputs = {"a"},
                .outputs = {"r"},
                .nodes = {node("Op", {"a"}, {"r"}, {reference_attribute("p", Type::kInt, "q")})}})}),
       "attribute 'p' refers to 'q', which function 'F' does not declare"},
      {"attribute of another type",
       file({call("F", {"x"}, {"y"}, {int_attribute("q", 1)})},
            {f({.inputs = {"a"},
                .outputs = {"r"},
                .attributes = {"q"},
                .nodes = {node("Op", {"a"}, {"r"}, {reference_attribute("p", Type::kFloat, "q")})}})}),
       "attribute 'p' refers to 'q', which has another type"},
      {"graph attribute",
       file({call("F", {"x"}, {"y"}, {graph_attribute("q", graph({}))})},
            {f({.inputs = {"a"}, .outputs = {"r"}, .attributes = {"q"}, .nodes = {op}})}),
       "attribute 'q': a graph given to a function is not supported"},
      {"passes on what is left out", file({call("F", {}, {"y"})}, {f({.inputs = {"a"}, .outputs = {"a"}})}),
       "passes on input 'a', which the call leaves out"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.label);
    CHECK_THAT(read_error(row.file), ContainsSubstring(row.message));
  }
}

TEST_CASE("calls that would make an endless graph are refused", "[onnx]") {
  // Each function calls the next twice: 2^40 nodes from two kilobytes.
  const auto chain = [](int length) {
    Strings functions;
    for (int i = 0; i < length; ++i) {
      const std::string next = text("F{}", i + 1);
      functions.push_back(
          function({.name = text("F{}", i),
                    .inputs = {"a"},
                    .outputs = {"r"},
                    .nodes = {call(next, {"a"}, {"t"}, {}, "l"), call(next, {"t"}, {"r"}, {}, "r")}}));
    }
    functions.push_back(function({.name = text("F{}", length),
                                  .inputs = {"a"},
                                  .outputs = {"r"},
                                  .nodes = {node("Op", {"a"}, {"r"})}}));
    return file({call("F0", {"x"}, {"y"})}, functions);
  };
  CHECK(read(chain(6)).graph.nodes.size() == 64);
  CHECK_THAT(read_error(chain(40)), ContainsSubstring("function calls make the graph too large"));
  CHECK_THAT(read_error(chain(70)), ContainsSubstring("nest more than 64 deep"));
}
