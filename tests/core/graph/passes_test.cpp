// Passes that fold constants into others, that choose algorithms, and how passes are left out.

#include "pass_cases.hpp"

using namespace kinglet;
using namespace kinglet::test;

TEST_CASE("fold_constants and the removal of nodes", "[passes]") {
  check({
      {"constants",
       {node("Add", {"a", "b"}, {"c"}), node("Mul", {"x", "c"}, {"y"})},
       {scalar("a", 1), kB},
       "Mul",
       {3, 4}},
      {"known shapes",
       {node("Shape", {"x"}, {"s"}), node("Gather", {"s", "i"}, {"d"}),
        node("Concat", {"d", "m"}, {"t"}, {int_attribute("axis", 0)}), node("Reshape", {"x", "t"}, {"y"})},
       {longs_tensor("i", {1}, {0}), longs_tensor("m", {1}, {-1})},
       "Reshape"},
      {"a shape that waits for the input",
       {node("Shape", {"x"}, {"s"}), node("ConstantOfShape", {"s"}, {"z"}), node("Add", {"x", "z"}, {"y"})},
       {},
       "Shape ConstantOfShape Add",
       {3, 4},
       {"y"},
       {"n", "4"}},
      {"identities",
       {node("Identity", {"x"}, {"a"}), node("Cast", {"a"}, {"b"}, {int_attribute("to", 1)}),
        node("Dropout", {"b"}, {"c"}), node("Relu", {"c"}, {"y"})},
       {},
       "Relu"},
      {"an identity that is an output",
       {node("Relu", {"x"}, {"r"}), node("Identity", {"r"}, {"y"})},
       {},
       "Relu Identity",
       {3}},
      {"what nobody reads",
       {node("Exp", {"x"}, {"a"}), node("Neg", {"a"}, {"b"}), node("Relu", {"x"}, {"y"})},
       {},
       "Relu",
       {3}},
      {"an optional output that nobody reads",
       {node("MaxPool", {"x"}, {"y", "i"}, {ints_attribute("kernel_shape", {2, 2})})},
       {},
       "MaxPool"},
  });
}

TEST_CASE("fold_affine_into_conv", "[passes]") {
  const Bytes c = floats("c", {4, 1, 1}, {2, 3, -1, 0.5f}), one = scalar("s", 3),
              full = floats("f", {1, 4, 1, 1}, {1, 2, 3, 4});
  const auto t = [](const std::string& op) { return "Transpose " + op + " Transpose"; };
  check({
      {"Mul", {conv("x", "a"), node("Mul", {"c", "a"}, {"y"})}, {kW, c}, t("Conv")},
      {"Div", {conv("x", "a"), node("Div", {"a", "c"}, {"y"})}, {kW, c}, t("Conv")},
      {"a chain with a bias",
       {conv("x", "a", "w", {"b"}), node("Mul", {"a", "f"}, {"m"}), node("Sub", {"m", "c"}, {"n"}),
        node("Add", {"s", "n"}, {"y"})},
       {kW, kB, c, one, full},
       t("Conv")},
      {"BatchNormalization",
       {conv("x", "a"),
        node("BatchNormalization", {"a", "b", "b", "b", "v"}, {"n"}, {float_attribute("epsilon", 0.1f)}),
        node("Relu", {"n"}, {"y"})},
       {kW, kB, floats("v", {4}, {1, 2, 3, 4})},
       t("Conv+Relu")},
      {"ConvTranspose",
       {node("ConvTranspose", {"x", "u", "d"}, {"a"}), node("Mul", {"a", "e"}, {"y"})},
       {weights_tensor("u", {4, 3, 2, 2}), floats("d", {3}, {1, 2, 3}), floats("e", {3, 1, 1}, {2, 0, -1})},
       t("ConvTranspose")},
      {"the constant over the convolution",
       {conv("x", "a"), node("Div", {"c", "a"}, {"y"})},
       {floats("w", {4, 4, 3, 3}, std::vector<float>(144, 0.0f)), c},
       t("Conv Div")},
      {"one value a column",
       {conv("x", "a"), node("Mul", {"a", "k"}, {"y"})},
       {kW, floats("k", {4}, {1, 2, 3, 4})},
       t("Conv Mul"),
       {2, 4, 5, 4}},
      {"one value a row",
       {conv("x", "a"), node("Mul", {"a", "k"}, {"y"})},
       {kW, floats("k", {4, 1}, {1, 2, 3, 4})},
       t("Conv Mul"),
       {2, 4, 4, 5}},
      {"one value a picture",
       {conv("x", "a"), node("Add", {"a", "k"}, {"y"})},
       {kW, floats("k", {4, 1, 1, 1}, {1, 2, 3, 4})},
       t("Conv Add"),
       {4, 4, 2, 3}},
      {"another reader",
       {conv("x", "a"), node("Mul", {"a", "c"}, {"y"})},
       {kW, c},
       "Transpose Conv Mul Transpose Transpose",
       {2, 4, 3, 3},
       {"a", "y"}},
      {"zero as divisor",
       {conv("x", "a"), node("Div", {"a", "k"}, {"d"}), node("Relu", {"x"}, {"y"})},
       {kW, floats("k", {4, 1, 1}, {1, 0, 1, 1})},
       "Relu"},
  });
}

TEST_CASE("passes can be left out by name", "[passes]") {
  const Bytes file = model_file({.graph = graph({.nodes = {conv("x", "a"), node("Relu", {"a"}, {"y"})},
                                                 .initializers = {kW},
                                                 .inputs = {value("x", 1, {"2", "4", "5", "6"})},
                                                 .outputs = {value("y")}}),
                                 .opsets = {{"", 17}}});
  const auto without = [&](const Strings& names) {
    return operators(Session::load(model_bytes(file), {.external_data = {}, .without_passes = names}).describe());
  };
  CHECK(without({}) == "Transpose Conv+Relu Transpose");
  CHECK(without({"fuse_activation"}) == "Transpose Conv Relu Transpose");
  CHECK(without({"channels_last", "fuse_activation"}) == "Conv Relu");
  const Error e = error_of([&] { without({"fuse_activation", "fuse_all"}); });
  CHECK(e.code == ErrorCode::kInvalidArgument);
  CHECK_THAT(e.message, Catch::Matchers::ContainsSubstring("'fuse_all'"));
}

TEST_CASE("choose_winograd and choose_strassen", "[passes]") {
  struct Choice {
    std::string label;
    Bytes weights, product;
    std::vector<int64_t> x;
    bool winograd, strassen;
  };
  const Bytes product = node("MatMul", {"x", "w"}, {"y"});
  for (const Choice& row : {
           Choice{"3x3", weights_tensor("w", {24, 16, 3, 3}), conv("x", "y"), {1, 16, 11, 13}, true, true},
           Choice{"few channels", weights_tensor("w", {4, 4, 3, 3}), conv("x", "y"), {1, 4, 11, 13}, false, true},
           Choice{"1x1", weights_tensor("w", {96, 256, 1, 1}), node("Conv", {"x", "w"}, {"y"}), {1, 256, 16, 16}, false, true},
           Choice{"a matrix", weights_tensor("w", {512, 256}), product, {288, 512}, false, true},
           Choice{"a sum", float_tensor("w", {1}, {1}), node("Add", {"x", "w"}, {"y"}), {3}, false, false},
       }) {
    INFO(row.label);
    Strings dims;
    for (const int64_t d : row.x) dims.push_back(std::to_string(d));
    const Bytes file = model_file({.graph = graph({.nodes = {row.product}, .initializers = {row.weights}, .inputs = {value("x", 1, dims)}, .outputs = {value("y")}}),
                                   .opsets = {{"", 17}}});
    const auto describes = [&](const std::string& mark) { return load(file).describe().find(mark + "=1") != std::string::npos; };
    CHECK(describes("winograd") == row.winograd);
    CHECK(describes("strassen") == row.strassen);
    run_both(file, {{"x", unlike_neighbours(row.x)}});
  }
  // A file that asks for it gets it only where it fits.
  const Bytes file = model_file({.graph = graph({.nodes = {node("Conv", {"x", "w"}, {"y"}, {int_attribute("winograd", 1), int_attribute("strassen", 1)})},
                                                 .initializers = {weights_tensor("w", {4, 4, 5, 5})},
                                                 .inputs = {value("x", 1, {"2", "4", "5", "6"})},
                                                 .outputs = {value("y")}}),
                                 .opsets = {{"", 17}}});
  Tensor x(DType::kFloat32, Shape({2, 4, 5, 6}));
  std::fill_n(x.data<float>(), x.count(), 0.5f);
  run_both(file, {{"x", x}});
}

TEST_CASE("weights that a node makes of a shape are packed at load", "[passes]") {
  const auto description = [](const Bytes& product) {
    const Bytes fill = node("ConstantOfShape", {"s"}, {"w"}, {tensor_attribute("value", float_tensor("v", {1}, {0.5f}))});
    const Bytes file = model_file({.graph = graph({.nodes = {fill, product}, .initializers = {longs_tensor("s", {2}, {256, 256})}, .inputs = {value("x", 1, {"256", "256"})}, .outputs = {value("y")}}),
                                   .opsets = {{"", 17}}});
    run_both(file, {{"x", unlike_neighbours({256, 256})}});
    return operators(load(file).describe());
  };
  CHECK(description(node("MatMul", {"x", "w"}, {"y"})) == "MatMul");
  CHECK(description(node("Add", {"x", "w"}, {"y"})) == "ConstantOfShape Add");
  CHECK(description(node("Gemm", {"x", "x", "w"}, {"y"})) == "ConstantOfShape Gemm");
  const Bytes huge = model_file({.graph = graph({.nodes = {node("ConstantOfShape", {"s"}, {"w"}), node("MatMul", {"x", "w"}, {"y"})}, .initializers = {longs_tensor("s", {2}, {int64_t{1} << 23, int64_t{1} << 23})}, .inputs = {value("x", 1, {"1", "n"})}, .outputs = {value("y")}}),
                                 .opsets = {{"", 17}}});
  CHECK_THAT(error_of([&] { load(huge); }).message, Catch::Matchers::ContainsSubstring("(ConstantOfShape): "));
}

TEST_CASE("choose_strassen leaves what is compared", "[passes]") {
  const Bytes w = weights_tensor("w", {512, 256}), v = weights_tensor("v", {256, 256});
  const auto plain = [&](const Strings& nodes) {
    const Bytes file = model_file({.graph = graph({.nodes = nodes, .initializers = {w, v}, .inputs = {value("x", 1, {"288", "512"})}, .outputs = {value("y")}}), .opsets = {{"", 17}}});
    const std::string description = load(file).describe();
    size_t count = 0;
    for (size_t at = 0; (at = description.find("strassen=1", at)) != std::string::npos; ++at) ++count;
    return count;
  };
  const Bytes first = node("MatMul", {"x", "w"}, {"a"}), relu = node("Relu", {"a"}, {"r"});
  CHECK(plain({first, relu, node("MatMul", {"r", "v"}, {"y"})}) == 2);
  CHECK(plain({first, relu, node("Softmax", {"r"}, {"y"})}) == 0);
  CHECK(plain({first, relu, node("ArgMax", {"r"}, {"y"})}) == 0);
  CHECK(plain({first, relu, node("MatMul", {"r", "v"}, {"b"}), node("Softmax", {"b"}, {"y"})}) == 1);
  // A subgraph's results are compared outside of it.
  const auto branch = [](const std::string& to) { return graph({.nodes = {node("MatMul", {"x", "w"}, {to})}, .outputs = {value(to)}}); };
  const Bytes any = node("ReduceMax", {"x"}, {"m"}, {int_attribute("keepdims", 0)}), positive = node("Cast", {"m"}, {"p"}, {int_attribute("to", 9)});
  const Bytes choice = node("If", {"p"}, {"i"}, {graph_attribute("then_branch", branch("t")), graph_attribute("else_branch", branch("e"))});
  CHECK(plain({any, positive, choice, node("Neg", {"i"}, {"y"})}) == 2);
  CHECK(plain({any, positive, choice, node("Softmax", {"i"}, {"y"})}) == 0);
}

TEST_CASE("weights of a subgraph that lie outside of it too are not scaled in place", "[passes]") {
  const Bytes k = floats("k", {4, 1, 1}, {2, 3, -1, 0.5f});
  const Bytes body = graph({.nodes = {conv("s", "a"), node("Mul", {"a", "k"}, {"s2"}), node("Identity", {"c"}, {"c2"})},
                            .inputs = {value("i", 7, {}), value("c", 9, {}), value("s", 1, {"1", "4", "5", "6"})},
                            .outputs = {value("c2"), value("s2")}});
  const Bytes file = model_file({.graph = graph({.nodes = {node("Loop", {"two", "", "x"}, {"l"}, {graph_attribute("body", body)}), conv("l", "y")},
                                                 .initializers = {kW, k, longs_tensor("two", {}, {2})},
                                                 .inputs = {value("x", 1, {"1", "4", "5", "6"})},
                                                 .outputs = {value("y")}}),
                                 .opsets = {{"", 17}}});
  run_both(file, {{"x", unlike_neighbours({1, 4, 5, 6})}});
}
