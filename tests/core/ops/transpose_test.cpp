#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

OpCall transpose(Tensor x, std::vector<int64_t> perm) {
  return {.op = "Transpose", .attributes = {attr_ints("perm", std::move(perm))}, .inputs = {std::move(x)}};
}

}  // namespace

TEST_CASE("Transpose") {
  const Tensor m = iota({2, 3}), cube = iota({2, 2, 3});
  check_rows({
      {"default reverses", {.op = "Transpose", .inputs = {m}}, {f32({3, 2}, {0, 3, 1, 4, 2, 5})}},
      {"identity", transpose(cube, {0, 1, 2}), {cube}},
      {"[1,2,0]", transpose(cube, {1, 2, 0}), {f32({2, 3, 2}, {0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11})}},
      {"a scalar", {.op = "Transpose", .inputs = {f32({}, {5})}}, {f32({}, {5})}},
      {"nothing", transpose(f32({0, 3}, {}), {1, 0}), {f32({3, 0}, {})}},
      {"strings",
       transpose(strings({2, 2}, {"a", "b", "c", "d"}), {1, 0}),
       {strings({2, 2}, {"a", "c", "b", "d"})}},
      {"shape elements", transpose(i64({2}, {3, 4}), {0}), {i64({2}, {3, 4})}},
  });
  check_failures({
      {"perm too short", transpose(m, {0})},
      {"an axis twice", transpose(m, {0, 0})},
      {"axis out of range", transpose(m, {0, 2}), ErrorCode::kShape, "axis 2"},
  });
}

}  // namespace kinglet::test
