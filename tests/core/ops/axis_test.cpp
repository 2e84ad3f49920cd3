#include <random>

#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

TEST_CASE("ArgMax and ArgMin of every number type") {
  for (const DType t : kNumberDTypes) {
    const Tensor x = make(t, {2, 3}, {3, 1, 3, 2, 5, 1});
    INFO(dtype_name(t));
    check_rows({
        {"default axis 0", {.op = "ArgMax", .inputs = {x}}, i64({1, 3}, {0, 1, 0})},
        {"rows", {.op = "ArgMax", .attributes = {attr("axis", 1)}, .inputs = {x}}, i64({2, 1}, {0, 1})},
        {"last of equals", {.op = "ArgMax", .attributes = {attr("axis", -1), attr("select_last_index", 1)}, .inputs = {x}},
         i64({2, 1}, {2, 1})},
        {"keepdims 0", {.op = "ArgMax", .attributes = {attr("axis", 1), attr("keepdims", 0)}, .inputs = {x}}, i64({2}, {0, 1})},
        {"least", {.op = "ArgMin", .attributes = {attr("axis", 1)}, .inputs = {x}}, i64({2, 1}, {1, 2})},
        {"least of columns", {.op = "ArgMin", .attributes = {attr("axis", 0)}, .inputs = {x}}, i64({1, 3}, {1, 0, 1})},
    });
  }
}

TEST_CASE("ArgMax: NaN, signs, long axes") {
  std::vector<double> values(1000, 0);
  values[777] = 1;
  check_rows({
      {"first NaN", {.op = "ArgMax", .inputs = {f32({4}, {1, kNaN, 9, kNaN})}}, i64({1}, {1})},
      {"last NaN", {.op = "ArgMax", .attributes = {attr("select_last_index", 1)}, .inputs = {f32({4}, {1, kNaN, 9, kNaN})}}, i64({1}, {3})},
      {"NaN in ArgMin", {.op = "ArgMin", .inputs = {f32({3}, {1, kNaN, -9})}}, i64({1}, {1})},
      {"all -inf", {.op = "ArgMax", .inputs = {f32({2}, {-kInf, -kInf})}}, i64({1}, {0})},
      {"uint64", {.op = "ArgMax", .inputs = {Tensor::from<uint64_t>({2}, std::vector<uint64_t>{1, UINT64_MAX})}}, i64({1}, {1})},
      {"long", {.op = "ArgMax", .attributes = {attr("axis", 1)}, .inputs = {make(DType::kFloat16, {1, 1000}, values)}}, i64({1, 1}, {777})},
      {"many lanes", {.op = "ArgMax", .attributes = {attr("axis", 0), attr("keepdims", 0)}, .inputs = {make(DType::kFloat32, {2, 500}, values)}},
       make(DType::kInt64, {500}, [] { std::vector<double> v(500, 0); v[277] = 1; return v; }())},
      {"outer of nothing", {.op = "ArgMax", .attributes = {attr("axis", 1)}, .inputs = {iota({0, 3})}}, i64({0, 1}, {})},
  });
  check_failures({
      {"empty axis", {.op = "ArgMax", .attributes = {attr("axis", 1)}, .inputs = {iota({3, 0})}}, ErrorCode::kShape},
      {"axis outside", {.op = "ArgMax", .attributes = {attr("axis", 2)}, .inputs = {iota({3, 2})}}, ErrorCode::kShape},
      {"scalar", {.op = "ArgMin", .inputs = {f32({}, {1})}}, ErrorCode::kShape},
      {"bool", {.op = "ArgMin", .inputs = {boolean({1}, {true})}}, ErrorCode::kModel},
  });
}

void check_top_k(const OpCall& call, const Tensor& values, const Tensor& indices) {
  OpCall both = call;
  both.outputs = 2;
  const std::vector<Tensor> y = run_op(both);
  CHECK(difference(y[0], values) == "");
  CHECK(difference(y[1], indices) == "");
}

TEST_CASE("TopK of every number type") {
  for (const DType t : kNumberDTypes) {
    const Tensor x = make(t, {2, 4}, {3, 1, 3, 2, 5, 9, 1, 7});
    const Tensor k = i64({1}, {2});
    INFO(dtype_name(t));
    check_top_k({.op = "TopK", .inputs = {x, k}}, make(t, {2, 2}, {3, 3, 9, 7}), i64({2, 2}, {0, 2, 1, 3}));
    check_top_k({.op = "TopK", .attributes = {attr("largest", 0)}, .inputs = {x, k}}, make(t, {2, 2}, {1, 2, 1, 5}), i64({2, 2}, {1, 3, 2, 0}));
    check_top_k({.op = "TopK", .attributes = {attr("axis", 0)}, .inputs = {x, i64({1}, {1})}}, make(t, {1, 4}, {5, 9, 3, 7}), i64({1, 4}, {1, 1, 0, 1}));
    check_top_k({.op = "TopK", .opset = 9, .attributes = {attr("k", 1), attr("axis", 1)}, .inputs = {x}}, make(t, {2, 1}, {3, 9}), i64({2, 1}, {0, 1}));
    check_top_k({.op = "TopK", .attributes = {attr("sorted", 0)}, .inputs = {x, i64({1}, {4})}}, make(t, {2, 4}, {3, 3, 2, 1, 9, 7, 5, 1}),
                i64({2, 4}, {0, 2, 3, 1, 1, 3, 0, 2}));
  }
}

TEST_CASE("TopK: order of special values, k at the edges") {
  const Tensor x = f32({6}, {-0.0f, kNaN, 0, -kInf, kInf, -1});
  check_top_k({.op = "TopK", .inputs = {x, i64({1}, {6})}}, f32({6}, {kNaN, kInf, -0.0f, 0, -1, -kInf}), i64({6}, {1, 4, 0, 2, 5, 3}));
  check_top_k({.op = "TopK", .attributes = {attr("largest", 0)}, .inputs = {x, i64({1}, {3})}}, f32({3}, {-kInf, -1, -0.0f}), i64({3}, {3, 5, 0}));
  check_top_k({.op = "TopK", .inputs = {iota({2, 3}), i64({1}, {0})}}, iota({2, 0}), i64({2, 0}, {}));
  check_top_k({.op = "TopK", .inputs = {i64({2}, {INT64_MIN, INT64_MAX}), i64({1}, {2})}}, i64({2}, {INT64_MAX, INT64_MIN}), i64({2}, {1, 0}));
  check_failures({
      {"k too great", {.op = "TopK", .inputs = {iota({3}), i64({1}, {4})}, .outputs = 2}, ErrorCode::kShape},
      {"k negative", {.op = "TopK", .inputs = {iota({3}), i64({1}, {-1})}, .outputs = 2}, ErrorCode::kShape},
      {"two ks", {.op = "TopK", .inputs = {iota({3}), i64({2}, {1, 2})}, .outputs = 2}, ErrorCode::kShape},
      {"no k", {.op = "TopK", .opset = 9, .inputs = {iota({3})}, .outputs = 2}, ErrorCode::kModel},
      {"axis", {.op = "TopK", .attributes = {attr("axis", 1)}, .inputs = {iota({3}), i64({1}, {1})}, .outputs = 2}, ErrorCode::kShape},
  });
}

TEST_CASE("TopK against a full sort") {
  std::mt19937 random(3);
  std::vector<double> values(2 * 301 * 3);
  for (double& v : values) v = static_cast<double>(random() % 100);
  const Tensor x = make(DType::kInt32, {2, 301, 3}, values);
  const std::vector<Tensor> y = run_op({.op = "TopK", .attributes = {attr("axis", 1)}, .inputs = {x, i64({1}, {20})}, .outputs = 2});
  for (size_t o = 0; o < 2; ++o) {
    for (size_t i = 0; i < 3; ++i) {
      std::vector<std::pair<int32_t, int64_t>> lane;
      for (size_t j = 0; j < 301; ++j) lane.emplace_back(-x.data<int32_t>()[(o * 301 + j) * 3 + i], static_cast<int64_t>(j));
      std::sort(lane.begin(), lane.end());
      for (size_t j = 0; j < 20; ++j) {
        const size_t at = (o * 20 + j) * 3 + i;
        REQUIRE(y[0].data<int32_t>()[at] == -lane[j].first);
        REQUIRE(y[1].data<int64_t>()[at] == lane[j].second);
      }
    }
  }
}

TEST_CASE("CumSum") {
  for (const DType t : {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kInt32, DType::kInt64, DType::kUint32, DType::kUint64}) {
    const Tensor x = make(t, {2, 3}, {1, 2, 3, 4, 5, 6});
    const auto call = [&](int64_t axis, std::vector<Attribute> attributes) {
      return OpCall{.op = "CumSum", .attributes = std::move(attributes), .inputs = {x, i64({}, {axis})}};
    };
    INFO(dtype_name(t));
    check_rows({
        {"rows", call(1, {}), make(t, {2, 3}, {1, 3, 6, 4, 9, 15})},
        {"columns", call(-2, {}), make(t, {2, 3}, {1, 2, 3, 5, 7, 9})},
        {"exclusive", call(1, {attr("exclusive", 1)}), make(t, {2, 3}, {0, 1, 3, 0, 4, 9})},
        {"reverse", call(1, {attr("reverse", 1)}), make(t, {2, 3}, {6, 5, 3, 15, 11, 6})},
        {"both", call(1, {attr("exclusive", 1), attr("reverse", 1)}), make(t, {2, 3}, {5, 3, 0, 11, 6, 0})},
    });
  }
  check_rows({
      {"axis as int32 of shape [1]", {.op = "CumSum", .inputs = {iota({3}), i32({1}, {0})}}, f32({3}, {0, 1, 3})},
      {"int32 wraps", {.op = "CumSum", .inputs = {i32({2}, {INT32_MAX, 1}), i64({}, {0})}}, i32({2}, {INT32_MAX, INT32_MIN})},
      {"empty", {.op = "CumSum", .inputs = {iota({2, 0}), i64({}, {1})}}, iota({2, 0})},
      {"wider than a block", {.op = "CumSum", .inputs = {make(DType::kFloat32, {2, 600}, std::vector<double>(1200, 1)), i64({}, {0})}},
       make(DType::kFloat32, {2, 600}, [] { std::vector<double> v(1200, 1); std::fill(v.begin() + 600, v.end(), 2); return v; }())},
  });
  // Longer than a block along the axis, from both ends.
  for (const int64_t reverse : {0, 1}) {
    for (const int64_t exclusive : {0, 1}) {
      const Tensor ones = make(DType::kInt16, {2, 700}, std::vector<double>(1400, 1));
      const Tensor y = run_op({.op = "CumSum",
                               .attributes = {attr("reverse", reverse), attr("exclusive", exclusive)},
                               .inputs = {ones, i64({}, {1})}})[0];
      for (int64_t i = 0; i < 1400; ++i) {
        const int64_t column = i % 700;
        const int64_t from_start = reverse != 0 ? 699 - column : column;
        REQUIRE(y.data<int16_t>()[i] == from_start + 1 - exclusive);
      }
    }
  }
  check_failures({
      {"axis outside", {.op = "CumSum", .inputs = {iota({3}), i64({}, {1})}}, ErrorCode::kShape},
      {"two axes", {.op = "CumSum", .inputs = {iota({3}), i64({2}, {0, 0})}}, ErrorCode::kShape},
      {"scalar", {.op = "CumSum", .inputs = {f32({}, {1}), i64({}, {0})}}, ErrorCode::kShape},
  });
}

}  // namespace
}  // namespace kinglet::test
