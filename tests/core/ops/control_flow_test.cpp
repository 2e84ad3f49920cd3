// If and Loop in whole sessions: captures, zero iterations, shapes that change, and what they refuse.

#include "runtime/models.hpp"

using namespace kinglet;
using namespace kinglet::test;
using Catch::Matchers::ContainsSubstring;

namespace {

const Bytes kX = value("x", 1, {"n"}), kTrips = value("m", 7, {}), kGo = value("go", 9, {});
const Tensor kInput = f32({3}, {1, -2, 3});

Bytes model(const Strings& nodes, const Strings& outputs, const Strings& inputs,
            const Strings& initializers = {}) {
  Strings values;
  for (const std::string& o : outputs) values.push_back(value(o));
  return model_file(
      {.graph = graph({.nodes = nodes, .initializers = initializers, .inputs = inputs, .outputs = values})});
}

Bytes branch(const Strings& nodes, const Strings& outputs, const Strings& initializers = {}) {
  Strings values;
  for (const std::string& o : outputs) values.push_back(value(o));
  return graph({.nodes = nodes, .initializers = initializers, .outputs = values, .name = "branch"});
}

Bytes if_node(const Bytes& then_branch, const Bytes& else_branch, const Strings& outputs = {"y"}) {
  return node("If", {"go"}, outputs,
              {graph_attribute("then_branch", then_branch), graph_attribute("else_branch", else_branch)},
              "if");
}

/// A body of (i, c, carried...) -> (condition, carried..., scanned...).
Bytes body(const Strings& nodes, const Strings& carried, const Strings& outputs,
           const Strings& initializers = {}) {
  GraphSpec spec{.nodes = nodes,
                 .initializers = initializers,
                 .inputs = {value("i", 7, {}), value("c", 9, {})},
                 .name = "body"};
  for (const std::string& name : carried) spec.inputs.push_back(value(name));
  for (const std::string& name : outputs) spec.outputs.push_back(value(name));
  return graph(spec);
}
Bytes loop_node(const Strings& inputs, const Strings& outputs, const Bytes& b) {
  return node("Loop", inputs, outputs, {graph_attribute("body", b)}, "loop");
}

Tensor trips(int64_t n) { return Tensor::scalar(n); }
Tensor go(bool b) { return Tensor::scalar(b); }

}  // namespace

TEST_CASE("If takes the branch that its condition says", "[op]") {
  const Bytes file =
      model({node("Relu", {"x"}, {"r"}),
             if_node(branch({node("Add", {"r", "w"}, {"t"}), node("Neg", {"t"}, {"t1"})}, {"t", "t1"}),
                     branch({node("Concat", {"x", "r"}, {"e"}, {int_attribute("axis", 0)}),
                             node("Identity", {"k"}, {"e1"})},
                            {"e", "e1"}, {float_tensor("k", {2}, {7, 8})}),
                     {"y", "z"})},
            {"y", "z"}, {kX, kGo}, {float_tensor("w", {1}, {10})});
  const auto on = run_both(file, {{"x", kInput}, {"go", go(true)}}),
             off = run_both(file, {{"x", kInput}, {"go", go(false)}});
  CHECK(difference(on[0], f32({3}, {11, 10, 13})) == "");
  CHECK(difference(on[1], f32({3}, {-11, -10, -13})) == "");
  CHECK(difference(off[0], f32({6}, {1, -2, 3, 1, 0, 3})) == "");
  CHECK(difference(off[1], f32({2}, {7, 8})) == "");
}

TEST_CASE("branches that hand out what they capture, and nested ones", "[op]") {
  const Bytes inner = if_node(branch({node("Mul", {"x", "a"}, {"p"})}, {"p"}),
                              branch({node("Sub", {"w", "a"}, {"q"})}, {"q"}), {"n"});
  const Bytes file =
      model({node("Abs", {"x"}, {"a"}),
             if_node(branch({node("Identity", {"x"}, {"t"})}, {"t"}),
                     branch({node("Neg", {"a"}, {"u"}), inner, node("Add", {"n", "u"}, {"e"})}, {"e"}))},
            {"y"}, {kX, kGo}, {float_tensor("w", {}, {100})});
  CHECK(difference(run_both(file, {{"x", kInput}, {"go", go(true)}})[0], kInput) == "");
  CHECK(difference(run_both(file, {{"x", kInput}, {"go", go(false)}})[0], f32({3}, {98, 96, 94})) == "");
}

TEST_CASE("convolutions in a branch, with captured weights and weights of its own", "[op]") {
  const Strings pads = {ints_attribute("pads", {1, 1})};
  const Bytes file =
      model({node("Conv", {"x", "w"}, {"c"}, pads),
             if_node(branch({node("Conv", {"c", "w"}, {"d"}, pads), node("Relu", {"d"}, {"t"})}, {"t"}),
                     branch({node("Conv", {"c", "v"}, {"d"}, pads), node("Add", {"d", "c"}, {"e"})}, {"e"},
                            {weights_tensor("v", {2, 2, 3})})),
             node("MatMul", {"y", "m"}, {"z"})},
            {"z", "y"}, {value("x", 1, {"1", "2", "5"}), kGo},
            {weights_tensor("w", {2, 2, 3}), weights_tensor("m", {5, 3})});
  const Tensor x = iota({1, 2, 5}, -2, 0.5f);
  const auto on = run_both(file, {{"x", x}, {"go", go(true)}}),
             off = run_both(file, {{"x", x}, {"go", go(false)}});
  CHECK(difference(on[1], off[1], 1e-3) != "");
}

TEST_CASE("Loop carries values and stacks what it scans", "[op]") {
  const Bytes file = model(
      {node("Neg", {"x"}, {"outer"}),
       loop_node(
           {"m", "go", "x"}, {"y", "s"},
           body({node("Add", {"v", "outer"}, {"w"}), node("Cast", {"i"}, {"f"}, {int_attribute("to", 1)}),
                 node("Mul", {"w", "f"}, {"scan"}), node("Identity", {"c"}, {"c1"})},
                {"v"}, {"c1", "w", "scan"}))},
      {"y", "s"}, {kX, kTrips, kGo});
  const auto three = run_both(file, {{"x", kInput}, {"m", trips(3)}, {"go", go(true)}});
  CHECK(difference(three[0], f32({3}, {-2, 4, -6})) == "");
  CHECK(difference(three[1], f32({3, 3}, {0, 0, 0, -1, 2, -3, -4, 8, -12})) == "");
  for (const auto& [m, condition] : {std::pair{trips(0), true}, {trips(-5), true}, {trips(4), false}}) {
    const auto none = run_both(file, {{"x", kInput}, {"m", m}, {"go", go(condition)}});
    CHECK(difference(none[0], kInput) == "");
    CHECK(none[1].dtype() == DType::kFloat32);
    CHECK(none[1].dim(0) == 0);
  }
}

TEST_CASE("a Loop that ends by its condition, and one whose value grows", "[op]") {
  const Bytes until =
      model({loop_node({"", "", "x"}, {"y", "n"},
                       body({node("Add", {"v", "v"}, {"w"}),
                             node("ReduceMax", {"w"}, {"top"}, {int_attribute("keepdims", 0)}),
                             node("Less", {"top", "limit"}, {"c1"}), node("Identity", {"i"}, {"n1"})},
                            {"v"}, {"c1", "w", "n1"}, {float_tensor("limit", {}, {20})}))},
            {"y", "n"}, {kX});
  const auto got = run_both(until, {{"x", kInput}});
  CHECK(difference(got[0], f32({3}, {8, -16, 24})) == "");
  CHECK(difference(got[1], i64({3}, {0, 1, 2})) == "");
  const Bytes grow = model({loop_node({"m", "", "x"}, {"y"},
                                      body({node("Concat", {"v", "x"}, {"w"}, {int_attribute("axis", 0)}),
                                            node("Identity", {"c"}, {"c1"})},
                                           {"v"}, {"c1", "w"})),
                            node("Shape", {"y"}, {"s"}), node("Relu", {"y"}, {"r"})},
                           {"r", "s"}, {kX, kTrips});
  for (const int64_t n : {0, 1, 11})
    CHECK(difference(run_both(grow, {{"x", kInput}, {"m", trips(n)}})[1], i64({1}, {3 + 3 * n})) == "");
}

TEST_CASE("carried values that trade places, and a body without steps", "[op]") {
  const Bytes swap = model({loop_node({"m", "", "x", "z"}, {"a", "b"},
                                      body({node("Identity", {"c"}, {"c1"})}, {"p", "q"}, {"c1", "q", "p"}))},
                           {"a", "b"}, {kX, value("z", 1, {"k"}), kTrips});
  const Tensor z = f32({2}, {5, 6});
  const auto odd = run_both(swap, {{"x", kInput}, {"z", z}, {"m", trips(3)}}),
             even = run_both(swap, {{"x", kInput}, {"z", z}, {"m", trips(2)}});
  CHECK(difference(odd[0], z) == "");
  CHECK(difference(odd[1], kInput) == "");
  CHECK(difference(even[0], kInput) == "");
}

TEST_CASE("an endless Loop is stopped by cancel, also without steps in its body", "[op]") {
  for (const Strings& nodes : {Strings{}, Strings{node("Neg", {"v"}, {"w"})}}) {
    Session s =
        load(model({loop_node({"", "", "x"}, {"y"}, body(nodes, {"v"}, {"c", nodes.empty() ? "v" : "w"}))},
                   {"y"}, {kX}));
    std::atomic<bool> cancel{true};
    const std::vector<Feed> feeds = {{"x", kInput}};
    CHECK(error_of([&] { s.run(feeds, {}, {.cancel = &cancel}); }).code == ErrorCode::kAborted);
  }
}

TEST_CASE("errors inside a body name the node there, and the session goes on", "[op]") {
  Session s = load(model({loop_node({"m", "", "x"}, {"y"},
                                    body({node("Gather", {"v", "i"}, {"g"}, {}, "inner"),
                                          node("Add", {"v", "g"}, {"w"}), node("Identity", {"c"}, {"c1"})},
                                         {"v"}, {"c1", "w"}))},
                         {"y"}, {kX, kTrips}));
  const Error e = error_of([&] { run(s, {{"x", kInput}, {"m", trips(5)}}); });
  CHECK(e.node == "inner");
  CHECK(difference(run(s, {{"x", kInput}, {"m", trips(1)}})[0], f32({3}, {2, -1, 4})) == "");
}

TEST_CASE("what If and Loop refuse", "[op]") {
  const Bytes fine = branch({node("Neg", {"x"}, {"t"})}, {"t"});
  struct Row {
    const char* label;
    Bytes file;
    ErrorCode code;
    const char* message;
    Tensor x = kInput;
  };
  const Bytes keep = body({node("Identity", {"c"}, {"c1"})}, {"v"}, {"c1", "v"});
  const std::vector<Row> rows = {
      {"types of the branches",
       model({if_node(fine, branch({node("Shape", {"x"}, {"e"})}, {"e"}))}, {"y"}, {kX, kGo}),
       ErrorCode::kModel, "branch"},
      {"outputs of a branch",
       model({if_node(fine, branch({node("Neg", {"x"}, {"a"}), node("Neg", {"a"}, {"b"})}, {"a", "b"}))},
             {"y"}, {kX, kGo}),
       ErrorCode::kModel, "outputs"},
      {"a branch with an input",
       model({if_node(graph({.nodes = {node("Neg", {"x"}, {"t"})},
                             .inputs = {value("q", 1, {"2"})},
                             .outputs = {value("t")}}),
                      fine)},
             {"y"}, {kX, kGo}),
       ErrorCode::kModel, "inputs"},
      {"a condition that is no bool", model({if_node(fine, fine)}, {"y"}, {kX, value("go", 1, {})}),
       ErrorCode::kModel, "condition"},
      {"a body with too few inputs",
       model({loop_node({"m", "go", "x", "x"}, {"y", "z"},
                        body({node("Identity", {"c"}, {"c1"}), node("Neg", {"v"}, {"w"})}, {"v"},
                             {"c1", "v", "w"}))},
             {"y"}, {kX, kTrips, kGo}),
       ErrorCode::kModel, "inputs"},
      {"fewer outputs than carried values",
       model({loop_node({"m", "go", "x", "x"}, {"y"}, body({}, {"v", "w"}, {"c", "v"}))}, {"y"},
             {kX, kTrips, kGo}),
       ErrorCode::kShape, "carried"},
      {"a trip count of floats", model({loop_node({"x", "go", "x"}, {"y"}, keep)}, {"y"}, {kX, kTrips, kGo}),
       ErrorCode::kModel, "int64"},
      {"no trip count in M",
       model({loop_node({"e", "go", "x"}, {"y"}, keep)}, {"y"}, {kX, kTrips, kGo},
             {longs_tensor("e", {0}, {})}),
       ErrorCode::kShape, "one element"},
      {"a body's condition of floats",
       model({loop_node({"m", "go", "x"}, {"y"}, body({node("Neg", {"v"}, {"w"})}, {"v"}, {"w", "v"}))},
             {"y"}, {kX, kTrips, kGo}),
       ErrorCode::kModel, "condition"},
      {"a scanned output that changes",
       model({loop_node({"m", "go", "x"}, {"y", "s"},
                        body({node("Concat", {"v", "v"}, {"w"}, {int_attribute("axis", 0)}),
                              node("Neg", {"w"}, {"o"}), node("Identity", {"c"}, {"c1"})},
                             {"v"}, {"c1", "w", "o"}))},
             {"s"}, {kX, kTrips, kGo}),
       ErrorCode::kShape, "changes"},
  };
  for (const Row& row : rows) {
    for (const bool optimize : {false, true}) {
      INFO(row.label);
      const Error e = error_of([&] {
        Session s = load(row.file, optimize);
        const bool condition_is_bool = s.inputs().back().type.dtype == DType::kBool;
        std::vector<Feed> feeds = {{"x", row.x}, {"go", condition_is_bool ? go(true) : f32({}, {1})}};
        if (s.inputs().size() == 3) feeds.push_back({"m", trips(2)});
        s.run(feeds);
      });
      CHECK(e.code == row.code);
      CHECK_THAT(e.message, ContainsSubstring(row.message));
    }
  }
}
