#include <random>

#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

/// The definition in float64 over [outer, n, inner].
Tensor by_definition(std::string_view op, const Tensor& x, size_t outer, size_t n, size_t inner) {
  std::vector<double> v = to_doubles(x);
  for (size_t o = 0; o < outer; ++o) {
    for (size_t i = 0; i < inner; ++i) {
      const auto at = [&](size_t j) -> double& { return v[(o * n + j) * inner + i]; };
      double greatest = at(0), sum = 0;
      size_t first = 0;
      for (size_t j = 1; j < n; ++j) {
        if (at(j) > greatest) greatest = at(first = j);
      }
      for (size_t j = 0; j < n; ++j) sum += std::exp(at(j) - greatest);
      for (size_t j = 0; j < n; ++j) {
        at(j) = op == "Softmax"      ? std::exp(at(j) - greatest) / sum
                : op == "LogSoftmax" ? at(j) - greatest - std::log(sum)
                                     : (j == first ? 1 : 0);
      }
    }
  }
  return make(x.dtype(), x.shape(), v);
}

double tolerance(DType t) {
  return t == DType::kFloat64 ? 1e-14 : t == DType::kFloat32 ? 2e-6 : t == DType::kFloat16 ? 1e-3 : 1e-2;
}

TEST_CASE("Softmax, LogSoftmax and Hardmax along every axis") {
  std::mt19937 random(5);
  std::uniform_real_distribution<double> value(-4, 4);
  for (const Shape& shape : {Shape{7}, Shape{3, 5}, Shape{2, 3, 4}, Shape{2, 1, 3, 9}}) {
    std::vector<double> values(shape.count());
    for (double& v : values) v = value(random);
    for (const char* op : {"Softmax", "LogSoftmax", "Hardmax"}) {
      for (const DType t : kFloatDTypes) {
        const Tensor x = make(t, shape, values);
        for (size_t axis = 0; axis < shape.rank(); ++axis) {
          INFO(text("{} {} {} axis {}", op, t, shape, axis));
          const auto a = static_cast<int64_t>(axis);
          const size_t outer = shape.count(0, axis), n = static_cast<size_t>(shape[axis]), inner = shape.count(axis + 1, shape.rank());
          const Tensor want = by_definition(op, x, outer, n, inner);
          CHECK(difference(run_op({.op = op, .opset = 13, .attributes = {attr("axis", a)}, .inputs = {x}})[0], want, tolerance(t)) == "");
          // Before opset 13 the dims from the axis on are one row.
          const Tensor flat = by_definition(op, x, outer, n * inner, 1);
          CHECK(difference(run_op({.op = op, .opset = 11, .attributes = {attr("axis", a)}, .inputs = {x}})[0], flat, tolerance(t)) == "");
        }
      }
    }
  }
}

TEST_CASE("the default axis is -1, and before opset 13 it is 1") {
  const Tensor x = iota({2, 2, 2});
  for (const char* op : {"Softmax", "LogSoftmax", "Hardmax"}) {
    INFO(op);
    CHECK(difference(run_op({.op = op, .inputs = {x}})[0], by_definition(op, x, 4, 2, 1), 1e-6) == "");
    CHECK(difference(run_op({.op = op, .opset = 7, .inputs = {x}})[0], by_definition(op, x, 2, 4, 1), 1e-6) == "");
    CHECK(difference(run_op({.op = op, .opset = 11, .attributes = {attr("axis", -1)}, .inputs = {x}})[0], by_definition(op, x, 4, 2, 1), 1e-6) == "");
  }
}

TEST_CASE("Softmax at the edges") {
  check_rows({
      {"great numbers", {.op = "Softmax", .inputs = {f32({2}, {1000, 1000})}}, f32({2}, {0.5, 0.5})},
      {"-inf is nothing", {.op = "Softmax", .inputs = {f32({2}, {-kInf, 3})}}, f32({2}, {0, 1})},
      {"one element", {.op = "LogSoftmax", .inputs = {f32({3, 1}, {1, 2, 3})}}, f32({3, 1}, {0, 0, 0})},
      {"first of equals", {.op = "Hardmax", .inputs = {f32({3}, {1, 2, 2})}}, f32({3}, {0, 1, 0})},
      {"empty", {.op = "Softmax", .inputs = {iota({2, 0})}}, iota({2, 0})},
      {"empty rows", {.op = "Softmax", .attributes = {attr("axis", 0)}, .inputs = {iota({0, 2})}}, iota({0, 2})},
  });
  for (const DType t : kFloatDTypes) {
    const Tensor y = run_op({.op = "Softmax", .inputs = {make(t, {2}, {std::nan(""), 1})}})[0];
    CHECK(std::isnan(to_doubles(y)[1]));
  }
  check_failures({
      {"axis outside", {.op = "Softmax", .attributes = {attr("axis", 2)}, .inputs = {iota({2, 2})}}, ErrorCode::kShape},
      {"axis outside, flattening", {.op = "Softmax", .opset = 11, .attributes = {attr("axis", 3)}, .inputs = {iota({2, 2})}}, ErrorCode::kShape},
      {"integers", {.op = "Softmax", .inputs = {i64({2}, {1, 2})}}, ErrorCode::kModel},
  });
}

}  // namespace
}  // namespace kinglet::test
