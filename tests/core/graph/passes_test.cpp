// Each pass: what a graph becomes, and that it computes the same as before.

#include "graph/inference.hpp"
#include "graph/passes/passes.hpp"
#include "runtime/models.hpp"

using namespace kinglet;
using namespace kinglet::test;

namespace {

struct Row {
  std::string label;
  Strings nodes;
  Strings initializers;
  std::string becomes;  ///< operators in order, fused activations after '+'
  std::vector<int64_t> x = {2, 4, 5, 6};
  Strings outputs = {"y"};
  Strings dims = {};  ///< declared for x; its shape when empty
};

/// "Transpose Conv+Relu Transpose" of describe()'s lines.
std::string operators(const std::string& description) {
  std::string out;
  size_t at = 0;
  while (at < description.size()) {
    const size_t end = description.find('\n', at);
    const std::string line = description.substr(at, end - at);
    const size_t begin = line.find(" = ") + 3;
    out += (out.empty() ? "" : " ") + line.substr(begin, line.find('(', begin) - begin);
    if (const size_t a = line.find("activation="); a != std::string::npos)
      out += "+" + line.substr(a + 11, line.find_first_of(",}", a) - a - 11);
    at = end + 1;
  }
  return out;
}

/// After a pass that says so, inference finds what was known before it.
void check_kept_shapes(const Bytes& file) {
  Graph graph = read(file).graph;
  resolve_operators(graph);
  infer_shapes(graph);
  for (const Pass& pass : all_passes()) {
    if (!pass.run(graph)) continue;
    const std::vector<Value> known = graph.values;
    infer_shapes(graph);
    if (!pass.keeps_shapes) continue;
    for (const Node& node : graph.nodes) {
      for (const ValueId id : node.outputs) {
        if (id == kNoValue) continue;
        const auto i = static_cast<size_t>(id);
        CAPTURE(pass.name, graph.values[i].name);
        CHECK(graph.values[i].dtype == known[i].dtype);
        std::string before, after;
        append_text(before, known[i].shape);
        append_text(after, graph.values[i].shape);
        CHECK(after == before);
      }
    }
  }
}

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    INFO(row.label);
    Strings outputs, dims = row.dims;
    for (const std::string& o : row.outputs) outputs.push_back(value(o));
    for (size_t i = 0; dims.size() < row.x.size(); ++i) dims.push_back(std::to_string(row.x[i]));
    const Bytes file = model_file({.graph = graph({.nodes = row.nodes,
                                                   .initializers = row.initializers,
                                                   .inputs = {value("x", 1, dims)},
                                                   .outputs = outputs}),
                                   .opsets = {{"", 17}, {"com.microsoft", 1}}});
    CHECK(operators(load(file).describe()) == row.becomes);
    check_kept_shapes(file);
    Tensor x(DType::kFloat32, Shape(row.x));
    for (size_t i = 0; i < x.count(); ++i) x.data<float>()[i] = static_cast<float>((i * 29 + 5) % 47) / 8 - 3;
    run_both(file, {{"x", x}});
  }
}

Bytes floats(const std::string& name, const std::vector<int64_t>& dims, const std::vector<float>& v) {
  return float_tensor(name, dims, v);
}
Bytes scalar(const std::string& name, float v) { return float_tensor(name, {}, {v}); }
Bytes conv(const std::string& in, const std::string& out, const std::string& w = "w",
           const Strings& more = {}) {
  Strings inputs = {in, w};
  inputs.insert(inputs.end(), more.begin(), more.end());
  return node("Conv", inputs, {out}, {ints_attribute("pads", {1, 1, 1, 1})});
}

const Bytes kW = weights_tensor("w", {4, 4, 3, 3});
const Bytes kB = floats("b", {4}, {1, -1, 2, 0.5f});

}  // namespace

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

TEST_CASE("gates, Gelu and layer normalisation written out", "[passes]") {
  const Strings six = {scalar("three", 3), scalar("zero", 0), scalar("six", 6), scalar("sixth", 1.0f / 6)};
  const Bytes add = node("Add", {"x", "three"}, {"a"}), clip = node("Clip", {"a", "zero", "six"}, {"k"});
  const Strings gelu = {scalar("root", 1.41421356f), scalar("one", 1), scalar("half", 0.5f),
                        floats("deep", {1, 1, 1, 1, 1}, {0.5f})};
  const Strings erf = {node("Div", {"x", "root"}, {"d"}), node("Erf", {"d"}, {"e"}),
                       node("Add", {"e", "one"}, {"g"})};
  const auto with = [](Strings a, const Strings& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  };
  const Strings norm = {node("ReduceMean", {"x"}, {"m"}, {ints_attribute("axes", {-1})}),
                        node("Sub", {"x", "m"}, {"d"}),
                        node("Pow", {"d", "two"}, {"q"}),
                        node("ReduceMean", {"q"}, {"v"}, {ints_attribute("axes", {-1})}),
                        node("Add", {"v", "eps"}, {"ve"}),
                        node("Sqrt", {"ve"}, {"sd"}),
                        node("Div", {"d", "sd"}, {"n"}),
                        node("Mul", {"n", "g"}, {"ng"}),
                        node("Add", {"ng", "b"}, {"y"})};
  const Strings parameters = {scalar("two", 2), scalar("eps", 1e-5f), floats("g", {4}, {1, 2, 3, 4}), kB};
  Strings deep = parameters;
  deep[1] = floats("eps", {1, 1, 1}, {1e-5f});
  check({
      {"Swish", {node("Sigmoid", {"x"}, {"s"}), node("Mul", {"s", "x"}, {"y"})}, {}, "Swish", {7}},
      {"the gate of another value",
       {node("Neg", {"x"}, {"n"}), node("Sigmoid", {"n"}, {"s"}), node("Mul", {"s", "x"}, {"y"})},
       {},
       "Neg Sigmoid Mul",
       {7}},
      {"HardSigmoid",
       {node("HardSigmoid", {"x"}, {"s"}, {float_attribute("alpha", 1.0f / 6)}),
        node("Mul", {"x", "s"}, {"y"})},
       {},
       "HardSwish",
       {7}},
      {"HardSigmoid of another slope",
       {node("HardSigmoid", {"x"}, {"s"}), node("Mul", {"x", "s"}, {"y"})},
       {},
       "HardSigmoid Mul",
       {7}},
      {"x * (Clip / 6)",
       {add, clip, node("Div", {"k", "six"}, {"s"}), node("Mul", {"x", "s"}, {"y"})},
       six,
       "HardSwish",
       {7}},
      {"(x * Clip) / 6",
       {add, clip, node("Mul", {"k", "x"}, {"s"}), node("Div", {"s", "six"}, {"y"})},
       six,
       "HardSwish",
       {7}},
      {"(x * Clip) * 1/6",
       {add, clip, node("Mul", {"x", "k"}, {"s"}), node("Mul", {"sixth", "s"}, {"y"})},
       six,
       "HardSwish",
       {7}},
      {"6 / (x * Clip)",
       {add, node("Clip", {"a", "three", "six"}, {"k"}), node("Exp", {"x"}, {"p"}),
        node("Mul", {"p", "k"}, {"s"}), node("Div", {"six", "s"}, {"y"})},
       six,
       "Add Clip Exp Mul Div",
       {7}},
      {"Gelu: x/2 * gate",
       with(erf, {node("Mul", {"x", "half"}, {"h"}), node("Mul", {"h", "g"}, {"y"})}),
       gelu,
       "Gelu",
       {3, 4}},
      {"Gelu: (x * gate) / 2",
       with(erf, {node("Mul", {"g", "x"}, {"h"}), node("Mul", {"half", "h"}, {"y"})}),
       gelu,
       "Gelu",
       {3, 4}},
      {"a factor that adds dims",
       with(erf, {node("Mul", {"g", "x"}, {"h"}), node("Mul", {"deep", "h"}, {"y"})}),
       gelu,
       "Div Erf Add Mul Mul",
       {3, 4}},
      {"LayerNormalization", norm, parameters, "LayerNormalization", {3, 4}},
      {"an epsilon that adds dims", norm, deep, "ReduceMean Sub Pow ReduceMean Add Sqrt Div Mul Add", {3, 4}},
      {"the deviation read elsewhere too",
       with(norm, {node("Relu", {"d"}, {"z"})}),
       parameters,
       "ReduceMean Sub LayerNormalization Relu",
       {3, 4},
       {"y", "z"}},
  });
}

TEST_CASE("fuse_matmul_bias and fuse_activation", "[passes]") {
  const Bytes w = weights_tensor("w", {4, 3}), b = floats("b", {3}, {1, -2, 3}),
              matmul = node("MatMul", {"x", "w"}, {"m"});
  check({
      {"a bias", {matmul, node("Add", {"b", "m"}, {"y"})}, {w, b}, "MatMul", {2, 4}},
      {"a bias and Relu",
       {matmul, node("Add", {"m", "b"}, {"a"}), node("Relu", {"a"}, {"y"})},
       {w, b},
       "MatMul+Relu",
       {2, 2, 4}},
      {"one value a row",
       {matmul, node("Add", {"m", "b"}, {"y"})},
       {w, floats("b", {2, 1}, {1, 2})},
       "MatMul Add",
       {2, 4}},
      {"a vector as right operand",
       {matmul, node("Add", {"m", "b"}, {"y"})},
       {floats("w", {4}, {1, 2, 3, 4}), b},
       "MatMul Add",
       {3, 4}},
      {"a product read twice",
       {matmul, node("Add", {"m", "b"}, {"y"})},
       {w, b},
       "MatMul Add",
       {2, 4},
       {"y", "m"}},
      {"Clip",
       {matmul, node("Clip", {"m", "lo", "hi"}, {"y"})},
       {w, scalar("lo", -1), scalar("hi", 2)},
       "MatMul+Clip",
       {2, 4}},
      {"Clip without a lower bound",
       {matmul, node("Clip", {"m", "", "hi"}, {"y"})},
       {w, scalar("hi", 0.5f)},
       "MatMul+Clip",
       {2, 4}},
      {"LeakyRelu",
       {node("Gemm", {"x", "w", "b"}, {"m"}),
        node("LeakyRelu", {"m"}, {"y"}, {float_attribute("alpha", 0.3f)})},
       {w, b},
       "Gemm+LeakyRelu",
       {2, 4}},
      {"Tanh", {matmul, node("Tanh", {"m"}, {"y"})}, {w}, "MatMul+Tanh", {2, 4}},
      {"two activations",
       {matmul, node("Relu", {"m"}, {"r"}), node("Sigmoid", {"r"}, {"y"})},
       {w},
       "MatMul+Relu Sigmoid",
       {2, 4}},
      {"Elu and HardSigmoid",
       {conv("x", "a"), node("Elu", {"a"}, {"e"}, {float_attribute("alpha", 0.5f)}), conv("e", "c"),
        node("HardSigmoid", {"c"}, {"y"})},
       {kW},
       "Transpose Conv+Elu Conv+HardSigmoid Transpose"},
      {"an affine after HardSwish",
       {conv("x", "a"), node("Div", {"a", "one"}, {"q"}),
        node("HardSigmoid", {"q"}, {"s"}, {float_attribute("alpha", 1.0f / 6)}),
        node("Mul", {"q", "s"}, {"h"}), node("Mul", {"h", "two"}, {"m"}), node("Add", {"m", "one"}, {"y"})},
       {kW, scalar("one", 1), scalar("two", 2)},
       "Transpose Conv+HardSwish Transpose"},
      {"an affine that adds dims",
       {conv("x", "a"), node("HardSigmoid", {"a"}, {"s"}, {float_attribute("alpha", 1.0f / 6)}),
        node("Mul", {"a", "s"}, {"h"}), node("Mul", {"h", "two"}, {"y"})},
       {kW, floats("two", {1, 1, 1, 1, 1}, {2})},
       "Transpose Conv+HardSwish Transpose Mul"},
  });
}

TEST_CASE("fuse_residual", "[passes]") {
  check({
      {"a shortcut",
       {conv("x", "a"), node("Relu", {"a"}, {"r"}), conv("r", "b2"), node("Add", {"b2", "r"}, {"s"}),
        node("Relu", {"s"}, {"y"})},
       {kW},
       "Transpose Conv+Relu Conv+Relu Transpose"},
      {"two convolutions",
       {conv("x", "a"), conv("x", "c", "u"), node("Add", {"a", "c"}, {"y"})},
       {kW, weights_tensor("u", {4, 4, 3, 3}, 0.5f)},
       "Transpose Conv Conv Transpose"},
      {"the other operand comes later",
       {conv("x", "a"), node("Sin", {"x"}, {"s"}), node("Add", {"a", "s"}, {"y"})},
       {kW},
       "Transpose Conv Sin Add Transpose"},
      {"broadcast",
       {conv("x", "a"), node("GlobalAveragePool", {"x"}, {"g"}), node("Add", {"a", "g"}, {"y"})},
       {kW},
       "Transpose Conv GlobalAveragePool Add Transpose"},
      {"a chain of Adds",
       {conv("x", "a"), conv("a", "c"), node("Add", {"a", "c"}, {"d"}), conv("d", "e"),
        node("Add", {"d", "e"}, {"y"})},
       {kW},
       "Transpose Conv Conv Conv Transpose"},
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
    Tensor x(DType::kFloat32, Shape(row.x));
    for (size_t i = 0; i < x.count(); ++i) x.data<float>()[i] = static_cast<float>((i * 29 + 5) % 47) / 8 - 3;
    run_both(file, {{"x", x}});
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

TEST_CASE("channels_last and merge_transposes", "[passes]") {
  const Bytes axes = longs_tensor("axes", {2}, {2, 3});

  check({
      {"Concat and Split",
       {conv("x", "a"), node("Split", {"a"}, {"l", "r"}, {int_attribute("axis", 1)}),
        node("Concat", {"r", "a", "l"}, {"c"}, {int_attribute("axis", -3)}), node("Conv", {"c", "u"}, {"y"})},
       {kW, weights_tensor("u", {3, 8, 1, 1})},
       "Transpose Conv Split Concat Conv Transpose"},
      {"Softmax and ReduceMean",
       {conv("x", "a"), node("Softmax", {"a"}, {"s"}, {int_attribute("axis", 1)}),
        node("ReduceMean", {"s"}, {"m"}, {ints_attribute("axes", {2, 3})}), node("Mul", {"a", "m"}, {"y"})},
       {kW, axes},
       "Transpose Conv Softmax ReduceMean Mul Transpose"},
      {"constants of every rank",
       {conv("x", "a"), node("Max", {"a", "s"}, {"p"}), node("Mul", {"p", "col"}, {"q"}),
        node("Pow", {"q", "two"}, {"r"}), node("Max", {"r", "c1"}, {"t"}), node("Max", {"t", "full"}, {"y"})},
       {kW, scalar("s", 0), floats("col", {6}, {1, 2, 3, 4, 5, 6}), scalar("two", 2),
        floats("c1", {4, 1, 1}, {1, 2, 3, 4}), weights_tensor("full", {2, 4, 5, 6})},
       "Transpose Conv Max Mul Pow Max Max Transpose"},
      {"an output in the middle",
       {conv("x", "a"), node("Relu", {"a"}, {"r"}), conv("r", "y")},
       {kW},
       "Transpose Conv+Relu Conv Transpose Transpose",
       {2, 4, 5, 6},
       {"y", "r"}},
      {"pooling",
       {conv("x", "a"), node("MaxPool", {"a"}, {"p"}, {ints_attribute("kernel_shape", {2, 2})}),
        node("AveragePool", {"p"}, {"q"}, {ints_attribute("kernel_shape", {2, 3})}),
        node("GlobalMaxPool", {"q"}, {"g"}), node("Flatten", {"g"}, {"y"})},
       {kW},
       "Transpose Conv MaxPool AveragePool GlobalMaxPool Transpose Flatten"},
      {"Indices",
       {conv("x", "a"), node("MaxPool", {"a"}, {"y", "i"}, {ints_attribute("kernel_shape", {2, 2})})},
       {kW},
       "Transpose Conv Transpose MaxPool",
       {2, 4, 5, 6},
       {"y", "i"}},
      {"pooling alone",
       {node("MaxPool", {"x"}, {"y"}, {ints_attribute("kernel_shape", {2, 2})})},
       {},
       "MaxPool"},
      {"one dim",
       {node("Conv", {"x", "w"}, {"a"}), node("Relu", {"a"}, {"r"}), node("Conv", {"r", "w"}, {"y"})},
       {weights_tensor("w", {3, 3, 2})},
       "Transpose Conv+Relu Conv Transpose",
       {2, 3, 9}},
      {"three dims",
       {node("Conv", {"x", "w"}, {"a"}), node("ConvTranspose", {"a", "w"}, {"y"})},
       {weights_tensor("w", {2, 2, 2, 1, 3})},
       "Transpose Conv ConvTranspose Transpose",
       {1, 2, 4, 3, 5}},
      {"a reader that wants the first layout",
       {conv("x", "a"), node("Reshape", {"a", "flat"}, {"v"}), node("Relu", {"a"}, {"r"}),
        node("Flatten", {"r"}, {"y"})},
       {kW, longs_tensor("flat", {1}, {-1})},
       "Transpose Conv Transpose Reshape Relu Transpose Flatten",
       {2, 4, 5, 6},
       {"y", "v"}},
      {"sizes that are known at the run only",
       {conv("x", "a"), node("Sigmoid", {"a"}, {"s"}), node("Mul", {"a", "s"}, {"m"}), conv("m", "y")},
       {kW},
       "Transpose Conv+Swish Conv Transpose",
       {2, 4, 5, 6},
       {"y"},
       {"n", "4", "h", "w"}},
      {"transposes that cancel",
       {node("Transpose", {"x"}, {"a"}, {ints_attribute("perm", {0, 2, 3, 1})}),
        node("Transpose", {"a"}, {"b"}, {ints_attribute("perm", {0, 3, 1, 2})}), node("Relu", {"b"}, {"y"})},
       {},
       "Relu"},
      {"transposes that add up",
       {node("Transpose", {"x"}, {"a"}),
        node("Transpose", {"a"}, {"y"}, {ints_attribute("perm", {1, 0, 3, 2})})},
       {},
       "Transpose"},
      {"a transpose that is read twice",
       {node("Transpose", {"x"}, {"a"}, {ints_attribute("perm", {1, 0})}),
        node("Transpose", {"a"}, {"b"}, {ints_attribute("perm", {1, 0})}), node("Neg", {"b"}, {"y"}),
        node("Neg", {"a"}, {"z"})},
       {},
       "Transpose Neg Neg",
       {3, 4},
       {"y", "z"}},
      {"input Z of FusedConv",
       {conv("x", "a"), node("FusedConv", {"a", "w1", "", "a"}, {"y"},
                             {string_attribute("activation", "Relu")}, "", "com.microsoft")},
       {kW, weights_tensor("w1", {4, 4, 1, 1})},
       "Transpose Conv Transpose com.microsoft.FusedConv+Relu"},
  });
}

namespace {

/// Attention of x [2, 5, 8] with two heads; `scores` makes "s" of the product "p", `weights` "w" of "e".
Strings attention_nodes(const Strings& scores, const Strings& weights = {}, const std::string& end = "c",
                        const std::string& key = "k", const Strings& more = {}) {
  Strings nodes;
  const auto by_head = [&](const std::string& name, const std::vector<int64_t>& perm) {
    nodes.push_back(node("Reshape", {"x", "split"}, {name + "r"}));
    nodes.push_back(node("Transpose", {name + "r"}, {name}, {ints_attribute("perm", perm)}));
  };
  by_head("q", {0, 2, 1, 3});
  by_head("k", {0, 2, 3, 1});
  by_head("v", {0, 2, 1, 3});
  nodes.insert(nodes.end(), more.begin(), more.end());
  nodes.push_back(node("MatMul", {"q", key}, {"p"}));
  nodes.insert(nodes.end(), scores.begin(), scores.end());
  nodes.push_back(node("Softmax", {"s"}, {"e"}));
  nodes.insert(nodes.end(), weights.begin(), weights.end());
  nodes.push_back(node("MatMul", {weights.empty() ? "e" : "w", "v"}, {"c"}));
  if (end == "c") {
    nodes.push_back(node("Transpose", {"c"}, {"t"}, {ints_attribute("perm", {0, 2, 1, 3})}));
    nodes.push_back(node("Reshape", {"t", "join"}, {"y"}));
  } else {
    nodes.push_back(node("Neg", {"c"}, {"y"}));
  }
  return nodes;
}

}  // namespace

TEST_CASE("fuse_attention", "[passes]") {
  const auto split_as = [](const std::vector<int64_t>& v) { return longs_tensor("split", {4}, v); };
  const auto join_as = [](const std::vector<int64_t>& v) { return longs_tensor("join", {3}, v); };
  const Bytes split = split_as({0, 0, 2, 4}), join = join_as({0, 0, 8});
  const Bytes some = split_as({2, -1, 2, 4}), flat = join_as({2, -1, 8});
  const Bytes half = scalar("half", 0.5f), two = scalar("two", 2), low = scalar("low", -1e9f);
  const Bytes mask = floats("m", {1, 1, 1, 5}, {0, -1, -2, 0.5f, -1e9f});
  const Bytes hides = raw_tensor("h", 9, {5, 5}, bytes_of(std::vector<uint8_t>{
      0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0}));
  const Strings dims = {"batch", "rows", "8"};
  const std::vector<int64_t> x = {2, 5, 8};
  check({
      {"a scale alone", attention_nodes({node("Mul", {"p", "half"}, {"s"})}), {split, join, half},
       "Attention", x, {"y"}, dims},
      {"division and a mask", attention_nodes({node("Div", {"p", "two"}, {"d"}), node("Add", {"m", "d"},
       {"s"})}),
       {split, join, two, mask}, "Attention", x, {"y"}, dims},
      {"sizes that are computed", attention_nodes({node("Mul", {"half", "p"}, {"s"})}), {some, flat, half},
       "Attention",
       x, {"y"}, {"2", "rows", "8"}},
      {"replaced scores", attention_nodes({node("Where", {"h", "low", "p"}, {"s"})}), {split, join, low,
       hides},
       "Attention", x, {"y"}, dims},
      {"replaced and added",
       attention_nodes({node("Where", {"h", "low", "p"}, {"a"}), node("Add", {"a", "m"}, {"s"})}),
       {split, join, low, hides, mask}, "Attention", x, {"y"}, dims},
      {"a mask of one key", attention_nodes({node("Add", {"p", "half"}, {"s"})}),
       {split, join, floats("half", {1, 1}, {0.5f})}, "Attention", x, {"y"}, dims},
      {"weights without NaN",
       attention_nodes({node("Mul", {"p", "half"}, {"s"})},
                       {node("IsNaN", {"e"}, {"n"}), node("Where", {"n", "zero", "e"}, {"w"})}),
       {split, join, half, scalar("zero", 0)}, "Attention", x, {"y"}, dims},
      {"scaled keys",
       attention_nodes({node("Add", {"p", "m"}, {"s"})}, {}, "c", "k2", {node("Mul", {"k", "half"},
       {"k2"})}),
       {split, join, half, mask}, "Attention", x, {"y"}, dims},
      {"results by head", attention_nodes({node("Mul", {"p", "half"}, {"s"})}, {}, "y"), {split, half},
       "Reshape Transpose Attention Neg", x, {"y"}, dims},
      {"weights that are read too", attention_nodes({node("Mul", {"p", "half"}, {"s"})}), {split, join,
       half},
       "Reshape Transpose Reshape Transpose Reshape Transpose MatMul Mul Softmax MatMul Transpose Reshape",
       x, {"y", "e"},
       dims},
      {"a mask that is no stronger than scores", attention_nodes({node("Where", {"h", "half", "p"},
       {"s"})}),
       {split, join, half, hides},
       "Reshape Transpose Reshape Transpose Reshape Transpose MatMul Where Softmax MatMul Transpose Reshape",
       x, {"y"},
       dims},
      {"a mask that adds batches", attention_nodes({node("Add", {"p", "m"}, {"s"})}),
       {split, longs_tensor("join", {3}, {-1, 5, 8}), floats("m", {2, 1, 1, 1}, {1, 2})},
       "Reshape Transpose Reshape Transpose Reshape Transpose MatMul Add Softmax MatMul Transpose Reshape",
       {1, 5, 8}},
  });
}
