#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

TEST_CASE("Identity of every type") {
  for (const DType t : kNumberDTypes) {
    const Tensor x = make(t, {2, 1}, {1, 2});
    INFO(dtype_name(t));
    CHECK(difference(run_op({.op = "Identity", .inputs = {x}})[0], x) == "");
  }
  check_rows({
      {"strings", {.op = "Identity", .inputs = {strings({2}, {"a", "b"})}}, strings({2}, {"a", "b"})},
      {"bool", {.op = "Identity", .inputs = {boolean({}, {true})}}, boolean({}, {true})},
      {"empty", {.op = "Identity", .inputs = {iota({0})}}, iota({0})},
  });
}

TEST_CASE("Dropout passes its input on") {
  const Tensor x = iota({2, 2}, 1), ratio = f32({}, {0.5});
  const Tensor ones = f32({2, 2}, {1, 1, 1, 1}), all = boolean({2, 2}, {true, true, true, true});
  struct Row {
    const char* label;
    OpCall call;
    Tensor mask;
  };
  const Row rows[] = {
      {"opset 7", {.op = "Dropout", .opset = 7, .attributes = {attr("ratio", 0.9f)}, .inputs = {x}, .outputs = 2}, ones},
      {"opset 10", {.op = "Dropout", .opset = 10, .inputs = {x}, .outputs = 2}, all},
      {"opset 13", {.op = "Dropout", .opset = 13, .inputs = {x, ratio}, .outputs = 2}, all},
      {"training off", {.op = "Dropout", .inputs = {x, ratio, boolean({}, {false})}, .outputs = 2}, all},
      {"training with ratio 0", {.op = "Dropout", .inputs = {x, f32({}, {0}), boolean({}, {true})}, .outputs = 2}, all},
      {"without mask", {.op = "Dropout", .inputs = {x}}, {}},
      {"unread mask", {.op = "Dropout", .inputs = {x}, .outputs = 2, .unwanted = {false, true}}, {}},
  };
  for (const Row& row : rows) {
    INFO(row.label);
    const std::vector<Tensor> y = run_op(row.call);
    CHECK(difference(y[0], x) == "");
    if (row.mask.valid()) CHECK(difference(y[1], row.mask) == "");
  }
}

TEST_CASE("Dropout in training drops about the given share and scales the rest") {
  const int64_t n = 10000;
  const Tensor x = make(DType::kFloat32, {n}, std::vector<double>(n, 3));
  const std::vector<Tensor> y =
      run_op({.op = "Dropout", .attributes = {attr("seed", 7)}, .inputs = {x, f32({}, {0.25}), boolean({}, {true})}, .outputs = 2});
  size_t kept = 0;
  for (size_t i = 0; i < y[0].count(); ++i) {
    const bool here = y[1].data<bool>()[i];
    kept += here ? 1 : 0;
    REQUIRE(y[0].data<float>()[i] == (here ? 4.0f : 0.0f));
  }
  // Six standard deviations of a binomial around 7500.
  CHECK(kept > 7240);
  CHECK(kept < 7760);
  check_failures({
      {"ratio 1", {.op = "Dropout", .inputs = {x, f32({}, {1}), boolean({}, {true})}}, ErrorCode::kShape},
      {"integers", {.op = "Dropout", .inputs = {i64({1}, {1})}}, ErrorCode::kModel},
  });
}

}  // namespace
}  // namespace kinglet::test
