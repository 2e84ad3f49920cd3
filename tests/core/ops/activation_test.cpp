#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

TEST_CASE("activations with parameters") {
  for (const DType t : {DType::kFloat32, DType::kFloat64}) {
    const Tensor x = make(t, {3}, {-2, 0.25, 4});
    const auto call = [&](const char* op, std::vector<Attribute> attributes) {
      return OpCall{.op = op, .attributes = std::move(attributes), .inputs = {x}};
    };
    INFO(dtype_name(t));
    check_rows({
        {"LeakyRelu", call("LeakyRelu", {attr("alpha", 0.5f)}), make(t, {3}, {-1, 0.25, 4}), 1e-6},
        {"Elu", call("Elu", {attr("alpha", 2.0f)}), make(t, {3}, {2 * std::expm1(-2.0), 0.25, 4}), 1e-6},
        {"HardSigmoid", call("HardSigmoid", {attr("alpha", 0.5f), attr("beta", 0.6f)}), make(t, {3}, {0, 0.725, 1}), 1e-6},
        {"Selu", call("Selu", {attr("alpha", 2.0f), attr("gamma", 3.0f)}), make(t, {3}, {6 * std::expm1(-2.0), 0.75, 12}), 1e-6},
        {"Celu", call("Celu", {attr("alpha", 2.0f)}), make(t, {3}, {2 * std::expm1(-1.0), 0.25, 4}), 1e-6},
        {"ThresholdedRelu", call("ThresholdedRelu", {attr("alpha", 0.2f)}), make(t, {3}, {0, 0.25, 4})},
        {"Shrink", call("Shrink", {attr("lambd", 1.5f), attr("bias", 1.5f)}), make(t, {3}, {-0.5, 0, 2.5})},
        // 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), by NumPy in float64.
        {"Gelu tanh", call("Gelu", {attr("approximate", "tanh")}),
         make(t, {3}, {-0.0454023059122, 0.1496753507017, 3.9999297540518}), 1e-6},
    });
  }
  CHECK(failure({.op = "Gelu", .attributes = {attr("approximate", "fast")}, .inputs = {iota({1})}}) == ErrorCode::kModel);
  CHECK(failure({.op = "Elu", .attributes = {attr("alpha", 1)}, .inputs = {iota({1})}}) == ErrorCode::kModel);
}

TEST_CASE("Clip by inputs, every number type") {
  for (const DType t : kNumberDTypes) {
    const Tensor x = make(t, {5}, {1, 2, 3, 4, 5}), low = make(t, {}, {2}), high = make(t, {}, {4});
    INFO(dtype_name(t));
    check_rows({
        {"both", {.op = "Clip", .inputs = {x, low, high}}, make(t, {5}, {2, 2, 3, 4, 4})},
        {"low", {.op = "Clip", .inputs = {x, low}}, make(t, {5}, {2, 2, 3, 4, 5})},
        {"high", {.op = "Clip", .inputs = {x, Tensor(), high}}, make(t, {5}, {1, 2, 3, 4, 4})},
        {"neither", {.op = "Clip", .inputs = {x}}, x},
        {"crossed limits give the upper", {.op = "Clip", .inputs = {x, high, low}}, make(t, {5}, {2, 2, 2, 2, 2})},
    });
  }
}

TEST_CASE("Clip by attributes, NaN and limits of one element") {
  const Tensor x = f32({4}, {-3, kNaN, 0.5, 9});
  check_rows({
      {"opset 6", {.op = "Clip", .opset = 6, .attributes = {attr("min", -1.0f), attr("max", 6.0f)}, .inputs = {x}},
       f32({4}, {-1, kNaN, 0.5, 6})},
      {"opset 10, float64", {.op = "Clip", .opset = 10, .attributes = {attr("min", 0.0f)}, .inputs = {f64({2}, {-1, 1e300})}},
       f64({2}, {0, static_cast<double>(std::numeric_limits<float>::max())})},
      {"opset 13 has no attributes", {.op = "Clip", .opset = 13, .attributes = {attr("min", 0.0f)}, .inputs = {x}}, x},
      {"infinities pass without limits", {.op = "Clip", .inputs = {f32({2}, {kInf, -kInf})}}, f32({2}, {kInf, -kInf})},
      {"limit of shape [1]", {.op = "Clip", .inputs = {x, f32({1}, {0}), f32({1}, {1})}}, f32({4}, {0, kNaN, 0.5, 1})},
  });
  check_failures({
      {"limits are no scalars", {.op = "Clip", .inputs = {x, iota({2})}}, ErrorCode::kShape},
      {"limits of another type", {.op = "Clip", .inputs = {x, i64({}, {0})}}, ErrorCode::kModel},
  });
}

TEST_CASE("PRelu") {
  const Tensor x = f32({1, 2, 2, 2}, {-1, 1, -2, 2, -3, 3, -4, 4});
  check_rows({
      {"one slope", {.op = "PRelu", .inputs = {x, f32({1}, {0.5})}}, f32({1, 2, 2, 2}, {-0.5, 1, -1, 2, -1.5, 3, -2, 4})},
      {"by channel", {.op = "PRelu", .inputs = {x, f32({2, 1, 1}, {0.5, 2})}}, f32({1, 2, 2, 2}, {-0.5, 1, -1, 2, -6, 3, -8, 4})},
      {"by column", {.op = "PRelu", .inputs = {x, f32({2}, {0.5, 2})}}, f32({1, 2, 2, 2}, {-0.5, 1, -1, 2, -1.5, 3, -2, 4})},
      {"whole", {.op = "PRelu", .inputs = {x, iota({1, 2, 2, 2}, 1)}}, f32({1, 2, 2, 2}, {-1, 1, -6, 2, -15, 3, -28, 4})},
      {"NaN", {.op = "PRelu", .inputs = {f32({1}, {kNaN}), f32({1}, {0.5})}}, f32({1}, {kNaN})},
      {"float16", {.op = "PRelu", .inputs = {make(DType::kFloat16, {2}, {-4, 4}), make(DType::kFloat16, {1}, {0.25})}},
       make(DType::kFloat16, {2}, {-1, 4})},
      {"float64", {.op = "PRelu", .inputs = {f64({2}, {-4, 4}), f64({2}, {0.25, 9})}}, f64({2}, {-1, 4})},
      {"int32", {.op = "PRelu", .inputs = {i32({2}, {-4, 4}), i32({}, {3})}}, i32({2}, {-12, 4})},
      {"uint64", {.op = "PRelu", .inputs = {Tensor::scalar<uint64_t>(UINT64_MAX), Tensor::scalar<uint64_t>(3)}},
       Tensor::scalar<uint64_t>(UINT64_MAX)},
  });
  check_failures({
      {"slope larger than x", {.op = "PRelu", .inputs = {iota({2}), iota({3, 2})}}, ErrorCode::kShape},
      {"slope that does not fit", {.op = "PRelu", .inputs = {iota({2, 3}), iota({2})}}, ErrorCode::kShape},
  });
}

TEST_CASE("Pow") {
  const Tensor x = f32({4}, {1, 2, 3, 0.25});
  check_rows({
      {"squares", {.op = "Pow", .inputs = {x, f32({}, {2})}}, f32({4}, {1, 4, 9, 0.0625})},
      {"cubes", {.op = "Pow", .inputs = {x, i64({1}, {3})}}, f32({4}, {1, 8, 27, 0.015625}), 1e-6},
      {"cubes of many", {.op = "Pow", .inputs = {make(DType::kFloat32, {600}, std::vector<double>(600, 2)), f32({}, {3})}},
       make(DType::kFloat32, {600}, std::vector<double>(600, 8))},
      {"roots", {.op = "Pow", .inputs = {x, f32({}, {0.5})}}, f32({4}, {1, 1.4142135f, 1.7320508f, 0.5}), 1e-6},
      {"general", {.op = "Pow", .inputs = {x, f32({}, {-1.5})}}, f32({4}, {1, 0.35355338f, 0.19245009f, 8}), 1e-6},
      {"by element", {.op = "Pow", .inputs = {x, f32({4}, {0, 1, 2, -1})}}, f32({4}, {1, 2, 9, 4}), 1e-6},
      {"column by row", {.op = "Pow", .inputs = {f32({2, 1}, {2, 3}), f32({2}, {2, 3})}}, f32({2, 2}, {4, 8, 9, 27}), 1e-6},
      {"float base, int exponent", {.op = "Pow", .inputs = {f32({2}, {1.5, -2}), i32({2}, {2, 3})}}, f32({2}, {2.25, -8})},
      {"int base, float exponent", {.op = "Pow", .inputs = {i64({3}, {4, 9, 2}), f32({}, {0.5})}}, i64({3}, {2, 3, 1})},
      {"ints", {.op = "Pow", .inputs = {i64({4}, {2, -3, 7, 0}), i64({4}, {62, 3, 0, 0})}},
       i64({4}, {int64_t{1} << 62, -27, 1, 1})},
      {"int wraps", {.op = "Pow", .inputs = {i32({2}, {2, 3}), i32({2}, {32, 21})}}, i32({2}, {0, 1870418611})},
      {"negative int exponents", {.op = "Pow", .inputs = {i64({5}, {1, -1, -1, 2, 0}), i64({5}, {-5, -2, -3, -1, -1})}},
       i64({5}, {1, 1, -1, 0, 0})},
      {"float16", {.op = "Pow", .inputs = {make(DType::kFloat16, {2}, {3, 4}), make(DType::kFloat16, {}, {2})}},
       make(DType::kFloat16, {2}, {9, 16})},
      {"float64", {.op = "Pow", .inputs = {f64({1}, {2}), f64({1}, {0.5})}}, f64({1}, {std::sqrt(2.0)}), 1e-15},
      {"exponent larger than base", {.op = "Pow", .inputs = {f32({}, {2}), f32({3}, {1, 2, 3})}}, f32({3}, {2, 4, 8}), 1e-6},
  });
  CHECK(failure({.op = "Pow", .inputs = {boolean({1}, {true}), iota({1})}}) == ErrorCode::kModel);
}

}  // namespace
}  // namespace kinglet::test
