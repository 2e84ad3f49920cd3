#include <limits>

#include "ops/support/rows.hpp"

// NonZero, Compress, OneHot, Trilu, ReverseSequence.

namespace kinglet::test {
namespace {

OpCall non_zero(Tensor x) { return {.op = "NonZero", .inputs = {std::move(x)}}; }

OpCall compress(Tensor x, Tensor condition, std::vector<Attribute> attributes = {}) {
  return {
      .op = "Compress", .attributes = std::move(attributes), .inputs = {std::move(x), std::move(condition)}};
}

OpCall one_hot(Tensor indices, Tensor depth, Tensor values, int axis = -1) {
  return {.op = "OneHot",
          .attributes = {attr("axis", axis)},
          .inputs = {std::move(indices), std::move(depth), std::move(values)}};
}

OpCall trilu(Tensor x, int upper, Tensor k = {}) {
  return {.op = "Trilu", .attributes = {attr("upper", upper)}, .inputs = {std::move(x), std::move(k)}};
}

OpCall reverse(Tensor x, Tensor lengths, int batch_axis) {
  return {.op = "ReverseSequence",
          .attributes = {attr("batch_axis", batch_axis), attr("time_axis", 1 - batch_axis)},
          .inputs = {std::move(x), std::move(lengths)}};
}

}  // namespace

TEST_CASE("NonZero") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  check_rows({
      {"matrix", non_zero(f32({2, 2}, {1, 0, 1, 1})), {i64({2, 3}, {0, 1, 1, 0, 0, 1})}},
      {"bool", non_zero(boolean({3}, {false, true, true})), {i64({1, 2}, {1, 2})}},
      {"-0 is zero, NaN is not", non_zero(f32({3}, {-0.0f, nan, 0})), {i64({1, 1}, {1})}},
      {"the most negative integer is not zero", non_zero(i32({2}, {INT32_MIN, 0})), {i64({1, 1}, {0})}},
      {"-0 in float16", non_zero(make(DType::kFloat16, {2}, {-0.0, -1})), {i64({1, 1}, {1})}},
      {"none", non_zero(i64({2}, {0, 0})), {i64({1, 0}, {})}},
      {"nothing", non_zero(f32({0, 2}, {})), {i64({2, 0}, {})}},
      {"a scalar has no index", non_zero(f32({}, {5})), {i64({0, 1}, {})}},
  });
  check_failures({{"strings", non_zero(strings({1}, {"a"})), ErrorCode::kModel}});
}

TEST_CASE("Compress") {
  const Tensor m = iota({3, 2}, 1);
  check_rows({
      {"rows",
       compress(m, boolean({3}, {false, true, true}), {attr("axis", 0)}),
       {f32({2, 2}, {3, 4, 5, 6})}},
      {"columns, negative axis",
       compress(m, boolean({2}, {false, true}), {attr("axis", -1)}),
       {f32({3, 1}, {2, 4, 6})}},
      {"a short condition",
       compress(m, boolean({2}, {false, true}), {attr("axis", 0)}),
       {f32({1, 2}, {3, 4})}},
      {"flattened", compress(m, boolean({5}, {false, true, false, false, true})), {f32({2}, {2, 5})}},
      {"none", compress(m, boolean({1}, {false})), {f32({0}, {})}},
      {"strings", compress(strings({2}, {"a", "b"}), boolean({2}, {false, true})), {strings({1}, {"b"})}},
  });
  check_failures({
      {"a long condition", compress(m, boolean({3}, {true, true, true}), {attr("axis", 1)})},
      {"a condition of numbers", compress(m, i32({1}, {1})), ErrorCode::kModel},
      {"axis", compress(m, boolean({1}, {true}), {attr("axis", 2)})},
  });
}

TEST_CASE("OneHot") {
  const Tensor off_on = f32({2}, {0, 1});
  check_rows({
      {"last axis", one_hot(i64({2}, {0, 2}), i64({}, {3}), off_on), {f32({2, 3}, {1, 0, 0, 0, 0, 1})}},
      {"first axis", one_hot(i64({2}, {0, 2}), i64({1}, {3}), off_on, 0), {f32({3, 2}, {1, 0, 0, 0, 0, 1})}},
      {"middle axis", one_hot(i64({1, 2}, {1, 0}), i64({}, {2}), off_on, 1), {f32({1, 2, 2}, {0, 1, 1, 0})}},
      {"negative index", one_hot(i64({1}, {-1}), i64({}, {3}), off_on), {f32({1, 3}, {0, 0, 1})}},
      {"outside is all off",
       one_hot(i64({4}, {3, -4, INT64_MIN, INT64_MAX}), i64({}, {3}), f32({2}, {5, 1})),
       {f32({4, 3}, {5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5})}},
      {"a scalar index", one_hot(i32({}, {1}), i32({}, {2}), off_on), {f32({2}, {0, 1})}},
      {"float indices and depth",
       one_hot(f32({2}, {1, 1e30f}), f32({}, {2}), i32({2}, {3, 4})),
       {i32({2, 2}, {3, 4, 3, 3})}},
      {"strings",
       one_hot(u8({1}, {1}), i64({}, {2}), strings({2}, {"off", "on"})),
       {strings({1, 2}, {"off", "on"})}},
      {"no indices", one_hot(i64({0}, {}), i64({}, {3}), off_on), {f32({0, 3}, {})}},
      {"depth 0", one_hot(i64({2}, {0, 1}), i64({}, {0}), off_on), {f32({2, 0}, {})}},
  });
  check_failures({
      {"negative depth", one_hot(i64({1}, {0}), i64({}, {-1}), off_on), ErrorCode::kShape, "-1"},
      {"huge depth", one_hot(i64({1}, {0}), i64({}, {INT64_MAX}), off_on)},
      {"two depths", one_hot(i64({1}, {0}), i64({2}, {1, 2}), off_on)},
      {"one value", one_hot(i64({1}, {0}), i64({}, {2}), f32({1}, {1}))},
      {"axis", one_hot(i64({1}, {0}), i64({}, {2}), off_on, 2), ErrorCode::kShape, "axis 2"},
  });
}

TEST_CASE("Trilu") {
  const Tensor m = iota({3, 3}, 1), wide = iota({2, 3}, 1);
  check_rows({
      {"upper", trilu(m, 1), {f32({3, 3}, {1, 2, 3, 0, 5, 6, 0, 0, 9})}},
      {"lower", trilu(m, 0), {f32({3, 3}, {1, 0, 0, 4, 5, 0, 7, 8, 9})}},
      {"upper is the default", {.op = "Trilu", .inputs = {wide}}, {f32({2, 3}, {1, 2, 3, 0, 5, 6})}},
      {"k 1", trilu(m, 1, i64({}, {1})), {f32({3, 3}, {0, 2, 3, 0, 0, 6, 0, 0, 0})}},
      {"k -1", trilu(m, 0, i64({1}, {-1})), {f32({3, 3}, {0, 0, 0, 4, 0, 0, 7, 8, 0})}},
      {"k off the matrix keeps all", trilu(wide, 1, i64({}, {INT64_MIN})), {wide}},
      {"k off the other side keeps none",
       trilu(wide, 1, i64({}, {INT64_MAX})),
       {f32({2, 3}, {0, 0, 0, 0, 0, 0})}},
      {"lower, k at the limit", trilu(wide, 0, i64({}, {INT64_MAX})), {wide}},
      {"each of several", trilu(iota({2, 2, 2}, 1), 0), {f32({2, 2, 2}, {1, 0, 3, 4, 5, 0, 7, 8})}},
      {"nothing", trilu(f32({2, 0}, {}), 1), {f32({2, 0}, {})}},
  });
  check_failures({
      {"a vector", trilu(iota({3}), 1)},
      {"two k", trilu(m, 1, i64({2}, {0, 1}))},
  });
}

TEST_CASE("ReverseSequence") {
  const Tensor m = iota({2, 3}, 1);
  check_rows({
      {"batch first", reverse(m, i64({2}, {2, 3}), 0), {f32({2, 3}, {2, 1, 3, 6, 5, 4})}},
      {"time first", reverse(m, i64({3}, {1, 2, 0}), 1), {f32({2, 3}, {1, 5, 3, 4, 2, 6})}},
      {"longer elements", reverse(iota({1, 2, 2}), i64({1}, {2}), 0), {f32({1, 2, 2}, {2, 3, 0, 1})}},
  });
  check_failures({
      {"a length past the end", reverse(m, i64({2}, {4, 1}), 0), ErrorCode::kShape, "4"},
      {"a negative length", reverse(m, i64({2}, {-1, 1}), 0), ErrorCode::kShape, "-1"},
      {"too few lengths", reverse(m, i64({1}, {1}), 0)},
      {"axes",
       {.op = "ReverseSequence",
        .attributes = {attr("batch_axis", 1), attr("time_axis", 1)},
        .inputs = {m, i64({3}, {1, 1, 1})}},
       ErrorCode::kModel},
  });
}

}  // namespace kinglet::test
