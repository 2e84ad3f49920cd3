#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

OpCall slice(Tensor x, Tensor starts, Tensor ends, Tensor axes = {}, Tensor steps = {}) {
  return {.op = "Slice",
          .inputs = {std::move(x), std::move(starts), std::move(ends), std::move(axes), std::move(steps)}};
}

}  // namespace

TEST_CASE("Slice") {
  const Tensor x = iota({5}), m = iota({2, 3});
  check_rows({
      {"x[1:3]", slice(x, i64({1}, {1}), i64({1}, {3})), {f32({2}, {1, 2})}},
      {"x[-3:-1]", slice(x, i64({1}, {-3}), i64({1}, {-1})), {f32({2}, {2, 3})}},
      {"x[2:1000]", slice(x, i64({1}, {2}), i64({1}, {1000})), {f32({3}, {2, 3, 4})}},
      {"x[-1000:2]", slice(x, i64({1}, {-1000}), i64({1}, {2})), {f32({2}, {0, 1})}},
      {"x[3:1] is empty", slice(x, i64({1}, {3}), i64({1}, {1})), {f32({0}, {})}},
      {"x[::2]", slice(x, i64({1}, {0}), i64({1}, {INT64_MAX}), {}, i64({1}, {2})), {f32({3}, {0, 2, 4})}},
      {"x[::-1]",
       slice(x, i64({1}, {-1}), i64({1}, {INT64_MIN}), i64({1}, {0}), i64({1}, {-1})),
       {f32({5}, {4, 3, 2, 1, 0})}},
      {"x[10:0:-3]",
       slice(x, i64({1}, {10}), i64({1}, {0}), i64({1}, {0}), i64({1}, {-3})),
       {f32({2}, {4, 1})}},
      {"a start before the first element begins at it when stepping backwards",
       slice(x, i64({1}, {INT64_MIN}), i64({1}, {INT64_MIN}), {}, i64({1}, {-1})),
       {f32({1}, {0})}},
      {"steps at the limits",
       slice(x, i64({1}, {0}), i64({1}, {5}), {}, i64({1}, {INT64_MAX})),
       {f32({1}, {0})}},
      {"steps at the other limit",
       slice(x, i64({1}, {4}), i64({1}, {INT64_MIN}), {}, i64({1}, {INT64_MIN})),
       {f32({1}, {4})}},
      {"m[1:, ::-1]",
       slice(m, i64({2}, {1, -1}), i64({2}, {2, -10}), {}, i64({2}, {1, -1})),
       {f32({1, 3}, {5, 4, 3})}},
      {"axes omitted are the first ones", slice(m, i64({1}, {1}), i64({1}, {2})), {f32({1, 3}, {3, 4, 5})}},
      {"axes in any order, int32",
       slice(m, i32({2}, {1, 0}), i32({2}, {3, 1}), i32({2}, {1, -2})),
       {f32({1, 2}, {1, 2})}},
      {"attributes, opset 9",
       {.op = "Slice",
        .opset = 9,
        .attributes = {attr_ints("starts", {1}), attr_ints("ends", {INT64_MAX}), attr_ints("axes", {1})},
        .inputs = {m}},
       {f32({2, 2}, {1, 2, 4, 5})}},
      {"attributes without axes, opset 1",
       {.op = "Slice",
        .opset = 1,
        .attributes = {attr_ints("starts", {0, 1}), attr_ints("ends", {1, -1})},
        .inputs = {m}},
       {f32({1, 1}, {1})}},
      {"of nothing", slice(f32({0, 3}, {}), i64({1}, {0}), i64({1}, {3})), {f32({0, 3}, {})}},
      {"of nothing, backwards",
       slice(f32({0}, {}), i64({1}, {-1}), i64({1}, {-9}), {}, i64({1}, {-1})),
       {f32({0}, {})}},
      {"shape elements, backwards",
       slice(i64({3}, {2, 3, 4}), i64({1}, {-1}), i64({1}, {0}), {}, i64({1}, {-1})),
       {i64({2}, {4, 3})}},
  });
}

TEST_CASE("Slice refuses") {
  const Tensor x = iota({5});
  check_failures({
      {"step 0", slice(x, i64({1}, {0}), i64({1}, {5}), {}, i64({1}, {0})), ErrorCode::kShape, "step of 0"},
      {"axis out of range", slice(x, i64({1}, {0}), i64({1}, {5}), i64({1}, {1})), ErrorCode::kShape,
       "axis 1"},
      {"an axis twice", slice(iota({2, 2}), i64({2}, {0, 0}), i64({2}, {1, 1}), i64({2}, {0, -2}))},
      {"fewer ends", slice(iota({2, 2}), i64({2}, {0, 0}), i64({1}, {1}))},
      {"more starts than dims", slice(x, i64({2}, {0, 0}), i64({2}, {1, 1}))},
      {"float starts", slice(x, f32({1}, {0}), i64({1}, {5})), ErrorCode::kModel},
  });
}

}  // namespace kinglet::test
