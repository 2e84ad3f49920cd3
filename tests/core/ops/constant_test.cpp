#include <limits>

#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

OpCall constant(Attribute value) { return {.op = "Constant", .attributes = {std::move(value)}}; }

OpCall filled(Tensor shape, std::vector<Attribute> value = {}) {
  return {.op = "ConstantOfShape", .attributes = std::move(value), .inputs = {std::move(shape)}};
}

OpCall range(Tensor start, Tensor limit, Tensor delta) {
  return {.op = "Range", .inputs = {std::move(start), std::move(limit), std::move(delta)}};
}

OpCall eye(Tensor like, std::vector<Attribute> attributes = {}) {
  return {.op = "EyeLike", .attributes = std::move(attributes), .inputs = {std::move(like)}};
}

}  // namespace

TEST_CASE("Constant") {
  check_rows({
      {"tensor", constant(attr("value", iota({2, 2}))), {iota({2, 2})}},
      {"sparse tensor, which the reader makes dense", constant(attr("sparse_value", iota({3}))), {iota({3})}},
      {"float", constant(attr("value_float", 1.5f)), {f32({}, {1.5f})}},
      {"int", constant(attr("value_int", -3)), {i64({}, {-3})}},
      {"string", constant(attr("value_string", "a")), {strings({}, {"a"})}},
      {"floats", constant(attr_floats("value_floats", {1, 2})), {f32({2}, {1, 2})}},
      {"ints", constant(attr_ints("value_ints", {3, -1})), {i64({2}, {3, -1})}},
      {"strings", constant(attr_strings("value_strings", {"a", "b"})), {strings({2}, {"a", "b"})}},
      {"no ints", constant(attr_ints("value_ints", {})), {i64({0}, {})}},
  });
  check_failures({
      {"no value", {.op = "Constant"}, ErrorCode::kModel},
      {"a value of the wrong kind", constant(attr("value", 1)), ErrorCode::kModel},
  });
}

TEST_CASE("ConstantOfShape") {
  check_rows({
      {"default", filled(i64({2}, {1, 2})), {f32({1, 2}, {0, 0})}},
      {"int64", filled(i64({1}, {3}), {attr("value", i64({1}, {7}))}), {i64({3}, {7, 7, 7})}},
      {"bool", filled(i64({1}, {2}), {attr("value", boolean({1}, {true}))}), {boolean({2}, {true, true})}},
      {"string", filled(i64({1}, {2}), {attr("value", strings({1}, {"a"}))}), {strings({2}, {"a", "a"})}},
      {"a scalar", filled(i64({0}, {})), {f32({}, {0})}},
      {"nothing", filled(i64({2}, {0, 4})), {f32({0, 4}, {})}},
  });
  check_failures({
      {"negative dim", filled(i64({1}, {-1})), ErrorCode::kShape, "-1"},
      {"too many elements", filled(i64({3}, {1 << 30, 1 << 30, 1 << 30}))},
      {"two values", filled(i64({1}, {1}), {attr("value", iota({2}))}), ErrorCode::kModel},
  });
}

TEST_CASE("Range") {
  check_rows({
      {"up", range(i64({}, {0}), i64({}, {3}), i64({}, {1})), {i64({3}, {0, 1, 2})}},
      {"down", range(i32({}, {10}), i32({}, {4}), i32({}, {-3})), {i32({2}, {10, 7})}},
      {"a step that does not end on the limit",
       range(i64({}, {1}), i64({}, {6}), i64({}, {2})),
       {i64({3}, {1, 3, 5})}},
      {"floats", range(f32({}, {1}), f32({}, {2}), f32({}, {0.25f})), {f32({4}, {1, 1.25f, 1.5f, 1.75f})}},
      {"doubles", range(f64({}, {0}), f64({}, {-1}), f64({}, {-0.5})), {f64({2}, {0, -0.5})}},
      {"int16",
       range(make(DType::kInt16, {}, {-1}), make(DType::kInt16, {}, {2}), make(DType::kInt16, {}, {1})),
       {make(DType::kInt16, {3}, {-1, 0, 1})}},
      {"float16",
       range(make(DType::kFloat16, {}, {0}), make(DType::kFloat16, {}, {1}),
             make(DType::kFloat16, {}, {0.5})),
       {make(DType::kFloat16, {2}, {0, 0.5})}},
      {"wrong direction", range(i64({}, {3}), i64({}, {0}), i64({}, {1})), {i64({0}, {})}},
      {"over the whole of int64",
       range(i64({}, {INT64_MIN}), i64({}, {INT64_MAX}), i64({}, {INT64_MAX})),
       {i64({3}, {INT64_MIN, -1, INT64_MAX - 1})}},
  });
  check_failures({
      {"delta 0", range(i64({}, {0}), i64({}, {3}), i64({}, {0})), ErrorCode::kShape, "delta is 0"},
      {"too many", range(i64({}, {INT64_MIN}), i64({}, {INT64_MAX}), i64({}, {1}))},
      {"infinitely many",
       range(f32({}, {0}), f32({}, {std::numeric_limits<float>::infinity()}), f32({}, {1}))},
      {"not a number", range(f32({}, {0}), f32({}, {std::numeric_limits<float>::quiet_NaN()}), f32({}, {1}))},
      {"a vector", range(i64({2}, {0, 1}), i64({}, {3}), i64({}, {1}))},
      {"types differ", range(i64({}, {0}), i32({}, {3}), i64({}, {1})), ErrorCode::kModel},
  });
}

TEST_CASE("EyeLike") {
  const Tensor x = iota({2, 3});
  check_rows({
      {"default", eye(x), {f32({2, 3}, {1, 0, 0, 0, 1, 0})}},
      {"above", eye(x, {attr("k", 2)}), {f32({2, 3}, {0, 0, 1, 0, 0, 0})}},
      {"below", eye(x, {attr("k", -1)}), {f32({2, 3}, {0, 0, 0, 1, 0, 0})}},
      {"off the matrix", eye(x, {attr("k", INT64_MIN)}), {f32({2, 3}, {0, 0, 0, 0, 0, 0})}},
      {"off the other side", eye(x, {attr("k", INT64_MAX)}), {f32({2, 3}, {0, 0, 0, 0, 0, 0})}},
      {"of a type", eye(x, {attr("dtype", 10)}), {make(DType::kFloat16, {2, 3}, {1, 0, 0, 0, 1, 0})}},
      {"int32", eye(i32({1, 1}, {5})), {i32({1, 1}, {1})}},
  });
  check_failures({
      {"no matrix", eye(iota({2}))},
      {"unknown type", eye(x, {attr("dtype", 99)}), ErrorCode::kModel},
  });
}

}  // namespace kinglet::test
