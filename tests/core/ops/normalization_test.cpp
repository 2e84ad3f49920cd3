// BatchNormalization, InstanceNormalization and LayerNormalization against their formulas in double
// precision.

#include "ops/support/conv_reference.hpp"
#include "ops/support/rows.hpp"

using namespace kinglet;
using namespace kinglet::test;

namespace {

struct Moments {
  double mean = 0, variance = 0;
};

/// Of the elements of `x` whose group is g, for each of `groups`.
template <class F>
std::vector<Moments> moments_of(const std::vector<double>& x, size_t groups, F&& group) {
  std::vector<Moments> out(groups);
  std::vector<double> count(groups, 0);
  for (size_t i = 0; i < x.size(); ++i) out[group(i)].mean += x[i], ++count[group(i)];
  for (size_t g = 0; g < groups; ++g) out[g].mean /= count[g];
  for (size_t i = 0; i < x.size(); ++i)
    out[group(i)].variance += (x[i] - out[group(i)].mean) * (x[i] - out[group(i)].mean);
  for (size_t g = 0; g < groups; ++g) out[g].variance /= count[g];
  return out;
}

Tensor positive(DType type, const Shape& shape) {
  std::vector<double> v = to_doubles(numbers(type, shape, 9));
  for (double& d : v) d += 1.25;
  return make(type, shape, v);
}

constexpr std::pair<DType, double> kTypes[] = {
    {DType::kFloat32, 2e-5}, {DType::kFloat64, 1e-6}, {DType::kFloat16, 5e-3}, {DType::kBFloat16, 4e-2}};
const Shape kShapes[] = {{2, 3, 4, 5}, {1, 5, 17}, {3, 1, 2, 2, 2}, {2, 7, 1, 1}};

}  // namespace

TEST_CASE("BatchNormalization with given statistics", "[op]") {
  for (const Shape& shape : {kShapes[0], kShapes[1], kShapes[2], kShapes[3], Shape{4, 3}, Shape{0, 3, 2}}) {
    for (const auto& [type, tolerance] : kTypes) {
      INFO(text("{} {}", shape, type));
      const Tensor x = numbers(type, shape, 1), scale = numbers(type, {shape[1]}, 2),
                   bias = numbers(type, {shape[1]}, 3), mean = numbers(type, {shape[1]}, 4),
                   var = positive(type, {shape[1]});
      std::vector<double> want = to_doubles(x);
      const auto s = to_doubles(scale), b = to_doubles(bias), m = to_doubles(mean), v = to_doubles(var);
      const size_t pixels = shape.count(2, shape.rank());
      for (size_t i = 0; i < want.size(); ++i) {
        const size_t c = i / pixels % s.size();
        want[i] = (want[i] - m[c]) / std::sqrt(v[c] + 0.01) * s[c] + b[c];
      }
      CHECK(difference(run_op({.op = "BatchNormalization",
                               .opset = 15,
                               .attributes = {attr("epsilon", 0.01f)},
                               .inputs = {x, scale, bias, mean, var}})[0],
                       make(type, shape, want), tolerance) == "");
    }
  }
}

TEST_CASE("BatchNormalization in training, and its other outputs", "[op]") {
  const Tensor x = numbers(DType::kFloat32, kShapes[0], 1), scale = numbers(DType::kFloat32, {3}, 2),
               bias = numbers(DType::kFloat32, {3}, 3), mean = numbers(DType::kFloat32, {3}, 4),
               var = positive(DType::kFloat32, {3});
  const auto channel = [](size_t i) { return i / 20 % 3; };
  std::vector<double> want = to_doubles(x), running_mean = to_doubles(mean), running_var = to_doubles(var);
  const auto s = to_doubles(scale), b = to_doubles(bias);
  const std::vector<Moments> batch = moments_of(want, 3, channel);
  for (size_t i = 0; i < want.size(); ++i)
    want[i] =
        (want[i] - batch[channel(i)].mean) / std::sqrt(batch[channel(i)].variance + 1e-5) * s[channel(i)] +
        b[channel(i)];
  for (size_t c = 0; c < 3; ++c) {
    running_mean[c] = 0.75 * running_mean[c] + 0.25 * batch[c].mean;
    running_var[c] = 0.75 * running_var[c] + 0.25 * batch[c].variance;
  }
  OpCall call{.op = "BatchNormalization",
              .opset = 15,
              .attributes = {attr("training_mode", 1), attr("momentum", 0.75f)},
              .inputs = {x, scale, bias, mean, var},
              .outputs = 3};
  const auto trained = run_op(call);
  CHECK(difference(trained[0], make(DType::kFloat32, kShapes[0], want), 1e-5) == "");
  CHECK(difference(trained[1], make(DType::kFloat32, {3}, running_mean), 1e-5) == "");
  CHECK(difference(trained[2], make(DType::kFloat32, {3}, running_var), 1e-5) == "");
  call.attributes.clear();
  call.opset = 9;
  call.outputs = 5;
  const auto given = run_op(call);
  for (size_t i = 1; i < 5; ++i) CHECK(difference(given[i], i % 2 == 1 ? mean : var) == "");
  check_failures(std::vector<BadRow>{
      {"channels",
       {.op = "BatchNormalization", .inputs = {x, scale, bias, mean, numbers(DType::kFloat32, {4}, 1)}},
       ErrorCode::kShape,
       "4"},
      {"rank 1",
       {.op = "BatchNormalization", .inputs = {scale, scale, bias, mean, var}},
       ErrorCode::kShape,
       "rank"},
      {"missing", {.op = "BatchNormalization", .inputs = {x, scale, bias}}, ErrorCode::kModel, "missing"},
      {"spatial = 0",
       {.op = "BatchNormalization",
        .opset = 7,
        .attributes = {attr("spatial", 0)},
        .inputs = {x, scale, bias, mean, var}},
       ErrorCode::kShape,
       "60 elements"},
  });
}

TEST_CASE("InstanceNormalization", "[op]") {
  for (const Shape& shape : kShapes) {
    for (const auto& [type, tolerance] : kTypes) {
      INFO(text("{} {}", shape, type));
      const Tensor x = numbers(type, shape, 1), scale = numbers(type, {shape[1]}, 2),
                   bias = numbers(type, {shape[1]}, 3);
      const size_t pixels = shape.count(2, shape.rank());
      std::vector<double> want = to_doubles(x);
      const auto s = to_doubles(scale), b = to_doubles(bias);
      const auto plane = [&](size_t i) { return i / pixels; };
      const std::vector<Moments> m = moments_of(want, shape.count(0, 2), plane);
      for (size_t i = 0; i < want.size(); ++i) {
        const size_t c = plane(i) % s.size();
        want[i] = (want[i] - m[plane(i)].mean) / std::sqrt(m[plane(i)].variance + 0.5) * s[c] + b[c];
      }
      CHECK(difference(run_op({.op = "InstanceNormalization",
                               .attributes = {attr("epsilon", 0.5f)},
                               .inputs = {x, scale, bias}})[0],
                       make(type, shape, want), tolerance) == "");
    }
  }
  const Tensor x = numbers(DType::kFloat32, {1, 2, 3}, 1), two = f32({2}, {1, 2});
  check_failures(std::vector<BadRow>{
      {"channels",
       {.op = "InstanceNormalization", .inputs = {x, two, f32({3}, {1, 2, 3})}},
       ErrorCode::kShape,
       "scale"},
      {"types",
       {.op = "InstanceNormalization", .inputs = {x, two, f64({2}, {1, 2})}},
       ErrorCode::kModel,
       "types"},
      {"rank 1", {.op = "InstanceNormalization", .inputs = {two, two, two}}, ErrorCode::kShape, "expected"},
  });
}

TEST_CASE("LayerNormalization over every axis, with its statistics", "[op]") {
  const Shape shape{2, 3, 4, 5};
  for (int64_t axis = -4; axis < 4; ++axis) {
    for (const auto& [type, tolerance] : kTypes) {
      INFO(text("axis {} {}", axis, type));
      const auto from = static_cast<size_t>(axis < 0 ? axis + 4 : axis);
      const Shape inner(shape.dims().subspan(from));
      const Tensor x = numbers(type, shape, 1), scale = numbers(type, inner, 2),
                   bias = numbers(type, inner, 3);
      const size_t columns = inner.count();
      std::vector<double> want = to_doubles(x), means, inverses;
      const auto row = [&](size_t i) { return i / columns; };
      const std::vector<Moments> m = moments_of(want, want.size() / columns, row);
      const auto s = to_doubles(scale), b = to_doubles(bias);
      for (size_t i = 0; i < want.size(); ++i)
        want[i] = (want[i] - m[row(i)].mean) / std::sqrt(m[row(i)].variance + 0.25) * s[i % columns] +
                  b[i % columns];
      for (const Moments& r : m)
        means.push_back(r.mean), inverses.push_back(1 / std::sqrt(r.variance + 0.25));
      Shape statistics = shape;
      for (size_t i = from; i < 4; ++i) statistics[i] = 1;
      const DType stash = type == DType::kFloat64 ? type : DType::kFloat32;
      const auto got = run_op({.op = "LayerNormalization",
                               .opset = 17,
                               .attributes = {attr("axis", axis), attr("epsilon", 0.25f)},
                               .inputs = {x, scale, bias},
                               .outputs = 3});
      CHECK(difference(got[0], make(type, shape, want), tolerance) == "");
      CHECK(difference(got[1], make(stash, statistics, means), 1e-5) == "");
      CHECK(difference(got[2], make(stash, statistics, inverses), 1e-5) == "");
    }
  }
}

TEST_CASE("LayerNormalization's parameters", "[op]") {
  const Tensor x = f32({2, 2, 2}, {1, 3, -1, 1, 0, 4, 2, 2});
  const auto call = [&](Tensor scale, Tensor bias) {
    OpCall c{.op = "LayerNormalization",
             .opset = 17,
             .attributes = {attr("epsilon", 0.0f), attr("axis", 1)},
             .inputs = {f32({1, 2, 2}, {1, 3, 1, 3}), std::move(scale)}};
    if (bias.valid()) c.inputs.push_back(std::move(bias));
    return c;
  };
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  check_rows({
      {"no bias", call(f32({2, 2}, {1, 2, 3, 4}), {}), {f32({1, 2, 2}, {-1, 2, -3, 4})}, 1e-5},
      {"spread over rows",
       call(f32({2}, {1, 2}), f32({2, 1}, {10, 20})),
       {f32({1, 2, 2}, {9, 12, 19, 22})},
       1e-5},
      {"spread from one", call(f32({1}, {2}), f32({}, {1})), {f32({1, 2, 2}, {-1, 3, -1, 3})}, 1e-5},
      {"rows of nothing",
       {.op = "LayerNormalization",
        .opset = 17,
        .inputs = {Tensor(DType::kFloat32, {2, 0}), Tensor(DType::kFloat32, {0})},
        .outputs = 2},
       {Tensor(DType::kFloat32, {2, 0}), f32({2, 1}, {nan, nan})}},
  });
  check_failures(std::vector<BadRow>{
      {"scale", call(f32({3}, {1, 2, 3}), {})},
      {"scale of the same count", call(f32({4}, {1, 2, 3, 4}), {})},
      {"axis",
       {.op = "LayerNormalization",
        .opset = 17,
        .attributes = {attr("axis", 3)},
        .inputs = {x, f32({2}, {1, 2})}}},
      {"types",
       {.op = "LayerNormalization", .opset = 17, .inputs = {x, f64({2}, {1, 2})}},
       ErrorCode::kModel,
       "types"},
  });
}
