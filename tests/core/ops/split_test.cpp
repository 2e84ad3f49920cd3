#include "ops/support/rows.hpp"

namespace kinglet::test {

TEST_CASE("Split") {
  const Tensor x = iota({6}, 1), m = iota({2, 4}, 1);
  check_rows({
      {"equal parts, opset 2",
       {.op = "Split", .opset = 2, .inputs = {x}, .outputs = 3},
       {f32({2}, {1, 2}), f32({2}, {3, 4}), f32({2}, {5, 6})}},
      {"lengths by attribute, opset 11",
       {.op = "Split",
        .opset = 11,
        .attributes = {attr("axis", -1), attr_ints("split", {3, 1})},
        .inputs = {m},
        .outputs = 2},
       {f32({2, 3}, {1, 2, 3, 5, 6, 7}), f32({2, 1}, {4, 8})}},
      {"lengths by input, opset 13",
       {.op = "Split",
        .opset = 13,
        .attributes = {attr("axis", 1)},
        .inputs = {m, i64({2}, {1, 3})},
        .outputs = 2},
       {f32({2, 1}, {1, 5}), f32({2, 3}, {2, 3, 4, 6, 7, 8})}},
      {"a length of 0",
       {.op = "Split", .inputs = {x, i64({3}, {2, 0, 4})}, .outputs = 3},
       {f32({2}, {1, 2}), f32({0}, {}), f32({4}, {3, 4, 5, 6})}},
      {"uneven, opset 18",
       {.op = "Split", .attributes = {attr("num_outputs", 4)}, .inputs = {iota({7})}, .outputs = 4},
       {f32({2}, {0, 1}), f32({2}, {2, 3}), f32({2}, {4, 5}), f32({1}, {6})}},
      {"more parts than elements are left for, opset 18",
       {.op = "Split", .attributes = {attr("num_outputs", 4)}, .inputs = {iota({5})}, .outputs = 4},
       {f32({2}, {0, 1}), f32({2}, {2, 3}), f32({1}, {4}), f32({0}, {})}},
      {"an output that nobody reads",
       {.op = "Split", .inputs = {x, i64({3}, {1, 2, 3})}, .outputs = 3, .unwanted = {false, true, false}},
       {f32({1}, {1}), {}, f32({3}, {4, 5, 6})}},
      {"nothing to split",
       {.op = "Split", .opset = 13, .inputs = {f32({0, 2}, {})}, .outputs = 2},
       {f32({0, 2}, {}), f32({0, 2}, {})}},
      {"shape elements",
       {.op = "Split", .opset = 13, .inputs = {i64({4}, {1, 2, 3, 4})}, .outputs = 2},
       {i64({2}, {1, 2}), i64({2}, {3, 4})}},
  });
}

TEST_CASE("Split refuses") {
  const Tensor x = iota({6}, 1);
  check_failures({
      {"no equal parts before opset 18",
       {.op = "Split", .opset = 13, .inputs = {x}, .outputs = 4},
       ErrorCode::kShape,
       "6 elements"},
      {"lengths too long",
       {.op = "Split", .inputs = {x, i64({2}, {3, 4})}, .outputs = 2},
       ErrorCode::kShape,
       "sum to 7"},
      {"negative length",
       {.op = "Split", .inputs = {x, i64({2}, {7, -1})}, .outputs = 2},
       ErrorCode::kShape,
       "-1"},
      {"lengths that overflow",
       {.op = "Split", .inputs = {x, i64({3}, {INT64_MAX, INT64_MAX, 8})}, .outputs = 3}},
      {"too few lengths", {.op = "Split", .inputs = {x, i64({1}, {6})}, .outputs = 2}},
      {"axis", {.op = "Split", .attributes = {attr("axis", 1)}, .inputs = {x}, .outputs = 2}},
      {"num_outputs below the outputs",
       {.op = "Split", .attributes = {attr("num_outputs", 2)}, .inputs = {x}, .outputs = 3},
       ErrorCode::kModel},
  });
}

}  // namespace kinglet::test
