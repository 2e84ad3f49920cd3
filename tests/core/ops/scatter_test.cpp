#include <limits>

#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

OpCall scatter(const char* op, std::vector<Attribute> attributes, Tensor data, Tensor indices,
               Tensor updates) {
  return {.op = op,
          .attributes = std::move(attributes),
          .inputs = {std::move(data), std::move(indices), std::move(updates)}};
}

Attribute reduction(const char* name) { return attr("reduction", name); }

}  // namespace

TEST_CASE("ScatterND") {
  const Tensor x = iota({4}, 1), m = iota({2, 2}, 1);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  check_rows({
      {"elements",
       scatter("ScatterND", {}, x, i64({2, 1}, {3, -4}), f32({2}, {9, 8})),
       {f32({4}, {8, 2, 3, 9})}},
      {"rows",
       scatter("ScatterND", {}, m, i64({1, 1}, {1}), f32({1, 2}, {9, 8})),
       {f32({2, 2}, {1, 2, 9, 8})}},
      {"the later of two wins",
       scatter("ScatterND", {}, x, i64({2, 1}, {0, 0}), f32({2}, {9, 8})),
       {f32({4}, {8, 2, 3, 4})}},
      {"add, twice the same",
       scatter("ScatterND", {reduction("add")}, x, i64({2, 1}, {0, 0}), f32({2}, {9, 8})),
       {f32({4}, {18, 2, 3, 4})}},
      {"mul, int32",
       scatter("ScatterND", {reduction("mul")}, i32({2}, {3, 4}), i64({1, 1}, {1}), i32({1}, {-5})),
       {i32({2}, {3, -20})}},
      {"sums wrap around",
       scatter("ScatterND", {reduction("add")}, i64({1}, {INT64_MAX}), i64({1, 1}, {0}), i64({1}, {1})),
       {i64({1}, {INT64_MIN})}},
      {"max keeps a NaN",
       scatter("ScatterND", {reduction("max")}, f32({2}, {nan, 1}), i64({2, 1}, {0, 1}), f32({2}, {5, nan})),
       {f32({2}, {nan, nan})}},
      {"min, uint8",
       scatter("ScatterND", {reduction("min")}, u8({2}, {200, 3}), i64({2, 1}, {0, 1}), u8({2}, {100, 9})),
       {u8({2}, {100, 3})}},
      {"add of float16 rounds once",
       scatter("ScatterND", {reduction("add")}, make(DType::kFloat16, {1}, {2048}), i64({1, 1}, {0}),
               make(DType::kFloat16, {1}, {3})),
       {make(DType::kFloat16, {1}, {2052})}},
      {"add of bool is or",
       scatter("ScatterND", {reduction("add")}, boolean({2}, {true, false}), i64({2, 1}, {0, 1}),
               boolean({2}, {true, true})),
       {boolean({2}, {true, true})}},
      {"no updates", scatter("ScatterND", {}, x, i64({0, 1}, {}), f32({0}, {})), {x}},
      {"tuples of nothing replace all",
       scatter("ScatterND", {}, x, i64({1, 0}, {}), f32({1, 4}, {9, 8, 7, 6})),
       {f32({4}, {9, 8, 7, 6})}},
  });
  check_failures({
      {"index past the end", scatter("ScatterND", {}, x, i64({1, 1}, {4}), f32({1}, {0})), ErrorCode::kShape,
       "index 4 is outside of [-4, 4)"},
      {"updates too small", scatter("ScatterND", {}, m, i64({1, 1}, {0}), f32({1, 1}, {0})),
       ErrorCode::kShape, "[1,2]"},
      {"tuples too long", scatter("ScatterND", {}, x, i64({1, 2}, {0, 0}), f32({1}, {0}))},
      {"types differ", scatter("ScatterND", {}, x, i64({1, 1}, {0}), f64({1}, {0})), ErrorCode::kModel},
      {"unknown reduction", scatter("ScatterND", {reduction("mean")}, x, i64({1, 1}, {0}), f32({1}, {0})),
       ErrorCode::kModel, "mean"},
      {"strings do not add",
       scatter("ScatterND", {reduction("add")}, strings({1}, {"a"}), i64({1, 1}, {0}), strings({1}, {"b"})),
       ErrorCode::kModel},
  });
}

TEST_CASE("ScatterElements") {
  const Tensor m = f32({2, 3}, {1, 2, 3, 4, 5, 6});
  check_rows({
      {"rows",
       scatter("ScatterElements", {}, m, i64({1, 2}, {1, 0}), f32({1, 2}, {9, 8})),
       {f32({2, 3}, {1, 8, 3, 9, 5, 6})}},
      {"columns, negative index",
       scatter("ScatterElements", {attr("axis", 1)}, m, i32({2, 1}, {-1, 0}), f32({2, 1}, {9, 8})),
       {f32({2, 3}, {1, 2, 9, 8, 5, 6})}},
      {"add, twice the same",
       scatter("ScatterElements", {attr("axis", -1), reduction("add")}, m, i64({1, 2}, {0, 0}),
               f32({1, 2}, {10, 100})),
       {f32({2, 3}, {111, 2, 3, 4, 5, 6})}},
      {"mul",
       scatter("ScatterElements", {reduction("mul")}, m, i64({1, 1}, {1}), f32({1, 1}, {3})),
       {f32({2, 3}, {1, 2, 3, 12, 5, 6})}},
      {"max",
       scatter("ScatterElements", {reduction("max")}, m, i64({1, 2}, {0, 0}), f32({1, 2}, {0, 9})),
       {f32({2, 3}, {1, 9, 3, 4, 5, 6})}},
      {"min",
       scatter("ScatterElements", {reduction("min")}, m, i64({1, 2}, {0, 0}), f32({1, 2}, {0, 9})),
       {f32({2, 3}, {0, 2, 3, 4, 5, 6})}},
      {"strings",
       scatter("ScatterElements", {}, strings({2}, {"a", "b"}), i64({1}, {1}), strings({1}, {"c"})),
       {strings({2}, {"a", "c"})}},
      {"no updates", scatter("ScatterElements", {}, m, i64({0, 3}, {}), f32({0, 3}, {})), {m}},
      {"Scatter, opset 9",
       {.op = "Scatter", .opset = 9, .inputs = {m, i64({1, 2}, {1, 0}), f32({1, 2}, {9, 8})}},
       {f32({2, 3}, {1, 8, 3, 9, 5, 6})}},
  });
  check_failures({
      {"index past the end", scatter("ScatterElements", {}, m, i64({1, 1}, {2}), f32({1, 1}, {0})),
       ErrorCode::kShape, "index 2 is outside of [-2, 2)"},
      {"indices wider than data",
       scatter("ScatterElements", {}, m, i64({1, 4}, {0, 0, 0, 0}), f32({1, 4}, {0, 0, 0, 0}))},
      {"updates of another shape", scatter("ScatterElements", {}, m, i64({1, 2}, {0, 0}), f32({1, 1}, {0}))},
      {"types differ", scatter("ScatterElements", {}, m, i64({1, 1}, {0}), i32({1, 1}, {0})),
       ErrorCode::kModel},
  });
}

}  // namespace kinglet::test
