#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

OpCall shape(Tensor x, int64_t start, int64_t end) {
  return {.op = "Shape", .attributes = {attr("start", start), attr("end", end)}, .inputs = {std::move(x)}};
}

}  // namespace

TEST_CASE("Shape and Size") {
  const Tensor x = iota({2, 3, 4});
  check_rows({
      {"all dims", {.op = "Shape", .inputs = {x}}, {i64({3}, {2, 3, 4})}},
      {"of a scalar", {.op = "Shape", .inputs = {f32({}, {1})}}, {i64({0}, {})}},
      {"from 1", {.op = "Shape", .attributes = {attr("start", 1)}, .inputs = {x}}, {i64({2}, {3, 4})}},
      {"up to the last", shape(x, 0, -1), {i64({2}, {2, 3})}},
      {"past both ends", shape(x, -9, 9), {i64({3}, {2, 3, 4})}},
      {"start behind end", shape(x, 2, 1), {i64({0}, {})}},
      {"limits", shape(x, INT64_MIN, INT64_MAX), {i64({3}, {2, 3, 4})}},
      {"Size", {.op = "Size", .inputs = {x}}, {i64({}, {24})}},
      {"Size of a scalar", {.op = "Size", .inputs = {strings({}, {"a"})}}, {i64({}, {1})}},
      {"Size of nothing", {.op = "Size", .inputs = {f32({2, 0}, {})}}, {i64({}, {0})}},
  });
}

}  // namespace kinglet::test
