// expand_gradients: derivatives against differences of the function itself, in float64.

#include "runtime/models.hpp"

namespace kinglet::test {
namespace {

constexpr int kDouble = 11;

Bytes doubles(const std::string& name, const std::vector<int64_t>& dims, const std::vector<double>& values) {
  return raw_tensor(name, kDouble, dims, bytes_of(values));
}

Bytes gradient(const Strings& inputs, const Strings& outputs, const Strings& xs, const std::string& y, const Strings& zs = {}) {
  const auto strings = [](const std::string& name, const Strings& v) {
    return attribute(name, onnx::AttributeType::kStrings, [&](auto& w) {
      for (const std::string& s : v) w.add_string(pb::attribute::kStrings, s);
    });
  };
  return node("Gradient", inputs, outputs, {strings("xs", xs), strings("zs", zs), string_attribute("y", y)}, "", "ai.onnx.preview.training");
}

Bytes file_of(Strings nodes, const Strings& outputs, const Strings& constants = {}) {
  Strings wanted;
  for (const std::string& o : outputs) wanted.push_back(value(o));
  return model_file({.graph = graph({.nodes = std::move(nodes),
                                     .initializers = constants,
                                     .inputs = {value("x", kDouble, {"2", "3"}), value("w", kDouble, {"3"})},
                                     .outputs = wanted}),
                     .opsets = {{"", 17}, {"ai.onnx.preview.training", 1}}});
}

struct Row {
  std::string label;
  Strings nodes;  ///< make "y" of "x" and "w"
};

TEST_CASE("derivatives of each operator") {
  const Strings constants = {doubles("two", {}, {2}), doubles("m", {3, 2}, {1, -2, 0.5, 3, -1, 1}), longs_tensor("flat", {1}, {-1}),
                             longs_tensor("axis", {1}, {0}), longs_tensor("rows", {3}, {4, 2, 3}), doubles("low", {}, {-1}),
                             doubles("square", {3, 3}, {1, -1, 0.5, 2, 0.25, -0.5, 1, 1.5, -2}),
                             doubles("batch", {2, 3, 3}, {1, 0, -1, 2, 1, 0.5, 1, 3, -2, 0.5, 1, -1, 0, 2, 1, 1, -0.5, 0.25})};
  const Tensor x = f64({2, 3}, {0.5, -1.25, 2, 1.5, 0.75, -0.5}), w = f64({3}, {1.5, 0.25, 2});
  for (const Row& row : std::vector<Row>{
           {"Add", {node("Add", {"x", "w"}, {"y"})}},
           {"Sub", {node("Sub", {"w", "x"}, {"y"})}},
           {"Mul", {node("Mul", {"x", "w"}, {"y"})}},
           {"Div", {node("Div", {"x", "w"}, {"y"})}},
           {"Pow by a constant", {node("Pow", {"x", "two"}, {"y"})}},
           {"Pow", {node("Exp", {"x"}, {"a"}), node("Pow", {"a", "w"}, {"y"})}},
           {"Neg and Sum", {node("Neg", {"x"}, {"a"}), node("Sum", {"a", "w", "x", "w"}, {"y"})}},
           {"Log and Sqrt", {node("Log", {"w"}, {"a"}), node("Sqrt", {"w"}, {"b"}), node("Mul", {"a", "b"}, {"y"})}},
           {"Reciprocal", {node("Reciprocal", {"w"}, {"y"})}},
           {"Sin and Cos", {node("Sin", {"x"}, {"a"}), node("Cos", {"w"}, {"b"}), node("Mul", {"a", "b"}, {"y"})}},
           {"Tanh and Sigmoid", {node("Tanh", {"x"}, {"a"}), node("Sigmoid", {"x"}, {"b"}), node("Mul", {"a", "b"}, {"y"})}},
           {"Abs and Relu", {node("Abs", {"x"}, {"a"}), node("Relu", {"x"}, {"b"}), node("Mul", {"a", "b"}, {"y"})}},
           {"Erf and Softplus", {node("Erf", {"x"}, {"a"}), node("Softplus", {"a"}, {"y"})}},
           {"Max and Min", {node("Exp", {"x"}, {"e"}), node("Max", {"e", "w", "low"}, {"a"}), node("Min", {"e", "w"}, {"b"}), node("Mul", {"a", "b"}, {"y"})}},
           {"Clip", {node("Clip", {"x", "low"}, {"a"}), node("Mul", {"a", "x"}, {"y"})}},
           {"Where", {node("Greater", {"x", "low"}, {"a"}), node("Where", {"a", "x", "w"}, {"b"}), node("Exp", {"b"}, {"y"})}},
           {"Softmax", {node("Softmax", {"x"}, {"a"}), node("Mul", {"a", "w"}, {"y"})}},
           {"LogSoftmax", {node("LogSoftmax", {"x"}, {"a"}, {int_attribute("axis", 0)}), node("Mul", {"a", "w"}, {"y"})}},
           {"Transpose", {node("Transpose", {"x"}, {"a"}), node("Mul", {"a", "m"}, {"b"}), node("Transpose", {"b"}, {"c"}, {ints_attribute("perm", {1, 0})}),
                          node("Mul", {"c", "w"}, {"y"})}},
           {"MatMul of a matrix and a vector", {node("MatMul", {"x", "w"}, {"a"}), node("Exp", {"a"}, {"y"})}},
           {"of a vector and a matrix", {node("MatMul", {"w", "m"}, {"a"}), node("MatMul", {"a", "x"}, {"b"}), node("Sin", {"b"}, {"y"})}},
           {"of vectors", {node("MatMul", {"w", "w"}, {"y"})}},
           {"of batches",
            {node("Mul", {"x", "w"}, {"a"}), node("Mul", {"batch", "w"}, {"b"}), node("MatMul", {"a", "b"}, {"c"}), node("MatMul", {"c", "w"}, {"d"}),
             node("MatMul", {"d", "x"}, {"e"}), node("Sin", {"e"}, {"y"})}},
           {"Gemm", {node("Gemm", {"x", "square", "w"}, {"a"}, {float_attribute("alpha", 0.5f), float_attribute("beta", 3)}),
                     node("Gemm", {"a", "x", "two"}, {"b"}, {int_attribute("transB", 1)}),
                     node("Gemm", {"a", "b", "two"}, {"c"}, {int_attribute("transA", 1)}),
                     node("Gemm", {"c", "x"}, {"d"}, {int_attribute("transA", 1), int_attribute("transB", 1), float_attribute("alpha", -0.25f)}),
                     node("Sin", {"d"}, {"y"})}},
           {"MatMul", {node("Mul", {"x", "w"}, {"a"}), node("MatMul", {"a", "m"}, {"b"}), node("Exp", {"b"}, {"y"})}},
           {"sums and means",
            {node("ReduceSum", {"x", "axis"}, {"a"}), node("ReduceMean", {"x"}, {"b"}, {int_attribute("keepdims", 0)}),
             node("Mul", {"a", "b"}, {"c"}), node("Mul", {"c", "w"}, {"y"})}},
           {"reductions without the dims",
            {node("ReduceSum", {"x", "axis"}, {"a"}, {int_attribute("keepdims", 0)}), node("ReduceMean", {"x"}, {"b"}, {int_attribute("keepdims", 0), ints_attribute("axes", {-1})}),
             node("ReduceL2", {"x"}, {"c"}, {int_attribute("keepdims", 0), ints_attribute("axes", {0})}), node("Mul", {"a", "c"}, {"d"}), node("ReduceSum", {"b"}, {"e"}),
             node("Mul", {"d", "e"}, {"y"})}},
           {"other reductions",
            {node("ReduceSumSquare", {"x"}, {"a"}, {ints_attribute("axes", {0})}), node("ReduceLogSumExp", {"x"}, {"b"}, {ints_attribute("axes", {1})}),
             node("ReduceMax", {"x"}, {"c"}, {ints_attribute("axes", {1})}), node("ReduceMin", {"x"}, {"d"}), node("Sum", {"a", "b"}, {"e"}),
             node("Mul", {"c", "d"}, {"f"}), node("Mul", {"e", "f"}, {"y"})}},
           {"derivative of derivatives",
            {node("MatMul", {"x", "square"}, {"a"}), node("Gemm", {"a", "x"}, {"b"}, {int_attribute("transB", 1)}), node("Tanh", {"b"}, {"c"}),
             node("ReduceMean", {"c"}, {"f"}), gradient({"x"}, {"y"}, {"x"}, "f")}},
           {"shapes", {node("Reshape", {"x", "flat"}, {"a"}), node("Mul", {"a", "a"}, {"b"}), node("Unsqueeze", {"b", "axis"}, {"c"}),
                       node("Identity", {"c"}, {"y"})}},
           {"Expand", {node("Expand", {"x", "rows"}, {"a"}), node("Mul", {"a", "w"}, {"y"})}},
           {"used twice", {node("Mul", {"x", "x"}, {"a"}), node("Add", {"a", "x"}, {"b"}), node("Mul", {"a", "b"}, {"y"})}},
       }) {
    INFO(row.label);
    Session function = load(file_of(row.nodes, {"y"}, constants));
    const auto sum = [&](const Tensor& at_x, const Tensor& at_w) {
      double total = 0;
      for (const double v : to_doubles(run(function, {{"x", at_x}, {"w", at_w}})[0])) total += v;
      return total;
    };
    Strings nodes = row.nodes;
    nodes.push_back(gradient({"x", "w"}, {"dx", "dw"}, {"x", "w"}, "y"));
    const std::vector<Tensor> got = run_both(file_of(nodes, {"dx", "dw"}, constants), {{"x", x}, {"w", w}}, 1e-12);
    for (size_t of_w = 0; of_w < 2; ++of_w) {
      const Tensor& at = of_w == 1 ? w : x;
      REQUIRE(got[of_w].shape() == at.shape());
      for (size_t i = 0; i < at.count(); ++i) {
        Tensor more = at.clone(), less = at.clone();
        more.data<double>()[i] += 1e-5;
        less.data<double>()[i] -= 1e-5;
        const double slope = of_w == 1 ? (sum(x, more) - sum(x, less)) / 2e-5 : (sum(more, w) - sum(less, w)) / 2e-5;
        CHECK(std::abs(got[of_w].data<double>()[i] - slope) < 1e-6 * std::max(1.0, std::abs(slope)));
      }
    }
  }
}

TEST_CASE("gradients at other values, of intermediate values, and of gradients") {
  const Tensor x = f64({2, 3}, {1, 2, 3, 4, 5, 6}), w = f64({3}, {10, 20, 30});
  const Bytes square = node("Mul", {"a", "a"}, {"y"}), shifted = node("Add", {"x", "w"}, {"a"});
  const auto one = [&](const Strings& nodes, const std::string& output) {
    return run_both(file_of(nodes, {output}), {{"x", x}, {"w", w}}, 0)[0];
  };
  // y = (x + w)^2: twice the sum by x, at x = w as well.
  CHECK(difference(one({shifted, square, gradient({"x", "w"}, {"d"}, {"x"}, "y", {"w"})}, "d"), f64({2, 3}, {22, 44, 66, 28, 50, 72})) == "");
  CHECK(difference(one({shifted, square, gradient({"w", "w"}, {"d"}, {"x"}, "y", {"w"})}, "d"), f64({3}, {40, 80, 120})) == "");
  CHECK(difference(one({shifted, square, gradient({"a"}, {"d"}, {"a"}, "y")}, "d"), f64({2, 3}, {22, 44, 66, 28, 50, 72})) == "");
  // The second derivative, whose node comes first.
  CHECK(difference(one({gradient({"x", "w"}, {"dd"}, {"x", "w"}, "d"), shifted, square, gradient({"x", "w"}, {"d"}, {"x", "w"}, "y")}, "dd"),
                   f64({2, 3}, {2, 2, 2, 2, 2, 2})) == "");
  // Types in between: a whole number has no slope.
  const auto to = [](int64_t type) { return Strings{int_attribute("to", type)}; };
  CHECK(difference(one({node("Cast", {"x"}, {"a"}, to(1)), node("Mul", {"a", "a"}, {"b"}), node("Cast", {"b"}, {"c"}, to(kDouble)), node("Cast", {"x"}, {"i"}, to(7)),
                        node("CastLike", {"i", "x"}, {"j"}), node("Mul", {"c", "j"}, {"y"}), gradient({"x"}, {"d"}, {"x"}, "y")},
                       "d"),
                   f64({2, 3}, {2, 8, 18, 32, 50, 72})) == "");
  // What does not depend on x.
  CHECK(difference(one({node("Exp", {"w"}, {"y"}), gradient({"x", "w"}, {"d"}, {"x", "w"}, "y")}, "d"), f64({2, 3}, {0, 0, 0, 0, 0, 0})) == "");

  const auto code = [&](const Strings& nodes) { return error_of([&] { load(file_of(nodes, {"d"})); }).code; };
  CHECK(code({gradient({"x", "x"}, {"d"}, {"x", "x"}, "x")}) == ErrorCode::kModel);
  CHECK(code({gradient({"x"}, {"d"}, {"nothing"}, "x")}) == ErrorCode::kModel);
  CHECK(code({gradient({"x"}, {"d"}, {"x"}, "nothing")}) == ErrorCode::kModel);
  CHECK(code({gradient({"x", "w"}, {"d"}, {"x"}, "x")}) == ErrorCode::kModel);
  CHECK(code({gradient({"x"}, {"d"}, {"x"}, "d")}) == ErrorCode::kModel);
}

TEST_CASE("operators without a derivative") {
  const Bytes unknown = node("Selu", {"x"}, {"a"}, {}, "first");
  const Error error = error_of([&] {
    load(file_of({unknown, node("HardSwish", {"a"}, {"b"}, {}, "second"), node("Elu", {"b"}, {"y"}, {}, "third"), node("Nonsense", {"x"}, {"n"}),
                  gradient({"x"}, {"d"}, {"x"}, "a"), gradient({"b"}, {"e"}, {"b"}, "y")},
                 {"d", "e", "n"}));
  });
  CHECK(error.code == ErrorCode::kUnsupportedOperator);
  // A missing operator is reported first: without its shapes nothing is differentiated.
  REQUIRE(error.missing.size() == 1);
  CHECK(error.missing[0].op == "Nonsense");
  const Error derivatives = error_of([&] {
    load(file_of({unknown, node("Elu", {"x"}, {"y"}, {}, "third"), gradient({"x"}, {"d"}, {"x"}, "a"), gradient({"x"}, {"e"}, {"x"}, "y")}, {"d", "e"}));
  });
  CHECK(derivatives.code == ErrorCode::kUnsupportedOperator);
  REQUIRE(derivatives.missing.size() == 2);
  CHECK(derivatives.missing[0].op == "Gradient of Selu");
  CHECK(derivatives.missing[1].op == "Gradient of Elu");
  CHECK(derivatives.missing[1].nodes == std::vector<std::string>{"third"});
  // It does not matter where nothing is wanted through it.
  load(file_of({unknown, node("Mul", {"a", "w"}, {"y"}), gradient({"w"}, {"d"}, {"w"}, "y")}, {"d"}));
}

TEST_CASE("Gradient nodes that grow out of all bounds") {
  Strings nodes = {node("Sigmoid", {"x"}, {"y0"})};
  for (int i = 0; i < 40; ++i) {
    const std::string n = std::to_string(i), next = std::to_string(i + 1);
    nodes.push_back(gradient({"x"}, {"d" + n}, {"x"}, "y" + n));
    nodes.push_back(node("Mul", {"d" + n, "y" + n}, {"y" + next}));
  }
  CHECK(error_of([&] { load(file_of(nodes, {"y40"})); }).code == ErrorCode::kModel);
}

}  // namespace
}  // namespace kinglet::test
