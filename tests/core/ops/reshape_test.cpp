#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

OpCall reshape(Tensor x, std::initializer_list<int64_t> shape, int allow_zero = 0) {
  return {.op = "Reshape",
          .attributes = {attr("allowzero", allow_zero)},
          .inputs = {std::move(x), i64({static_cast<int64_t>(shape.size())}, shape)}};
}

OpCall flatten(Tensor x, int axis) {
  return {.op = "Flatten", .attributes = {attr("axis", axis)}, .inputs = {std::move(x)}};
}

OpCall with_axes(const char* op, Tensor x, Tensor axes) {
  return {.op = op, .inputs = {std::move(x), std::move(axes)}};
}

OpCall with_axes_attribute(const char* op, Tensor x, std::vector<int64_t> axes) {
  return {
      .op = op, .opset = 11, .attributes = {attr_ints("axes", std::move(axes))}, .inputs = {std::move(x)}};
}

}  // namespace

TEST_CASE("Reshape") {
  const Tensor x = iota({2, 3, 4});
  check_rows({
      {"other dims", reshape(x, {4, 6}), {iota({4, 6})}},
      {"-1 takes the rest", reshape(x, {3, -1}), {iota({3, 8})}},
      {"0 copies a dim", reshape(x, {0, 12}), {iota({2, 12})}},
      {"0 and -1", reshape(x, {-1, 0}), {iota({8, 3})}},
      {"to a scalar", reshape(f32({1, 1}, {5}), {}), {f32({}, {5})}},
      {"from a scalar", reshape(f32({}, {5}), {1, -1}), {f32({1, 1}, {5})}},
      {"nothing, 0 copied", reshape(f32({0, 3}, {}), {0, -1}), {f32({0, 3}, {})}},
      {"nothing, 0 written", reshape(f32({0, 3}, {}), {5, 0}, 1), {f32({5, 0}, {})}},
      {"nothing, -1 beside a number", reshape(f32({0, 3}, {}), {3, -1}), {f32({3, 0}, {})}},
      {"opset 5", {.op = "Reshape", .opset = 5, .inputs = {x, i64({1}, {-1})}}, {iota({24})}},
      {"strings", reshape(strings({2}, {"a", "b"}), {2, 1}), {strings({2, 1}, {"a", "b"})}},
  });
  check_failures({
      {"too few elements", reshape(x, {5, 5}), ErrorCode::kShape, "24"},
      {"no whole rows", reshape(x, {5, -1}), ErrorCode::kShape, "24"},
      {"two -1", reshape(x, {-1, -1})},
      {"a dim of -2", reshape(x, {-2, 12}), ErrorCode::kShape, "-2"},
      {"0 past the input's rank", reshape(f32({2}, {1, 2}), {2, 0})},
      {"-1 beside an empty dim", reshape(f32({3, 0}, {}), {0, 0, -1}, 1)},
      {"elements that overflow", reshape(x, {int64_t{1} << 62, 8, -1})},
      {"float shape", {.op = "Reshape", .inputs = {x, f32({1}, {24})}}, ErrorCode::kModel},
  });
}

TEST_CASE("Flatten") {
  const Tensor x = iota({2, 3, 4});
  check_rows({
      {"default", {.op = "Flatten", .inputs = {x}}, {iota({2, 12})}},
      {"axis 0", flatten(x, 0), {iota({1, 24})}},
      {"axis 2", flatten(x, 2), {iota({6, 4})}},
      {"axis = rank", flatten(x, 3), {iota({24, 1})}},
      {"negative axis", flatten(x, -1), {iota({6, 4})}},
      {"a scalar", flatten(f32({}, {5}), 0), {f32({1, 1}, {5})}},
      {"nothing", flatten(f32({2, 0, 4}, {}), 1), {f32({2, 0}, {})}},
  });
  check_failures(
      {{"axis past the rank", flatten(x, 4), ErrorCode::kShape, "axis 4"}, {"axis before", flatten(x, -4)}});
}

TEST_CASE("Squeeze") {
  const Tensor x = iota({1, 3, 1});
  check_rows({
      {"all", {.op = "Squeeze", .inputs = {x}}, {iota({3})}},
      {"one axis", with_axes("Squeeze", x, i64({1}, {0})), {iota({3, 1})}},
      {"negative axis", with_axes("Squeeze", x, i64({1}, {-1})), {iota({1, 3})}},
      {"two axes by attribute", with_axes_attribute("Squeeze", x, {2, 0}), {iota({3})}},
      {"all, opset 1", {.op = "Squeeze", .opset = 1, .inputs = {x}}, {iota({3})}},
      {"no axes", with_axes("Squeeze", x, i64({0}, {})), {x}},
      {"a shape element", with_axes("Squeeze", i64({1}, {7}), i64({1}, {0})), {i64({}, {7})}},
  });
  check_failures({
      {"a dim that is not 1", with_axes("Squeeze", x, i64({1}, {1})), ErrorCode::kShape, "dim 1 is 3"},
      {"axis past the rank", with_axes("Squeeze", x, i64({1}, {3})), ErrorCode::kShape, "axis 3"},
      {"an axis twice", with_axes("Squeeze", x, i64({2}, {0, -3}))},
  });
}

TEST_CASE("Unsqueeze") {
  const Tensor x = iota({3, 2});
  check_rows({
      {"front", with_axes("Unsqueeze", x, i64({1}, {0})), {iota({1, 3, 2})}},
      {"several, unsorted", with_axes("Unsqueeze", x, i64({2}, {3, 1})), {iota({3, 1, 2, 1})}},
      {"negative counts in the output", with_axes("Unsqueeze", x, i64({1}, {-1})), {iota({3, 2, 1})}},
      {"by attribute", with_axes_attribute("Unsqueeze", x, {0, 2}), {iota({1, 3, 1, 2})}},
      {"a scalar", with_axes("Unsqueeze", i64({}, {7}), i64({1}, {0})), {i64({1}, {7})}},
  });
  check_failures({
      {"axis past the output's rank", with_axes("Unsqueeze", x, i64({1}, {3})), ErrorCode::kShape, "axis 3"},
      {"an axis twice", with_axes("Unsqueeze", x, i64({2}, {0, 0}))},
      {"more dims than any tensor has",
       with_axes_attribute("Unsqueeze", x, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14})},
      {"no axes", {.op = "Unsqueeze", .inputs = {x}}, ErrorCode::kModel},
  });
}

}  // namespace kinglet::test
