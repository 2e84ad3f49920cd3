// Shape inference over whole graphs: names of dims, shape arithmetic, subgraphs, and the evaluation of single
// nodes.

#include "graph/inference.hpp"

#include "graph/evaluate.hpp"
#include "model/onnx_writer.hpp"
#include "runtime/models.hpp"

using namespace kinglet;
using namespace kinglet::test;
using Catch::Matchers::ContainsSubstring;

namespace {

Graph inferred(const GraphSpec& spec) {
  Model m = read(model_file({.graph = graph(spec)}));
  resolve_operators(m.graph);
  infer_shapes(m.graph);
  return std::move(m.graph);
}

std::string type_of(const Graph& g, std::string_view name) {
  const ValueId id = find_value(g, name);
  REQUIRE(id != kNoValue);
  return text("{}{}", g.value(id).dtype, g.value(id).shape);
}

Dim dim_of(const Graph& g, std::string_view name, size_t i) { return g.value(find_value(g, name)).shape[i]; }

}  // namespace

TEST_CASE("names of dims go through shape arithmetic", "[inference]") {
  Graph g = inferred({.nodes = {node("Shape", {"x"}, {"s"}), node("Gather", {"s", "zero"}, {"n"}),
                                node("Unsqueeze", {"n", "axes"}, {"u"}),
                                node("Concat", {"u", "rest"}, {"t"}, {int_attribute("axis", 0)}),
                                node("Reshape", {"x", "t"}, {"r"}), node("Transpose", {"r"}, {"p"}),
                                node("MatMul", {"r", "w"}, {"y"})},
                      .initializers = {longs_tensor("zero", {}, {0}), longs_tensor("axes", {1}, {0}),
                                       longs_tensor("rest", {1}, {12}), weights_tensor("w", {12, 5})},
                      .inputs = {value("x", 1, {"batch", "3", "4"})},
                      .outputs = {value("y"), value("p")}});
  const Dim batch = g.symbol("batch");
  CHECK(dim_of(g, "y", 0).same(batch));
  CHECK(dim_of(g, "y", 1).same(5));
  CHECK(dim_of(g, "p", 1).same(batch));
  CHECK(type_of(g, "s") == "int64[3]");
}

TEST_CASE("inference writes into subgraphs, from what they capture", "[inference]") {
  const Bytes then_branch = graph(
      {.nodes = {node("Concat", {"r", "r"}, {"t"}, {int_attribute("axis", 1)})}, .outputs = {value("t")}});
  const Bytes else_branch = graph({.nodes = {node("Flatten", {"r"}, {"e"})}, .outputs = {value("e")}});
  Graph g =
      inferred({.nodes = {node("Relu", {"x"}, {"r"}), node("If", {"c"}, {"y"},
                                                           {graph_attribute("then_branch", then_branch),
                                                            graph_attribute("else_branch", else_branch)})},
                .inputs = {value("x", 1, {"2", "3"}), value("c", 9, {})},
                .outputs = {value("y")}});
  const Node& n = g.nodes[1];
  CHECK(type_of(*n.subgraphs[0], "t") == "float32[2,6]");
  CHECK(type_of(*n.subgraphs[1], "e") == "float32[2,3]");
  CHECK(dim_of(g, "y", 0).same(2));
  CHECK_FALSE(dim_of(g, "y", 1).known());
}

TEST_CASE("an error of inference names the node and its operator", "[inference]") {
  const Error e = error_of([] {
    inferred({.nodes = {node("MatMul", {"x", "x"}, {"y"}, {}, "bad")},
              .inputs = {value("x", 1, {"2", "3"})},
              .outputs = {value("y")}});
  });
  CHECK(e.node == "bad");
  CHECK(e.op == "MatMul");
  CHECK_THAT(e.message, ContainsSubstring("bad (MatMul): "));
}

TEST_CASE("all operators that are missing are told at once", "[inference]") {
  const Error e = error_of([] {
    inferred({.nodes = {node("NoSuch", {"x"}, {"a"}, {}, "first"), node("NoSuch", {"a"}, {"b"}, {}, "second"),
                        node("Other", {"b"}, {"y"})},
              .inputs = {value("x", 1, {"2"})},
              .outputs = {value("y")}});
  });
  CHECK(e.code == ErrorCode::kUnsupportedOperator);
  REQUIRE(e.missing.size() == 2);
  CHECK(e.missing[0].op == "NoSuch");
  CHECK(e.missing[0].nodes == std::vector<std::string>{"first", "second"});
  CHECK(e.missing[1].op == "Other");
}

TEST_CASE("a node is evaluated when what it reads is known", "[inference]") {
  Graph g = inferred({.nodes = {node("Shape", {"x"}, {"s"}), node("Neg", {"x"}, {"y"}),
                                node("Add", {"k", "k"}, {"d"}), node("Dropout", {"f"}, {"q"})},
                      .initializers = {longs_tensor("k", {2}, {3, -4}), float_tensor("f", {1}, {1})},
                      .inputs = {value("x", 1, {"2", "5"})},
                      .outputs = {value("s"), value("y"), value("d"), value("q")}});
  std::vector<ops::ValueInfo> infos;
  for (const Value& v : g.values) infos.push_back(info_of(v));
  for (const auto& [op, can] :
       {std::pair{"Shape", true}, {"Neg", false}, {"Add", true}, {"Dropout", false}}) {
    INFO(op);
    const auto at =
        std::find_if(g.nodes.begin(), g.nodes.end(), [op = op](const Node& n) { return n.op_type == op; });
    REQUIRE(at != g.nodes.end());
    std::vector<const ops::ValueInfo*> inputs;
    for (const ValueId id : at->inputs) inputs.push_back(&infos[static_cast<size_t>(id)]);
    CHECK(can_evaluate(*at, inputs) == can);
    if (!can) continue;
    const std::vector<Tensor> got = evaluate(*at, inputs, infer_node(*at, inputs));
    CHECK(difference(got[0], at->op_type == "Shape" ? i64({2}, {2, 5}) : i64({2}, {6, -8})) == "");
  }
}
