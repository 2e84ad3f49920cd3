#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

OpCall call(const char* op, Tensor x, std::initializer_list<int64_t> numbers) {
  return {.op = op, .inputs = {std::move(x), i64({static_cast<int64_t>(numbers.size())}, numbers)}};
}

}  // namespace

TEST_CASE("Expand") {
  const Tensor column = f32({2, 1}, {1, 2});
  check_rows({
      {"one dim", call("Expand", column, {2, 3}), {f32({2, 3}, {1, 1, 1, 2, 2, 2})}},
      {"1 keeps the input's dim", call("Expand", column, {1, 2}), {f32({2, 2}, {1, 1, 2, 2})}},
      {"new dims in front", call("Expand", f32({2}, {1, 2}), {2, 1, 2}), {f32({2, 1, 2}, {1, 2, 1, 2})}},
      {"a shape of lower rank", call("Expand", column, {3}), {f32({2, 3}, {1, 1, 1, 2, 2, 2})}},
      {"a scalar", call("Expand", f32({}, {5}), {2, 2}), {f32({2, 2}, {5, 5, 5, 5})}},
      {"to nothing", call("Expand", column, {2, 0}), {f32({2, 0}, {})}},
      {"strings", call("Expand", strings({1}, {"a"}), {2}), {strings({2}, {"a", "a"})}},
  });
  check_failures({
      {"does not broadcast", call("Expand", column, {3, 1}), ErrorCode::kShape, "2 and 3"},
      {"negative dim", call("Expand", column, {2, -1}), ErrorCode::kShape, "-1"},
      {"too many elements", call("Expand", f32({}, {5}), {int64_t{1} << 40, int64_t{1} << 40})},
  });
}

TEST_CASE("Tile") {
  const Tensor m = f32({2, 2}, {1, 2, 3, 4});
  check_rows({
      {"along the last dim", call("Tile", m, {1, 2}), {f32({2, 4}, {1, 2, 1, 2, 3, 4, 3, 4})}},
      {"along the first dim", call("Tile", m, {2, 1}), {f32({4, 2}, {1, 2, 3, 4, 1, 2, 3, 4})}},
      {"both", call("Tile", f32({1, 2}, {1, 2}), {2, 2}), {f32({2, 4}, {1, 2, 1, 2, 1, 2, 1, 2})}},
      {"0 times", call("Tile", m, {0, 1}), {f32({0, 2}, {})}},
      {"a scalar", {.op = "Tile", .inputs = {f32({}, {5}), i64({0}, {})}}, {f32({}, {5})}},
      {"as many dims as a tensor may have",
       call("Tile", f32({1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2}, {1, 2}),
            {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2}),
       {f32({1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4}, {1, 2, 1, 2, 1, 2, 1, 2})}},
  });
  check_failures({
      {"too few repeats", call("Tile", m, {2})},
      {"negative repeats", call("Tile", m, {1, -1}), ErrorCode::kShape, "-1"},
      {"repeats that overflow", call("Tile", m, {INT64_MAX, 1})},
      {"too many elements", call("Tile", m, {int64_t{1} << 40, int64_t{1} << 40})},
  });
}

}  // namespace kinglet::test
