#include "ops/support/rows.hpp"

// Unique, Det.

namespace kinglet::test {
namespace {

OpCall unique(Tensor x, std::vector<Attribute> attributes = {}) {
  return {.op = "Unique", .attributes = std::move(attributes), .inputs = {std::move(x)}, .outputs = 4};
}

OpCall det(Tensor x) { return {.op = "Det", .inputs = {std::move(x)}}; }

}  // namespace

TEST_CASE("Unique") {
  const Tensor x = f32({6}, {2, 1, 1, 3, 4, 3});
  const Tensor rows = i32({3, 2}, {2, 3, 1, 0, 2, 3});
  const Attribute as_found = attr("sorted", 0);
  OpCall counts_only = unique(x);
  counts_only.unwanted = {true, true, true, false};
  check_rows({
      {"sorted",
       unique(x),
       {f32({4}, {1, 2, 3, 4}), i64({4}, {1, 0, 3, 4}), i64({6}, {1, 0, 0, 2, 3, 2}), i64({4}, {2, 1, 2, 1})}},
      {"as found",
       unique(x, {as_found}),
       {f32({4}, {2, 1, 3, 4}), i64({4}, {0, 1, 3, 4}), i64({6}, {0, 1, 1, 2, 3, 2}), i64({4}, {1, 2, 2, 1})}},
      {"one output of four", counts_only, {Tensor(), Tensor(), Tensor(), i64({4}, {2, 1, 2, 1})}},
      {"rows",
       unique(rows, {attr("axis", 0)}),
       {i32({2, 2}, {1, 0, 2, 3}), i64({2}, {1, 0}), i64({3}, {1, 0, 1}), i64({2}, {1, 2})}},
      {"rows as found",
       unique(rows, {attr("axis", -2), as_found}),
       {i32({2, 2}, {2, 3, 1, 0}), i64({2}, {0, 1}), i64({3}, {0, 1, 0}), i64({2}, {2, 1})}},
      {"columns",
       unique(rows, {attr("axis", 1)}),
       {i32({3, 2}, {2, 3, 1, 0, 2, 3}), i64({2}, {0, 1}), i64({2}, {0, 1}), i64({2}, {1, 1})}},
      {"strings",
       unique(strings({3}, {"b", "", "b"})),
       {strings({2}, {"", "b"}), i64({2}, {1, 0}), i64({3}, {1, 0, 1}), i64({2}, {1, 2})}},
      {"NaN is one value and comes last, -0 is 0",
       unique(f32({5}, {kNaN, -0.0f, kNaN, 0, kInf})),
       {f32({3}, {0, kInf, kNaN}), i64({3}, {1, 4, 0}), i64({5}, {2, 0, 2, 0, 1}), i64({3}, {2, 1, 2})}},
      {"large integers are told apart",
       unique(i64({2}, {INT64_MAX, INT64_MAX - 1})),
       {i64({2}, {INT64_MAX - 1, INT64_MAX}), i64({2}, {1, 0}), i64({2}, {1, 0}), i64({2}, {1, 1})}},
      {"bool",
       unique(boolean({3}, {true, false, true})),
       {boolean({2}, {false, true}), i64({2}, {1, 0}), i64({3}, {1, 0, 1}), i64({2}, {1, 2})}},
      {"a scalar", unique(f32({}, {7})), {f32({1}, {7}), i64({1}, {0}), i64({1}, {0}), i64({1}, {1})}},
      {"nothing", unique(f32({0}, {})), {f32({0}, {}), i64({0}, {}), i64({0}, {}), i64({0}, {})}},
      {"empty slices are alike",
       unique(f32({0, 3}, {}), {attr("axis", 1)}),
       {f32({0, 1}, {}), i64({1}, {0}), i64({3}, {0, 0, 0}), i64({1}, {3})}},
  });
  Tensor complex(DType::kComplex64, {3});
  const float parts[] = {1, 2, 1, 1, 1, 2};
  std::copy_n(parts, 6, reinterpret_cast<float*>(complex.raw()));
  const std::vector<Tensor> got = run_op(unique(complex));
  CHECK(difference(got[1], i64({2}, {1, 0})) == "");
  CHECK(difference(got[3], i64({2}, {1, 2})) == "");
  check_failures({{"axis", unique(x, {attr("axis", 1)})}});
}

TEST_CASE("Det") {
  check_rows({
      {"2 by 2", det(f32({2, 2}, {0, 2, 3, 4})), {f32({}, {-6})}, 1e-6},
      {"a batch", det(f64({2, 1, 1}, {5, -7})), {f64({2}, {5, -7})}},
      {"rows change places", det(f64({3, 3}, {0, 0, 2, 0, 3, 0, 4, 0, 0})), {f64({}, {-24})}, 1e-12},
      {"singular", det(f64({2, 2}, {1, 2, 2, 4})), {f64({}, {0})}},
      {"float16", det(make(DType::kFloat16, {2, 2}, {1, 2, 3, 4})), {make(DType::kFloat16, {}, {-2})}},
      {"of no rows it is 1", det(f32({2, 0, 0}, {})), {f32({2}, {1, 1})}},
      {"no matrix", det(f32({0, 2, 2}, {})), {f32({0}, {})}},
  });
  check_failures({
      {"not square", det(f32({1, 2}, {1, 2}))},
      {"a vector", det(f32({2}, {1, 2}))},
      {"integers", det(i64({1, 1}, {1})), ErrorCode::kModel},
  });
}

}  // namespace kinglet::test
