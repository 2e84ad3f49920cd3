#include "graph/graph.hpp"

#include <catch2/catch_amalgamated.hpp>

using namespace kinglet;

namespace {

Node make_node(std::string op, std::vector<ValueId> inputs, std::vector<ValueId> outputs) {
  Node n;
  n.name = op + "_n";
  n.op_type = std::move(op);
  n.own_inputs = inputs.size();
  n.inputs = std::move(inputs);
  n.outputs = std::move(outputs);
  return n;
}

/// Values v0 to v(count-1); v0 is the input.
Graph graph_of(size_t count) {
  Graph g;
  g.name = "g";
  for (size_t i = 0; i < count; ++i) g.add_value(text("v{}", i));
  g.inputs = {0};
  return g;
}

std::string order(const Graph& g) {
  std::string out;
  for (const Node& n : g.nodes) out += n.op_type;
  return out;
}

}  // namespace

TEST_CASE("values, constants and symbols", "[graph]") {
  Graph g;
  const ValueId x = g.add_value("x", DType::kFloat32, SymShape({g.symbol("n"), Dim(3)}));
  const ValueId w = g.add_constant("w", Tensor::scalar(int64_t{5}));
  CHECK(g.value(x).name == "x");
  CHECK_FALSE(g.is_constant(x));
  CHECK(g.is_constant(w));
  CHECK_FALSE(g.is_constant(kNoValue));
  CHECK(g.value(w).dtype == DType::kInt64);
  CHECK(g.value(w).shape.is_concrete());
  CHECK(g.symbol("n").same(g.value(x).shape[0]));
  CHECK_FALSE(g.symbol("m").same(g.symbol("n")));
  CHECK(*g.symbols == std::vector<std::string>{"n", "m"});
}

TEST_CASE("attributes are added, replaced and erased", "[graph]") {
  Node n;
  n.set_int("axis", 1);
  n.set_ints("pads", {1, 2});
  n.set_floats("scales", {0.5f});
  n.set_string("mode", "linear");
  n.set_int("axis", 2);
  CHECK(n.attributes.size() == 4);
  CHECK(n.find("axis")->i == 2);
  CHECK(n.find("pads")->ints == std::vector<int64_t>{1, 2});
  CHECK(n.find("scales")->kind == Attribute::Kind::kFloats);
  CHECK(n.find("mode")->s == "linear");
  n.set_string("axis", "now text");
  CHECK(n.find("axis")->kind == Attribute::Kind::kString);
  n.erase("axis");
  CHECK(n.find("axis") == nullptr);
  n.erase("axis");
  CHECK(n.attributes.size() == 3);
}

TEST_CASE("producers and uses", "[graph]") {
  Graph g = graph_of(4);
  g.nodes = {make_node("A", {0, kNoValue}, {1, kNoValue}), make_node("B", {1, 1}, {2})};
  g.outputs = {2, 1};
  CHECK(g.producers() == std::vector<int32_t>{-1, 0, 1, -1});
  CHECK(g.use_counts() == std::vector<uint32_t>{1, 3, 1, 0});
  CHECK(g.is_output(2));
  CHECK_FALSE(g.is_output(0));
  g.replace_uses(1, 0);
  CHECK(g.nodes[1].inputs == std::vector<ValueId>{0, 0});
  CHECK(g.outputs == std::vector<ValueId>{2, 0});
  CHECK(g.nodes[0].outputs[0] == 1);  // what makes it stays
}

TEST_CASE("sorting puts producers first and is stable", "[graph]") {
  Graph g = graph_of(6);
  SECTION("reversed") {
    g.nodes = {make_node("C", {2}, {3}), make_node("B", {1}, {2}), make_node("A", {0}, {1})};
    g.sort_topologically();
    CHECK(order(g) == "ABC");
  }
  SECTION("sorted already") {
    g.nodes = {make_node("A", {0}, {1}), make_node("B", {0}, {2}), make_node("C", {2, 1}, {3})};
    g.sort_topologically();
    CHECK(order(g) == "ABC");
  }
  SECTION("independent nodes keep their places") {
    g.nodes = {make_node("D", {3}, {4}), make_node("X", {0}, {1}), make_node("Y", {0}, {2}),
               make_node("Z", {0}, {3})};
    g.sort_topologically();
    CHECK(order(g) == "XYZD");
  }
  SECTION("a value used twice by one node") {
    g.nodes = {make_node("B", {1, 1}, {2}), make_node("A", {0}, {1})};
    g.sort_topologically();
    CHECK(order(g) == "AB");
  }
  SECTION("captured values count") {
    Node with_subgraph = make_node("If", {0}, {2});
    with_subgraph.inputs.push_back(1);
    g.nodes.push_back(std::move(with_subgraph));
    g.nodes.push_back(make_node("A", {0}, {1}));
    g.sort_topologically();
    CHECK(order(g) == "AIf");
  }
}

TEST_CASE("a cycle is an error that names a node", "[graph]") {
  Graph g = graph_of(4);
  g.nodes = {make_node("A", {0}, {1}), make_node("B", {3, 1}, {2}), make_node("C", {2}, {3})};
  try {
    g.sort_topologically();
    FAIL("nothing was thrown");
  } catch (const Error& e) {
    CHECK(e.code == ErrorCode::kModel);
    CHECK(e.message == "graph 'g' has a cycle through node 'B_n' (B)");
  }
}
