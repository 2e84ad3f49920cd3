#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

TEST_CASE("Min and Max of every number type, one to four inputs") {
  for (const DType t : kNumberDTypes) {
    const Tensor a = make(t, {3}, {3, 2, 1}), b = make(t, {3}, {1, 4, 4}), c = make(t, {3}, {2, 5, 3}), d = make(t, {}, {4});
    INFO(dtype_name(t));
    check_rows({
        {"Max of one", {.op = "Max", .inputs = {a}}, a},
        {"Max of two", {.op = "Max", .inputs = {a, b}}, make(t, {3}, {3, 4, 4})},
        {"Max of three", {.op = "Max", .inputs = {a, b, c}}, make(t, {3}, {3, 5, 4})},
        {"Max of four", {.op = "Max", .inputs = {d, a, b, c}}, make(t, {3}, {4, 5, 4})},
        {"Min of one", {.op = "Min", .inputs = {a}}, a},
        {"Min of two", {.op = "Min", .inputs = {a, b}}, make(t, {3}, {1, 2, 1})},
        {"Min of three", {.op = "Min", .inputs = {a, b, c}}, make(t, {3}, {1, 2, 1})},
        {"Min of four", {.op = "Min", .inputs = {d, a, b, c}}, make(t, {3}, {1, 2, 1})},
    });
  }
}

TEST_CASE("Min, Max, Sum and Mean broadcast") {
  const Tensor column = f32({2, 1}, {1, 4}), row = f32({3}, {0, 2, 5}), cube = f32({2, 1, 1}, {3, -1});
  check_rows({
      {"Max", {.op = "Max", .inputs = {column, row, cube}}, f32({2, 2, 3}, {3, 3, 5, 4, 4, 5, 1, 2, 5, 4, 4, 5})},
      {"Min", {.op = "Min", .inputs = {column, row, cube}}, f32({2, 2, 3}, {0, 1, 1, 0, 2, 3, -1, -1, -1, -1, -1, -1})},
      {"Sum", {.op = "Sum", .inputs = {column, row, cube}}, f32({2, 2, 3}, {4, 6, 9, 7, 9, 12, 0, 2, 5, 3, 5, 8})},
      {"Mean of two", {.op = "Mean", .inputs = {column, row}}, f32({2, 3}, {0.5, 1.5, 3, 2, 3, 4.5})},
      {"scalars to a grid", {.op = "Max", .inputs = {f32({}, {1}), f32({1}, {2}), column}}, f32({2, 1}, {2, 4})},
      {"empty", {.op = "Max", .inputs = {iota({0, 3}), row}}, iota({0, 3})},
  });
}

TEST_CASE("NaN wins in Min and Max, wherever it stands") {
  for (const DType t : kFloatDTypes) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const Tensor a = make(t, {3}, {nan, 1, 2}), b = make(t, {3}, {1, nan, 3}), nans = make(t, {2}, {nan, nan});
    for (const char* op : {"Min", "Max"}) {
      INFO(text("{} {}", op, t));
      const Tensor y = run_op({.op = op, .inputs = {a, b}})[0];
      const std::vector<double> values = to_doubles(y);
      CHECK(std::isnan(values[0]));
      CHECK(std::isnan(values[1]));
      CHECK(values[2] == (std::string_view(op) == "Min" ? 2 : 3));
    }
  }
}

TEST_CASE("uint64 and int64 compare as what they are") {
  check_rows({
      {"uint64", {.op = "Max", .inputs = {Tensor::scalar<uint64_t>(UINT64_MAX), Tensor::scalar<uint64_t>(1)}},
       Tensor::scalar<uint64_t>(UINT64_MAX)},
      {"int64", {.op = "Max", .inputs = {i64({}, {-1}), i64({}, {1})}}, i64({}, {1})},
  });
}

TEST_CASE("Sum and Mean round half types once") {
  // In float16 1 + 2048 is 2048, twice; the sum of all three is 2050.
  const auto h = [](double v) { return make(DType::kFloat16, {}, {v}); };
  check_rows({
      {"Sum", {.op = "Sum", .inputs = {h(2048), h(1), h(1)}}, h(2050)},
      {"Sum of one", {.op = "Sum", .inputs = {h(3)}}, h(3)},
      {"Mean", {.op = "Mean", .inputs = {h(2048), h(1), h(1)}}, h(683.5)},
      {"float64", {.op = "Mean", .inputs = {f64({2}, {1, 2}), f64({2}, {2, 4})}}, f64({2}, {1.5, 3})},
  });
}

TEST_CASE("Min, Max, Sum and Mean refuse what does not fit") {
  check_failures({
      {"no input", {.op = "Max"}, ErrorCode::kModel},
      {"types", {.op = "Max", .inputs = {iota({1}), i64({1}, {1})}}, ErrorCode::kModel},
      {"integers in Sum", {.op = "Sum", .inputs = {i64({1}, {1})}}, ErrorCode::kModel},
      {"shapes", {.op = "Min", .inputs = {iota({2}), iota({1}), iota({3})}}, ErrorCode::kShape},
  });
}

}  // namespace
}  // namespace kinglet::test
