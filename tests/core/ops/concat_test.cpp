#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

OpCall concat(int axis, std::vector<Tensor> inputs) {
  return {.op = "Concat", .attributes = {attr("axis", axis)}, .inputs = std::move(inputs)};
}

}  // namespace

TEST_CASE("Concat") {
  const Tensor a = f32({2, 2}, {1, 2, 3, 4}), b = f32({2, 1}, {5, 6}), row = f32({1, 2}, {7, 8});
  check_rows({
      {"one input", concat(0, {a}), {a}},
      {"last axis", concat(1, {a, b}), {f32({2, 3}, {1, 2, 5, 3, 4, 6})}},
      {"first axis", concat(0, {a, row}), {f32({3, 2}, {1, 2, 3, 4, 7, 8})}},
      {"negative axis", concat(-2, {row, a}), {f32({3, 2}, {7, 8, 1, 2, 3, 4})}},
      {"middle axis",
       concat(1, {iota({2, 1, 2}), iota({2, 2, 2}, 10)}),
       {f32({2, 3, 2}, {0, 1, 10, 11, 12, 13, 2, 3, 14, 15, 16, 17})}},
      {"an empty input", concat(1, {a, f32({2, 0}, {}), b}), {f32({2, 3}, {1, 2, 5, 3, 4, 6})}},
      {"all empty", concat(0, {f32({0, 2}, {}), f32({0, 2}, {})}), {f32({0, 2}, {})}},
      {"shape elements", concat(0, {i64({1}, {2}), i64({2}, {3, 4})}), {i64({3}, {2, 3, 4})}},
      {"strings",
       concat(0, {strings({1}, {"a"}), strings({1}, {"long enough for the heap"})}),
       {strings({2}, {"a", "long enough for the heap"})}},
  });
}

TEST_CASE("Concat refuses") {
  const Tensor a = f32({2, 2}, {1, 2, 3, 4});
  check_failures({
      {"other dims differ", concat(0, {a, f32({1, 3}, {1, 2, 3})}), ErrorCode::kShape, "2 and 3"},
      {"ranks differ", concat(0, {a, f32({2}, {1, 2})})},
      {"axis out of range", concat(2, {a, a}), ErrorCode::kShape, "axis 2"},
      {"a scalar", concat(0, {f32({}, {1})})},
      {"no inputs", concat(0, {})},
      {"types differ", concat(0, {a, f64({2, 2}, {1, 2, 3, 4})}), ErrorCode::kModel, "float64"},
      {"no axis", {.op = "Concat", .inputs = {a}}, ErrorCode::kModel, "axis"},
  });
}

}  // namespace kinglet::test
