// Optimisers of ai.onnx.preview.training, and SumTo, which their gradients need.

#include <cmath>

#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

constexpr const char* kTraining = "ai.onnx.preview.training";

OpCall optimizer(std::string op, std::vector<Tensor> inputs, std::vector<Attribute> attributes, size_t outputs = 2) {
  return {.op = std::move(op), .opset = 1, .attributes = std::move(attributes), .inputs = std::move(inputs), .outputs = outputs, .domain = kTraining};
}

// The official cases run float32 alone.
TEST_CASE("optimisers of other types and of several tensors") {
  const Tensor rate = f32({}, {0.5f}), t = i64({}, {2});
  const std::vector<Attribute> momentum = {attr("mode", "nesterov"), attr("norm_coefficient", 0.0f), attr("alpha", 0.5f), attr("beta", 0.25f)};
  const auto half = [](double v) { return make(DType::kFloat16, {1}, {v}); };
  check_rows({
      // v = 0.5 * 2 + 0.25 * 4, x = 1 - 0.5 * (4 + 0.5 * v)
      {"Momentum in float16", optimizer("Momentum", {rate, t, half(1), half(4), half(2)}, momentum), {half(-1.5), half(2)}},
      // h = 7 + 3 * 3, x = 1 - 0.5 / (1 + 2 * 0.5) * 3 / sqrt(h)
      {"Adagrad in float64", optimizer("Adagrad", {f64({}, {0.5}), t, f64({1}, {1}), f64({1}, {3}), f64({1}, {7})}, {attr("decay_factor", 0.5f), attr("epsilon", 0.0f)}),
       {f64({1}, {0.8125}), f64({1}, {16})}, 1e-15},
      {"Adagrad of two tensors, and of none", optimizer("Adagrad", {rate, i64({}, {0}), f64({1}, {1}), f64({0}, {}), f64({1}, {3}), f64({0}, {}), f64({1}, {7}), f64({0}, {})},
                                                        {attr("epsilon", 0.0f)}, 4),
       {f64({1}, {0.625}), f64({0}, {}), f64({1}, {16}), f64({0}, {})}, 1e-15},
      // v = 0.5 * 2 + 0.5 * 4, h = 0.75 * 12 + 0.25 * 16, rate * sqrt(1 - 0.75^2) / (1 - 0.5^2)
      {"Adam in float64", optimizer("Adam", {rate, t, f64({1}, {1}), f64({1}, {4}), f64({1}, {2}), f64({1}, {12})},
                                    {attr("alpha", 0.5f), attr("beta", 0.75f), attr("epsilon", 0.0f)}, 3),
       {f64({1}, {1 - 0.5 * std::sqrt(0.4375) / 0.75 * 3 / std::sqrt(13.0)}), f64({1}, {3}), f64({1}, {13})}, 1e-15},
  });
}

TEST_CASE("optimisers refuse") {
  const Tensor one = f32({1}, {1}), two = f32({2}, {1, 1}), rate = f32({}, {0.1f}), t = i64({}, {0});
  const auto failed = [](std::string op, std::vector<Tensor> inputs, std::vector<Attribute> attributes = {}) {
    return failure({.op = std::move(op), .opset = 1, .attributes = std::move(attributes), .inputs = std::move(inputs), .outputs = 2,
                    .domain = "ai.onnx.preview.training"});
  };
  CHECK(failed("Adagrad", {rate, t, one, one}) == ErrorCode::kShape);
  CHECK(failed("Adagrad", {rate, t, one, two, one}) == ErrorCode::kShape);
  CHECK(failed("Adagrad", {two, t, one, one, one}) == ErrorCode::kShape);
  CHECK(failed("Adam", {rate, t, one, one, one}) == ErrorCode::kShape);
  CHECK(failed("Momentum", {rate, t, one, one, one}) == ErrorCode::kModel);
  CHECK(failed("Momentum", {rate, t, one, one, one},
               {attr("mode", "fast"), attr("norm_coefficient", 0.0f), attr("alpha", 0.0f), attr("beta", 0.0f)}) == ErrorCode::kModel);
  CHECK(failed("Adagrad", {rate, t, one, one, one}) == std::nullopt);
}

TEST_CASE("SumTo undoes broadcasting") {
  const auto sum_to = [](Tensor x, Tensor like) { return OpCall{.op = "SumTo", .opset = 1, .inputs = {std::move(x), std::move(like)}, .domain = "kinglet"}; };
  const Tensor x = iota({2, 2, 3}, 1);
  check_rows({
      {"columns", sum_to(x, f32({3}, {0, 0, 0})), f32({3}, {22, 26, 30})},
      {"rows", sum_to(x, f32({2, 1}, {0, 0})), f32({2, 1}, {30, 48})},
      {"a dim of 1 in front", sum_to(x, f32({1, 2, 3}, {0, 0, 0, 0, 0, 0})), f32({1, 2, 3}, {8, 10, 12, 14, 16, 18})},
      {"everything", sum_to(x, f32({}, {0})), f32({}, {78})},
      {"nothing", sum_to(x, x), x},
      {"no elements", sum_to(f32({0, 2}, {}), f32({2}, {0, 0})), f32({2}, {0, 0})},
      {"float16", sum_to(make(DType::kFloat16, {3}, {1, 2, 0.5}), f32({1}, {0})), make(DType::kFloat16, {1}, {3.5})},
  });
  CHECK(failure(sum_to(f32({2}, {1, 1}), f32({3}, {1, 1, 1}))) == ErrorCode::kShape);
  CHECK(failure(sum_to(f32({1}, {1}), f32({2}, {1, 1}))) == ErrorCode::kShape);
  CHECK(failure(sum_to(f32({2}, {1, 1}), f32({1, 2}, {1, 1}))) == ErrorCode::kShape);
}

}  // namespace
}  // namespace kinglet::test
