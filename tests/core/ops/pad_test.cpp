#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

OpCall pad(const char* mode, Tensor x, std::vector<int64_t> pads, Tensor value = {}, Tensor axes = {}) {
  Tensor amounts = Tensor::from<int64_t>({static_cast<int64_t>(pads.size())}, pads);
  return {.op = "Pad",
          .attributes = {attr("mode", mode)},
          .inputs = {std::move(x), amounts, std::move(value), std::move(axes)}};
}

}  // namespace

TEST_CASE("Pad") {
  const Tensor x = f32({3}, {1, 2, 3}), m = f32({2, 2}, {1, 2, 3, 4});
  check_rows({
      {"zeros", pad("constant", m, {0, 1, 1, 0}), {f32({3, 3}, {0, 1, 2, 0, 3, 4, 0, 0, 0})}},
      {"a value", pad("constant", x, {1, 2}, f32({}, {9})), {f32({6}, {9, 1, 2, 3, 9, 9})}},
      {"the middle of three dims",
       pad("constant", iota({2, 1, 2}, 1), {0, 1, 0, 0, 0, 0}),
       {f32({2, 2, 2}, {0, 0, 1, 2, 0, 0, 3, 4})}},
      {"removes at the front", pad("constant", x, {-1, 1}), {f32({3}, {2, 3, 0})}},
      {"removes all, then adds", pad("constant", x, {-3, 2}, f32({1}, {7})), {f32({2}, {7, 7})}},
      {"removes more than all", pad("constant", x, {-5, 4}), {f32({2}, {0, 0})}},
      {"leaves nothing", pad("constant", x, {-3, 0}), {f32({0}, {})}},
      {"edge", pad("edge", x, {2, 1}), {f32({6}, {1, 1, 1, 2, 3, 3})}},
      {"edge of what is left", pad("edge", x, {-1, 2}), {f32({4}, {2, 3, 3, 3})}},
      {"reflect", pad("reflect", x, {2, 2}), {f32({7}, {3, 2, 1, 2, 3, 2, 1})}},
      {"reflect again and again",
       pad("reflect", f32({2}, {1, 2}), {3, 3}),
       {f32({8}, {2, 1, 2, 1, 2, 1, 2, 1})}},
      {"reflect one element", pad("reflect", f32({1}, {1}), {2, 1}), {f32({4}, {1, 1, 1, 1})}},
      {"wrap", pad("wrap", x, {2, 4}), {f32({9}, {2, 3, 1, 2, 3, 1, 2, 3, 1})}},
      {"reflect in two dims", pad("reflect", m, {1, 0, 0, 1}), {f32({3, 3}, {3, 4, 3, 1, 2, 1, 3, 4, 3})}},
      {"one axis", pad("constant", m, {1, 0}, {}, i64({1}, {-1})), {f32({2, 3}, {0, 1, 2, 0, 3, 4})}},
      {"axes in any order, int32",
       pad("edge", m, {0, 1, 1, 0}, {}, i32({2}, {1, 0})),
       {f32({3, 3}, {1, 2, 2, 1, 2, 2, 3, 4, 4})}},
      {"no axes", pad("constant", m, {}, {}, i64({0}, {})), {m}},
      {"attributes, opset 2",
       {.op = "Pad",
        .opset = 2,
        .attributes = {attr_ints("pads", {0, 1, 0, 0}), attr("value", 1.5f)},
        .inputs = {m}},
       {f32({2, 3}, {1.5f, 1, 2, 1.5f, 3, 4})}},
      {"attributes, another mode, opset 10",
       {.op = "Pad",
        .opset = 10,
        .attributes = {attr("mode", "edge"), attr_ints("pads", {1, 0})},
        .inputs = {x}},
       {f32({4}, {1, 1, 2, 3})}},
      {"an attribute's value in float16",
       {.op = "Pad",
        .opset = 2,
        .attributes = {attr_ints("pads", {1, 0}), attr("value", 0.1f)},
        .inputs = {make(DType::kFloat16, {1}, {2})}},
       {make(DType::kFloat16, {2}, {0.1, 2})}},
      {"strings",
       pad("constant", strings({1}, {"a"}), {0, 2}, strings({}, {"z"})),
       {strings({3}, {"a", "z", "z"})}},
      {"strings without a value", pad("constant", strings({1}, {"a"}), {1, 0}), {strings({2}, {"", "a"})}},
  });
}

TEST_CASE("Pad refuses") {
  const Tensor x = f32({3}, {1, 2, 3});
  check_failures({
      {"a dim below 0", pad("constant", x, {-4, 0}), ErrorCode::kShape, "dim 3"},
      {"nothing to reflect", pad("reflect", f32({0}, {}), {1, 1})},
      {"nothing left to repeat", pad("edge", x, {-3, 2})},
      {"too few pads", pad("constant", x, {1})},
      {"pads that overflow", pad("constant", x, {INT64_MAX, INT64_MAX})},
      {"pads that cancel at the limits", pad("constant", x, {INT64_MIN, INT64_MAX})},
      {"a huge result", pad("constant", x, {int64_t{1} << 47, int64_t{1} << 48})},
      {"axis out of range", pad("constant", x, {1, 1}, {}, i64({1}, {1})), ErrorCode::kShape, "axis 1"},
      {"a value of another type", pad("constant", x, {1, 1}, i32({}, {1})), ErrorCode::kModel},
      {"unknown mode", pad("mirror", x, {1, 1}), ErrorCode::kModel, "mirror"},
  });
}

}  // namespace kinglet::test
