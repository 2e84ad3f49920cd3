#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

/// What a float type may be off by, relative to max(1, |value|): its rounding, and the kernels' 5e-7 for float32.
double tolerance(DType type) {
  switch (type) {
    case DType::kFloat64: return 1e-14;
    case DType::kFloat32: return 1e-6;
    case DType::kFloat16: return 1.0 / 1024;
    default: return 1.0 / 128;
  }
}

struct MathRow {
  const char* op;
  std::vector<double> x;
  double (*f)(double);
};

/// Default attributes are float32 numbers, whatever the type of x.
const MathRow kRows[] = {
    {"Sqrt", {0, 1, 2, 1e-3, 9}, std::sqrt},
    {"Exp", {0, 1, -1, 4.5, -20}, std::exp},
    {"Log", {1, 2, 0.5, 100, 1e-3}, std::log},
    {"Erf", {0, 0.5, -0.5, 1.5, -4}, std::erf},
    {"Tanh", {0, 0.5, -0.5, 3, -20}, std::tanh},
    {"Sigmoid", {0, 1, -1, 5, -5}, [](double x) { return 1 / (1 + std::exp(-x)); }},
    {"Reciprocal", {1, -2, 0.25, 1000}, [](double x) { return 1 / x; }},
    {"Abs", {0, 1.5, -2.5}, [](double x) { return x < 0 ? -x : x; }},
    {"Neg", {0, 1.5, -2.5}, [](double x) { return -x; }},
    {"Sign", {0, 1.5, -2.5}, [](double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : 0.0; }},
    {"Floor", {0, 1.5, -2.5, 2, -0.25}, std::floor},
    {"Ceil", {0, 1.5, -2.5, 2, -0.25}, std::ceil},
    {"Round", {0.5, 1.5, 2.5, -0.5, -1.5, 1.25, 1.75, -7}, std::nearbyint},
    {"Sin", {0, 1, -2, 10}, std::sin},
    {"Cos", {0, 1, -2, 10}, std::cos},
    {"Tan", {0, 1, -0.5}, std::tan},
    {"Asin", {0, 1, -0.5}, std::asin},
    {"Acos", {0, 1, -0.5}, std::acos},
    {"Atan", {0, 1, -50}, std::atan},
    {"Sinh", {0, 1, -2}, std::sinh},
    {"Cosh", {0, 1, -2}, std::cosh},
    {"Asinh", {0, 1, -20}, std::asinh},
    {"Acosh", {1, 2, 20}, std::acosh},
    {"Atanh", {0, 0.5, -0.875}, std::atanh},
    {"Softplus", {0, 1, -1, 80, -80, -16.5, 16.5}, [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }},
    {"Softsign", {0, 1, -3}, [](double x) { return x / (1 + std::abs(x)); }},
    {"Mish", {0, 1, -3, 19.5, 21, 90, -90}, [](double x) { return x * std::tanh(std::log1p(std::exp(x))); }},
    {"Relu", {0, 1.5, -2.5}, [](double x) { return std::max(x, 0.0); }},
    {"HardSwish", {0, 1.5, -1.5, 4, -4}, [](double x) { return x * std::clamp(x / 6 + 0.5, 0.0, 1.0); }},
    {"HardSigmoid", {0, 1, -1, 4, -4}, [](double x) { return std::clamp(double{0.2f} * x + 0.5, 0.0, 1.0); }},
    {"LeakyRelu", {0, 2, -2}, [](double x) { return x < 0 ? double{0.01f} * x : x; }},
    {"Elu", {0, 2, -2, -30}, [](double x) { return x < 0 ? std::expm1(x) : x; }},
    {"Selu", {0, 2, -2}, [](double x) { return double{1.05070102f} * (x > 0 ? x : double{1.67326319f} * std::expm1(x)); }},
    {"Celu", {0, 2, -2}, [](double x) { return x < 0 ? std::expm1(x) : x; }},
    {"ThresholdedRelu", {0, 1, 1.5, -2}, [](double x) { return x > 1 ? x : 0.0; }},
    {"Shrink", {0, 0.25, 1.5, -2}, [](double x) { return std::abs(x) <= 0.5 ? 0.0 : x; }},
    {"Gelu", {0, 1, -1, 3, -3}, [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }},
    {"Identity", {0, 1, -1}, [](double x) { return x; }},
};

TEST_CASE("functions of one number, for every float type") {
  for (const MathRow& row : kRows) {
    for (const DType t : kFloatDTypes) {
      INFO(text("{} {}", row.op, t));
      const Shape shape = {static_cast<int64_t>(row.x.size())};
      const Tensor x = make(t, shape, row.x);
      std::vector<double> want;
      for (const double v : to_doubles(x)) want.push_back(row.f(v));
      CHECK(difference(run_op({.op = row.op, .inputs = {x}})[0], make(t, shape, want), tolerance(t)) == "");
    }
  }
}

TEST_CASE("functions keep the shape, empty and scalar too") {
  for (const MathRow& row : kRows) {
    INFO(row.op);
    const double x = row.x.back();
    const Tensor want = make(DType::kFloat64, {}, {row.f(x)});
    CHECK(difference(run_op({.op = row.op, .inputs = {make(DType::kFloat64, {}, {x})}})[0], want, 1e-14) == "");
    CHECK(run_op({.op = row.op, .inputs = {iota({2, 0})}})[0].shape() == Shape{2, 0});
    // Longer than a block, and of rank 3.
    const Tensor many = make(DType::kFloat16, {2, 150, 2}, std::vector<double>(600, x));
    CHECK(run_op({.op = row.op, .inputs = {many}})[0].shape() == many.shape());
  }
}

TEST_CASE("NaN stays NaN") {
  for (const MathRow& row : kRows) {
    // These two give 0 to all that is not beyond their thresholds (ONNX ThresholdedRelu, Shrink).
    const std::string_view name = row.op;
    const bool is_zero = name == "ThresholdedRelu" || name == "Shrink";
    for (const DType t : {DType::kFloat32, DType::kFloat64}) {
      INFO(text("{} {}", row.op, t));
      const Tensor y = run_op({.op = row.op, .inputs = {make(t, {1}, {std::nan("")})}})[0];
      const double value = to_doubles(y)[0];
      CHECK((is_zero ? value == 0 : std::isnan(value)));
    }
  }
}

TEST_CASE("Shrink of integers") {
  const std::vector<Attribute> attributes = {attr("lambd", 1.5f), attr("bias", 1.5f)};
  const auto shrink = [&](Tensor x) { return OpCall{.op = "Shrink", .attributes = attributes, .inputs = {std::move(x)}}; };
  check_rows({
      {"int32: cut towards zero", shrink(i32({4}, {-4, -1, 1, 4})), {i32({4}, {-2, 0, 0, 2})}},
      {"uint8", shrink(u8({3}, {0, 1, 255})), {u8({3}, {0, 0, 253})}},
  });
}

TEST_CASE("Softplus of very negative numbers keeps its digits") {
  for (const float x : {-10.0f, -16.5f, -30.0f, -80.0f}) {
    const Tensor y = run_op({.op = "Softplus", .inputs = {f32({}, {x})}})[0];
    const double want = std::log1p(std::exp(static_cast<double>(x)));
    CHECK(std::abs(static_cast<double>(y.data<float>()[0]) / want - 1) < 1e-5);
  }
}

TEST_CASE("infinities") {
  const Tensor x = f32({2}, {kInf, -kInf});
  const struct {
    const char* op;
    float positive, negative;
  } rows[] = {{"Exp", kInf, 0},   {"Tanh", 1, -1},        {"Sigmoid", 1, 0},     {"Relu", kInf, 0}, {"Erf", 1, -1},
              {"Abs", kInf, kInf}, {"Floor", kInf, -kInf}, {"Round", kInf, -kInf}, {"Atan", 1.5707964f, -1.5707964f},
              {"Softplus", kInf, 0}, {"Softsign", 1, -1}, {"HardSigmoid", 1, 0}, {"Elu", kInf, -1}, {"Sign", 1, -1},
              {"Reciprocal", 0, 0}, {"Sin", kNaN, kNaN}, {"Sqrt", kInf, kNaN}, {"Log", kInf, kNaN}};
  for (const auto& row : rows) {
    for (const DType t : {DType::kFloat32, DType::kFloat64}) {
      INFO(text("{} {}", row.op, t));
      const Tensor in = make(t, {2}, to_doubles(x));
      const Tensor want = make(t, {2}, {static_cast<double>(row.positive), static_cast<double>(row.negative)});
      CHECK(difference(run_op({.op = row.op, .inputs = {in}})[0], want, 1e-6) == "");
    }
  }
}

TEST_CASE("integer functions") {
  for (const DType t : {DType::kInt8, DType::kInt16, DType::kInt32, DType::kInt64}) {
    const Tensor x = make(t, {3}, {-3, 0, 5});
    INFO(dtype_name(t));
    check_rows({
        {"Abs", {.op = "Abs", .inputs = {x}}, make(t, {3}, {3, 0, 5})},
        {"Neg", {.op = "Neg", .inputs = {x}}, make(t, {3}, {3, 0, -5})},
        {"Sign", {.op = "Sign", .inputs = {x}}, make(t, {3}, {-1, 0, 1})},
        {"Relu", {.op = "Relu", .inputs = {x}}, make(t, {3}, {0, 0, 5})},
    });
  }
  const Tensor big = Tensor::scalar<uint64_t>(UINT64_MAX);
  check_rows({
      {"Abs of uint64", {.op = "Abs", .inputs = {big}}, big},
      {"Sign of uint64", {.op = "Sign", .inputs = {big}}, Tensor::scalar<uint64_t>(1)},
      {"Abs of the least int64 wraps", {.op = "Abs", .inputs = {i64({1}, {INT64_MIN})}}, i64({1}, {INT64_MIN})},
      {"Neg of the least int8 wraps", {.op = "Neg", .inputs = {make(DType::kInt8, {1}, {-128})}}, make(DType::kInt8, {1}, {-128})},
  });
  check_failures({
      {"Sqrt of integers", {.op = "Sqrt", .inputs = {i64({1}, {4})}}, ErrorCode::kModel},
      {"Exp of strings", {.op = "Exp", .inputs = {strings({1}, {"1"})}}, ErrorCode::kModel},
      {"Abs of bools", {.op = "Abs", .inputs = {boolean({1}, {true})}}, ErrorCode::kModel},
  });
}

}  // namespace
}  // namespace kinglet::test
