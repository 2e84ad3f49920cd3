// Session: what it tells of a model, what it refuses, and what it computes over several runs.

#include "runtime/models.hpp"

using namespace kinglet;
using namespace kinglet::test;
using Catch::Matchers::ContainsSubstring;

namespace {

/// y = x + z with x [n, 3] and z [n, 1].
Bytes add_model() {
  return model_file({.graph = graph({.nodes = {node("Add", {"x", "z"}, {"y"}, {}, "add"),
                                               node("Neg", {"y"}, {"w"}, {}, "neg")},
                                     .inputs = {value("x", 1, {"n", "3"}), value("z", 1, {"n", "1"})},
                                     .outputs = {value("y", 1, {"n", "3"}), value("w")}})});
}

Bytes simple(const Strings& nodes, const Strings& outputs, const Strings& x = {"2", "3"},
             const Strings& initializers = {}) {
  Strings values;
  for (const std::string& o : outputs) values.push_back(value(o));
  return model_file(
      {.graph = graph(
           {.nodes = nodes, .initializers = initializers, .inputs = {value("x", 1, x)}, .outputs = values})});
}

const Tensor kX = f32({2, 3}, {1, -2, 3, -4, 5, -6});

}  // namespace

TEST_CASE("a session describes its inputs and outputs", "[session]") {
  const Session s = load(add_model());
  REQUIRE(s.inputs().size() == 2);
  CHECK(s.inputs()[0].name == "x");
  CHECK(s.inputs()[0].type.dtype == DType::kFloat32);
  CHECK(s.inputs()[0].dims.at(0).name == "n");
  CHECK(s.inputs()[0].dims.at(0).value == -1);
  CHECK(s.inputs()[0].dims.at(1).value == 3);
  REQUIRE(s.outputs().size() == 2);
  // The file says nothing of w: it is inferred.
  CHECK(s.outputs()[1].type.dtype == DType::kFloat32);
  REQUIRE(s.outputs()[1].has_rank);
  CHECK(s.outputs()[1].dims.at(1).value == 3);
}

TEST_CASE("tensors that do not fit the inputs are refused, and the session stays usable", "[session]") {
  Session s = load(add_model());
  const Tensor x = f32({2, 3}, {1, 2, 3, 4, 5, 6}), z = f32({2, 1}, {10, 20});
  struct Row {
    const char* label;
    std::vector<Feed> feeds;
    ErrorCode code;
    std::string input, expected, actual, message;
  };
  const Row rows[] = {
      {"unknown name", {{"q", x}}, ErrorCode::kInvalidArgument, "", "", "", "'x', 'z'"},
      {"missing feed", {{"x", x}}, ErrorCode::kInvalidArgument, "", "", "", "'z'"},
      {"no tensor", {{"x", x}, {"z", Tensor()}}, ErrorCode::kInvalidArgument, "", "", "", "'z'"},
      {"type",
       {{"x", i64({2, 3}, {1, 2, 3, 4, 5, 6})}, {"z", z}},
       ErrorCode::kShape,
       "x",
       "float32[n,3]",
       "int64[2,3]",
       ""},
      {"rank",
       {{"x", f32({3}, {1, 2, 3})}, {"z", z}},
       ErrorCode::kShape,
       "x",
       "float32[n,3]",
       "float32[3]",
       ""},
      {"fixed dim",
       {{"x", f32({1, 2}, {1, 2})}, {"z", z}},
       ErrorCode::kShape,
       "x",
       "float32[n,3]",
       "float32[1,2]",
       ""},
      {"named dim",
       {{"x", x}, {"z", f32({1, 1}, {1})}},
       ErrorCode::kShape,
       "z",
       "float32[n,1]",
       "float32[1,1]",
       "'n' is 2"},
  };
  for (const Row& row : rows) {
    INFO(row.label);
    const Error e = error_of([&] { s.run(row.feeds); });
    CHECK(e.code == row.code);
    CHECK(e.input == row.input);
    CHECK(e.expected == row.expected);
    CHECK(e.actual == row.actual);
    CHECK_THAT(e.message, ContainsSubstring(row.message));
    CHECK(difference(run(s, {{"x", x}, {"z", z}})[0], f32({2, 3}, {11, 12, 13, 24, 25, 26})) == "");
  }
}

TEST_CASE("wanted outputs come in the order they are named", "[session]") {
  Session s = load(add_model());
  const std::vector<Feed> feeds = {{"x", f32({1, 3}, {1, 2, 3})}, {"z", f32({1, 1}, {1})}};
  const std::vector<Tensor> got = run(s, feeds, {"w", "y", "w"});
  REQUIRE(got.size() == 3);
  CHECK(difference(got[0], f32({1, 3}, {-2, -3, -4})) == "");
  CHECK(difference(got[1], f32({1, 3}, {2, 3, 4})) == "");
  CHECK(difference(got[2], got[0]) == "");
  const Error e = error_of([&] { run(s, feeds, {"nothing"}); });
  CHECK(e.code == ErrorCode::kInvalidArgument);
  CHECK_THAT(e.message, ContainsSubstring("'y', 'w'"));
}

TEST_CASE("more shapes than plans are kept, each run right", "[session]") {
  Session s = load(
      simple({node("MatMul", {"x", "w"}, {"m"}), node("Relu", {"m"}, {"r"}), node("Add", {"r", "m"}, {"y"})},
             {"y"}, {"n", "3"}, {float_tensor("w", {3, 2}, {1, 0, 0, 1, 1, 1})}));
  size_t after_first_round = 0;
  for (int round = 0; round < 3; ++round) {
    for (const int64_t n : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 11}) {
      const Tensor x = iota({n, 3}, -4, 1);
      const Tensor y = run(s, {{"x", x}})[0];
      REQUIRE(y.shape() == Shape{n, 2});
      for (int64_t i = 0; i < n; ++i) {
        const float* row = x.data<float>() + 3 * i;
        for (int64_t j = 0; j < 2; ++j) {
          const float m = row[j] + row[2];
          CHECK(y.data<float>()[2 * i + j] == m + std::max(0.0f, m));
        }
      }
    }
    if (round == 0) after_first_round = s.memory().activations;
    CHECK(s.memory().activations == after_first_round);
  }
}

TEST_CASE("an operator's error names it, and the next run is right", "[session]") {
  Session s = load(model_file(
      {.graph = graph({.nodes = {node("Relu", {"x"}, {"r"}), node("Gather", {"r", "i"}, {"y"}, {}, "pick")},
                       .inputs = {value("x", 1, {"3"}), value("i", 7, {"k"})},
                       .outputs = {value("y")}})}));
  const Tensor x = f32({3}, {1, -2, 3});
  for (int round = 0; round < 3; ++round) {
    const Error e = error_of([&] { s.run(std::vector<Feed>{{"x", x}, {"i", i64({2}, {0, 7})}}); });
    CHECK(e.node == "pick");
    CHECK(e.op == "Gather");
    CHECK_THAT(e.message, ContainsSubstring("float32[3], int64[2]"));
    CHECK(difference(run(s, {{"x", x}, {"i", i64({2}, {2, 1})}})[0], f32({2}, {3, 0})) == "");
  }
}

TEST_CASE("a run can be cancelled and profiled", "[session]") {
  Session s = load(add_model(), false);
  const std::vector<Feed> feeds = {{"x", f32({1, 3}, {1, 2, 3})}, {"z", f32({1, 1}, {1})}};
  std::atomic<bool> cancel{true};
  CHECK(error_of([&] { s.run(feeds, {}, {.cancel = &cancel}); }).code == ErrorCode::kAborted);
  cancel = false;
  std::vector<NodeTime> profile;
  s.run(feeds, {}, {.cancel = &cancel, .profile = &profile});
  REQUIRE(profile.size() == 2);
  CHECK(profile[0].node == "add");
  CHECK(profile[1].op == "Neg");
  CHECK(profile[0].milliseconds >= 0);
  CHECK(profile[1].outputs == std::vector<Shape>{Shape({1, 3})});
}

TEST_CASE("inputs and constants can be outputs; outputs can be used inside", "[session]") {
  const auto got =
      run_both(simple({node("Relu", {"x"}, {"r"}), node("Neg", {"r"}, {"y"}), node("Identity", {"c"}, {"k"}),
                       node("Identity", {"x"}, {"same"})},
                      {"r", "y", "k", "x", "c", "same"}, {"2", "3"}, {float_tensor("c", {2}, {7, 8})}),
               {{"x", kX}});
  CHECK(difference(got[0], f32({2, 3}, {1, 0, 3, 0, 5, 0})) == "");
  CHECK(difference(got[1], f32({2, 3}, {-1, 0, -3, 0, -5, 0})) == "");
  CHECK(difference(got[2], f32({2}, {7, 8})) == "");
  CHECK(difference(got[3], kX) == "");
  CHECK(difference(got[4], f32({2}, {7, 8})) == "");
  CHECK(difference(got[5], kX) == "");
}

TEST_CASE("in-place operators leave alone what is still read", "[session]") {
  struct Row {
    const char* label;
    Strings nodes;
    Tensor want;
  };
  const Row rows[] = {
      {"diamond",
       {node("Neg", {"x"}, {"a"}), node("Relu", {"a"}, {"b"}), node("Abs", {"a"}, {"c"}),
        node("Sub", {"b", "c"}, {"d"}), node("Add", {"d", "a"}, {"y"})},
       f32({2, 3}, {-2, 2, -6, 4, -10, 6})},
      {"the caller's tensor",
       {node("Neg", {"x"}, {"a"}), node("Relu", {"x"}, {"b"}), node("Add", {"a", "b"}, {"c"}),
        node("Sub", {"c", "x"}, {"y"})},
       f32({2, 3}, {-1, 4, -3, 8, -5, 12})},
      {"a view that is read later",
       {node("Neg", {"x"}, {"a"}), node("Reshape", {"a", "flat"}, {"v"}), node("Relu", {"a"}, {"b"}),
        node("Reshape", {"v", "rows"}, {"w"}), node("Sub", {"b", "w"}, {"y"})},
       f32({2, 3}, {1, 0, 3, 0, 5, 0})},
      {"views of views written over",
       {node("Neg", {"x"}, {"a"}), node("Reshape", {"a", "flat"}, {"v"}),
        node("Reshape", {"v", "rows"}, {"w"}), node("Relu", {"w"}, {"b"}), node("Neg", {"a"}, {"n"}),
        node("Add", {"b", "n"}, {"y"})},
       f32({2, 3}, {1, 0, 3, 0, 5, 0})},
      {"both operands one value",
       {node("Neg", {"x"}, {"a"}), node("Mul", {"a", "a"}, {"b"}), node("Add", {"b", "a"}, {"y"})},
       f32({2, 3}, {0, 6, 6, 20, 20, 42})},
  };
  for (const Row& row : rows) {
    INFO(row.label);
    const Bytes file = simple(row.nodes, {"y"}, {"2", "3"},
                              {longs_tensor("flat", {1}, {-1}), longs_tensor("rows", {2}, {2, 3})});
    CHECK(difference(run_both(file, {{"x", kX}})[0], row.want) == "");
  }
}

TEST_CASE("a view sized at run time keeps its input's memory", "[session]") {
  // `shape` is an input, so that the Reshape is sized when it runs; the Negs and Exps would take its memory.
  const Bytes file =
      model_file({.graph = graph({.nodes = {node("Neg", {"x"}, {"a"}), node("Reshape", {"a", "shape"}, {"v"}),
                                            node("Abs", {"x"}, {"b"}), node("Exp", {"b"}, {"c"}),
                                            node("MatMul", {"c", "w"}, {"d"}), node("Flatten", {"v"}, {"f"}),
                                            node("ReduceSum", {"d"}, {"e"})},
                                  .initializers = {weights_tensor("w", {3, 3})},
                                  .inputs = {value("x", 1, {"2", "3"}), value("shape", 7, {"k"})},
                                  .outputs = {value("f"), value("e")}})});
  CHECK(difference(run_both(file, {{"x", kX}, {"shape", i64({3}, {3, 2, 1})}})[0],
                   f32({3, 2}, {-1, 2, -3, 4, -5, 6})) == "");
}

TEST_CASE("shapes that depend on data", "[session]") {
  const Bytes file =
      simple({node("NonZero", {"x"}, {"i"}), node("Transpose", {"i"}, {"t"}),
              node("GatherND", {"x", "t"}, {"g"}), node("Mul", {"g", "g"}, {"q"}),
              node("Shape", {"q"}, {"s"}), node("ReduceSum", {"q"}, {"y"}, {int_attribute("keepdims", 0)})},
             {"q", "s", "y"});
  Session s = load(file);
  for (const auto& [x, q] : {std::pair{f32({2, 3}, {0, 2, 0, 3, 0, 0}), f32({2}, {4, 9})},
                             {f32({2, 3}, {0, 0, 0, 0, 0, 0}), f32({0}, {})},
                             {kX, f32({6}, {1, 4, 9, 16, 25, 36})}}) {
    const std::vector<Tensor> got = run(s, {{"x", x}});
    CHECK(difference(got[0], q) == "");
    CHECK(difference(got[1], i64({1}, {q.dim(0)})) == "");
    run_both(file, {{"x", x}});
  }
}

TEST_CASE("empty tensors and strings pass through", "[session]") {
  const auto empty = run_both(
      simple({node("Relu", {"x"}, {"r"}), node("MatMul", {"r", "w"}, {"y"}), node("Transpose", {"x"}, {"t"})},
             {"y", "t"}, {"n", "3"}, {weights_tensor("w", {3, 2})}),
      {{"x", Tensor(DType::kFloat32, {0, 3})}});
  CHECK(empty[0].shape() == Shape{0, 2});
  CHECK(empty[1].shape() == Shape{3, 0});
  const Bytes words = model_file(
      {.graph = graph({.nodes = {node("Concat", {"a", "a"}, {"c"}, {int_attribute("axis", 0)}),
                                 node("Reshape", {"c", "s"}, {"r"}), node("Transpose", {"r"}, {"y"})},
                       .initializers = {longs_tensor("s", {2}, {2, -1})},
                       .inputs = {value("a", 8, {"n"})},
                       .outputs = {value("y"), value("c")}})});
  const auto got =
      run_both(words, {{"a", strings({2}, {"one", "a longer string that does not fit inside"})}});
  CHECK(difference(got[0], strings({2, 2}, {"one", "one", "a longer string that does not fit inside",
                                            "a longer string that does not fit inside"})) == "");
}

TEST_CASE("weights are kept once, packed", "[session]") {
  constexpr size_t kBytes = 256 * 256 * sizeof(float);
  Session s = load(simple({node("MatMul", {"x", "w"}, {"m"}), node("Add", {"m", "b"}, {"y"})}, {"y"},
                          {"n", "256"}, {weights_tensor("w", {256, 256}), weights_tensor("b", {256})}));
  CHECK(s.memory().weights >= kBytes);
  CHECK(s.memory().weights < kBytes + 8192);
  CHECK(s.memory().activations == 0);
  run(s, {{"x", iota({4, 256}, 0, 0.01f)}});
  CHECK(s.memory().activations >= 4 * 256 * sizeof(float));
  CHECK(s.memory().total() == s.memory().weights + s.memory().activations);
}

TEST_CASE("weights that several nodes share stay what they are for each", "[session]") {
  std::vector<float> values(64 * 64);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>((i * 37 + 11) % 23) / 16 - 0.7f;
  const Tensor x = iota({3, 64}, -1, 0.02f);
  /// x times the weights, or their transpose.
  const auto product = [&](bool transposed) {
    Tensor y(DType::kFloat32, {3, 64});
    for (size_t r = 0; r < 3; ++r) {
      for (size_t c = 0; c < 64; ++c) {
        double sum = 0;
        for (size_t k = 0; k < 64; ++k) {
          const double weight = values[transposed ? c * 64 + k : k * 64 + c];
          sum += x.data<float>()[r * 64 + k] * weight;
        }
        y.data<float>()[r * 64 + c] = static_cast<float>(sum);
      }
    }
    return y;
  };
  const Bytes w = float_tensor("w", {64, 64}, values);
  const Bytes by_rows = node("MatMul", {"x", "w"}, {"y"});
  const Bytes by_columns = node("Gemm", {"x", "w"}, {"z"}, {int_attribute("transB", 1)});
  for (const bool optimize : {false, true}) {
    for (const Strings& nodes : {Strings{by_rows, by_columns}, Strings{by_columns, by_rows}}) {
      Session s = load(simple(nodes, {"y", "z", "w"}, {"3", "64"}, {w}), optimize);
      for (int i = 0; i < 2; ++i) {
        const std::vector<Tensor> got = run(s, {{"x", x}});
        CHECK(difference(got[0], product(false), 1e-4) == "");
        CHECK(difference(got[1], product(true), 1e-4) == "");
        CHECK(difference(got[2], Tensor::from<float>({64, 64}, values), 0) == "");
      }
      Session packed = load(simple(nodes, {"y", "z"}, {"3", "64"}, {w}), optimize);
      const std::vector<Tensor> got = run(packed, {{"x", x}});
      CHECK(difference(got[0], product(false), 1e-4) == "");
      CHECK(difference(got[1], product(true), 1e-4) == "");
    }
  }
}

TEST_CASE("weights packed where they lie compute what those packed elsewhere do", "[session]") {
  struct Row {
    std::string label;
    Bytes node;
    std::vector<int64_t> x, w;
  };
  const Bytes pads = ints_attribute("pads", {1, 1, 1, 1});
  for (const Row& row : std::initializer_list<Row>{
           {"matrix in several blocks", node("MatMul", {"x", "w"}, {"y"}), {3, 800}, {800, 24}},
           {"3x3 convolution", node("Conv", {"x", "w"}, {"y"}, {pads}), {1, 16, 9, 11}, {24, 16, 3, 3}},
           {"3x3 of odd channels", node("Conv", {"x", "w"}, {"y"}, {pads}), {1, 17, 9, 11}, {19, 17, 3, 3}},
           {"3x3 of 2x2 tiles", node("Conv", {"x", "w"}, {"y"}, {pads}), {1, 160, 5, 4}, {128, 160, 3, 3}},
           {"1x1 convolution", node("Conv", {"x", "w"}, {"y"}), {1, 400, 3, 5}, {16, 400, 1, 1}},
       }) {
    INFO(row.label);
    Strings dims;
    for (const int64_t d : row.x) dims.push_back(std::to_string(d));
    const Strings weights = {weights_tensor("w", row.w)};
    // As an output too, the weights are needed as they are.
    Session in_place = load(simple({row.node}, {"y"}, dims, weights));
    Session elsewhere = load(simple({row.node}, {"y", "w"}, dims, weights));
    CHECK(in_place.memory().weights < elsewhere.memory().weights);
    const Tensor x = iota(Shape(row.x), -1, 0.001f);
    CHECK(difference(run(in_place, {{"x", x}})[0], run(elsewhere, {{"x", x}})[0], 0) == "");
  }
}

TEST_CASE("operands of different types are refused as the model's fault", "[session]") {
  for (const auto& [op, b] : {std::pair{"MatMul", longs_tensor("b", {3, 2}, {1, 2, 3, 4, 5, 6})},
                              {"Gemm", raw_tensor("b", 11, {3, 2}, Bytes(48, '\0'))},
                              {"Conv", raw_tensor("b", 11, {2, 3}, Bytes(48, '\0'))}}) {
    INFO(op);
    CHECK(error_of([&, op = op, b = b] {
            load(simple({node(op, {"x", "b"}, {"y"})}, {"y"}, {"2", "3"}, {b}));
          }).code == ErrorCode::kModel);
  }
}
