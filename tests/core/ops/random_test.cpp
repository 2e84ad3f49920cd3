// Seeded numbers against those of NumPy 1.26: RandomState(seed).random_sample() and .standard_normal().

#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

OpCall random(std::string op, std::vector<Attribute> attributes, std::vector<Tensor> inputs = {}) {
  return {.op = std::move(op), .opset = 22, .attributes = std::move(attributes), .inputs = std::move(inputs)};
}

TEST_CASE("random numbers of a seed are NumPy's") {
  const Tensor like = i32({2, 2}, {0, 0, 0, 0});
  check_rows({
      {"uniform", random("RandomUniform", {attr_ints("shape", {3}), attr("seed", 0.0f)}),
       f32({3}, {0.5488135f, 0.71518937f, 0.60276338f}), 1e-7},
      {"uniform, another seed", random("RandomUniform", {attr_ints("shape", {2}), attr("seed", 42.0f)}),
       f32({2}, {0.37454012f, 0.95071431f}), 1e-7},
      {"in a range",
       random("RandomUniform",
              {attr_ints("shape", {2}), attr("seed", 0.0f), attr("low", -10.0f), attr("high", 10.0f)}),
       f32({2}, {0.97627008f, 4.30378733f}), 1e-6},
      {"normal", random("RandomNormal", {attr_ints("shape", {1, 3}), attr("seed", 0.0f), attr("dtype", 11)}),
       f64({1, 3}, {1.764052345967664, 0.4001572083672233, 0.9787379841057392}), 1e-15},
      {"normal, moved",
       random("RandomNormal",
              {attr_ints("shape", {2}), attr("seed", 0.0f), attr("mean", 10.0f), attr("scale", 2.0f)}),
       f32({2}, {13.5281047f, 10.8003144f}), 1e-6},
      {"uniform like", random("RandomUniformLike", {attr("seed", 0.0f), attr("dtype", 1)}, {like}),
       f32({2, 2}, {0.5488135f, 0.71518937f, 0.60276338f, 0.54488318f}), 1e-7},
      {"normal like", random("RandomNormalLike", {attr("seed", 0.0f)}, {f64({2}, {0, 0})}),
       f64({2}, {1.764052345967664, 0.4001572083672233}), 1e-15},
      {"no elements", random("RandomUniform", {attr_ints("shape", {0, 3})}), f32({0, 3}, {})},
      {"Bernoulli of 0 and 1", random("Bernoulli", {attr("dtype", 9)}, {f32({4}, {0, 1, 1, 0})}),
       boolean({4}, {false, true, true, false})},
      {"Bernoulli", random("Bernoulli", {attr("seed", 0.0f)}, {f64({3}, {0.6, 0.7, 0.61})}),
       f64({3}, {1, 0, 1})},
      {"Multinomial with one choice",
       random("Multinomial", {attr("sample_size", 2), attr("dtype", 7)},
              {f32({2, 3}, {-kInf, 5, -kInf, 0, -kInf, -kInf})}),
       i64({2, 2}, {1, 1, 0, 0})},
      // Shares 0.5, 0.25, 0.25; the draws are those of the first row.
      {"Multinomial",
       random("Multinomial", {attr("sample_size", 3), attr("seed", 0.0f)},
              {f64({1, 3}, {std::log(2.0), 0, 0})}),
       i32({1, 3}, {1, 1, 1})},
      {"Dropout in training",
       {.op = "Dropout",
        .opset = 12,
        .attributes = {attr("seed", 0)},
        .inputs = {f32({3}, {1, 2, 3}), f32({}, {0.6f}), boolean({}, {true})},
        .outputs = 2},
       {f32({3}, {0, 5, 7.5}), boolean({3}, {false, true, true})},
       1e-6},
  });
  check_failures({
      {"negative dim", random("RandomUniform", {attr_ints("shape", {-1})}), ErrorCode::kShape},
      {"no shape", random("RandomNormal", {}), ErrorCode::kModel, "shape"},
      {"integers", random("RandomNormal", {attr_ints("shape", {1}), attr("dtype", 6)}), ErrorCode::kModel,
       "int32"},
      {"like integers", random("RandomNormalLike", {}, {like}), ErrorCode::kModel, "int32"},
      {"unknown type", random("RandomUniform", {attr_ints("shape", {1}), attr("dtype", 99)}),
       ErrorCode::kModel, "99"},
      {"no classes", random("Multinomial", {}, {f32({1, 0}, {})}), ErrorCode::kShape},
      {"negative count", random("Multinomial", {attr("sample_size", -1)}, {f32({1, 1}, {0})}),
       ErrorCode::kModel},
      {"Multinomial rank", random("Multinomial", {}, {f32({1}, {0})}), ErrorCode::kShape},
  });
}

TEST_CASE("random numbers without a seed differ") {
  const OpCall call = random("RandomNormal", {attr_ints("shape", {4})});
  CHECK(difference(run_op(call)[0], run_op(call)[0]) != "");
}

TEST_CASE("random numbers are spread as they say") {
  const int count = 20000;
  const std::vector<double> normal =
      to_doubles(run_op(random("RandomNormal", {attr_ints("shape", {count}), attr("seed", 1.0f),
                                                attr("mean", 3.0f), attr("scale", 2.0f)}))[0]);
  double mean = 0, variance = 0;
  for (const double v : normal) mean += v / count;
  for (const double v : normal) variance += (v - mean) * (v - mean) / count;
  CHECK(std::abs(mean - 3) < 0.05);
  CHECK(std::abs(variance - 4) < 0.15);

  // exp(0), exp(1), exp(2) of their sum: 0.090, 0.245, 0.665.
  const Tensor drawn = run_op(
      random("Multinomial", {attr("sample_size", count), attr("seed", 1.0f)}, {f32({1, 3}, {0, 1, 2})}))[0];
  std::array<double, 3> shares{};
  for (const int32_t v : drawn.values<int32_t>()) shares.at(static_cast<size_t>(v)) += 1.0 / count;
  CHECK(std::abs(shares[0] - 0.0900) < 0.01);
  CHECK(std::abs(shares[1] - 0.2447) < 0.01);
  CHECK(std::abs(shares[2] - 0.6652) < 0.01);

  double ones = 0;
  for (const double v :
       to_doubles(run_op(random("Bernoulli", {attr("seed", 2.0f)}, {iota({count}, 0.3f, 0)}))[0]))
    ones += v / count;
  CHECK(std::abs(ones - 0.3) < 0.015);
}

}  // namespace
}  // namespace kinglet::test
