// LpPool, MaxUnpool, MaxRoiPool, Col2Im and DeformConv.

#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

OpCall call(std::string op, std::vector<Attribute> attributes, std::vector<Tensor> inputs) {
  return {.op = std::move(op), .opset = 22, .attributes = std::move(attributes), .inputs = std::move(inputs)};
}

TEST_CASE("LpPool and GlobalLpPool") {
  for (const DType t : kFloatDTypes) {
    const Tensor x = make(t, {1, 1, 2, 3}, {3, -4, 0, 0, 0, -12});
    INFO(dtype_name(t));
    check_rows({
        {"default", call("LpPool", {attr_ints("kernel_shape", {2, 2})}, {x}),
         make(t, {1, 1, 1, 2}, {5, std::sqrt(160.0)}), 4e-3},
        {"p = 1", call("LpPool", {attr_ints("kernel_shape", {2, 2}), attr("p", 1)}, {x}),
         make(t, {1, 1, 1, 2}, {7, 16})},
        {"p = 3", call("LpPool", {attr_ints("kernel_shape", {1, 1}), attr("p", 3)}, {x}),
         make(t, {1, 1, 2, 3}, {3, 4, 0, 0, 0, 12}), 4e-3},
        {"dilated", call("LpPool", {attr_ints("kernel_shape", {2, 2}), attr_ints("dilations", {1, 2})}, {x}),
         make(t, {1, 1, 1, 1}, {std::sqrt(153.0)}), 4e-3},
        {"padded",
         call("LpPool",
              {attr_ints("kernel_shape", {2, 2}), attr_ints("pads", {1, 1, 0, 0}),
               attr_ints("strides", {2, 2})},
              {x}),
         make(t, {1, 1, 1, 2}, {3, 4})},
        {"ceil_mode",
         call("LpPool",
              {attr_ints("kernel_shape", {2, 2}), attr_ints("strides", {1, 2}), attr("ceil_mode", 1),
               attr("p", 1)},
              {x}),
         make(t, {1, 1, 1, 2}, {7, 12})},
        {"same",
         call("LpPool", {attr_ints("kernel_shape", {1, 2}), attr("auto_pad", "SAME_UPPER"), attr("p", 1)},
              {x}),
         make(t, {1, 1, 2, 3}, {7, 4, 0, 0, 12, 12})},
        {"global", call("GlobalLpPool", {}, {x}), make(t, {1, 1, 1, 1}, {13})},
        {"global, p = 1", call("GlobalLpPool", {attr("p", 1)}, {x}), make(t, {1, 1, 1, 1}, {19})},
        {"global, one dim", call("GlobalLpPool", {}, {make(t, {2, 1, 2}, {3, 4, 6, 8})}),
         make(t, {2, 1, 1}, {5, 10})},
        {"nothing to pool", call("GlobalLpPool", {}, {make(t, {1, 2, 0}, {})}), make(t, {1, 2, 1}, {0, 0})},
    });
  }
  const Tensor x = f32({1, 1, 2}, {3, 4});
  check_rows({{"opset 1 has a float p",
               {.op = "GlobalLpPool", .opset = 1, .attributes = {attr("p", 1.0f)}, .inputs = {x}},
               f32({1, 1, 1}, {7})}});
  check_failures({
      {"p = 0", call("LpPool", {attr_ints("kernel_shape", {1}), attr("p", 0)}, {x}), ErrorCode::kModel, "0"},
      {"no kernel", call("LpPool", {}, {x}), ErrorCode::kModel, "kernel_shape"},
      {"kernel too large", call("LpPool", {attr_ints("kernel_shape", {3})}, {x}), ErrorCode::kShape},
      {"integers", call("GlobalLpPool", {}, {i32({1, 1, 1}, {1})}), ErrorCode::kModel, "int32"},
      {"rank 2", call("GlobalLpPool", {}, {f32({1, 1}, {1})}), ErrorCode::kShape},
  });
}

TEST_CASE("MaxUnpool") {
  const std::vector<Attribute> twos = {attr_ints("kernel_shape", {2}), attr_ints("strides", {2})};
  const Tensor x = f32({1, 2, 2}, {1, 2, 3, 4});
  check_rows({
      {"by the attributes", call("MaxUnpool", twos, {x, i64({1, 2, 2}, {1, 2, 4, 7})}),
       f32({1, 2, 4}, {0, 1, 2, 0, 3, 0, 0, 4})},
      // Each index lies in its window of [1, 2, 5].
      {"into a given shape", call("MaxUnpool", twos, {x, i64({1, 2, 2}, {1, 2, 5, 8}), i64({3}, {1, 2, 5})}),
       f32({1, 2, 5}, {0, 1, 2, 0, 0, 3, 0, 0, 4, 0})},
      // 4 and 7 are of the second plane of [1, 2, 4] only.
      {"into the corner of a given shape",
       call("MaxUnpool", twos, {x, i64({1, 2, 2}, {1, 2, 4, 7}), i64({3}, {1, 2, 5})}),
       f32({1, 2, 5}, {0, 1, 2, 0, 0, 3, 0, 0, 4, 0})},
      {"overlapping windows",
       call("MaxUnpool", {attr_ints("kernel_shape", {2})}, {f32({1, 1, 2}, {5, 5}), i64({1, 1, 2}, {1, 1})}),
       f32({1, 1, 3}, {0, 5, 0})},
      {"float64", call("MaxUnpool", twos, {f64({1, 1, 1}, {7}), i64({1, 1, 1}, {1})}),
       f64({1, 1, 2}, {0, 7})},
      {"nothing", call("MaxUnpool", twos, {f32({0, 1, 1}, {}), i64({0, 1, 1}, {})}), f32({0, 1, 2}, {})},
  });
  check_failures({
      {"index past the end", call("MaxUnpool", twos, {x, i64({1, 2, 2}, {1, 2, 4, 8})}), ErrorCode::kShape,
       "8"},
      {"negative index", call("MaxUnpool", twos, {x, i64({1, 2, 2}, {-1, 2, 4, 7})}), ErrorCode::kShape,
       "-1"},
      {"other indices", call("MaxUnpool", twos, {x, i64({1, 2, 1}, {1, 2})}), ErrorCode::kShape},
      {"int32 indices", call("MaxUnpool", twos, {x, i32({1, 2, 2}, {1, 2, 4, 7})}), ErrorCode::kModel,
       "int32"},
      {"rank of the shape", call("MaxUnpool", twos, {x, i64({1, 2, 2}, {1, 2, 4, 7}), i64({2}, {1, 2})}),
       ErrorCode::kShape},
      {"negative shape", call("MaxUnpool", twos, {x, i64({1, 2, 2}, {1, 2, 4, 7}), i64({3}, {1, 2, -5})}),
       ErrorCode::kShape},
      {"pads larger than the output",
       call("MaxUnpool", {attr_ints("kernel_shape", {1}), attr_ints("pads", {9, 9})},
            {x, i64({1, 2, 2}, {0, 1, 2, 3})}),
       ErrorCode::kShape},
      {"no kernel", call("MaxUnpool", {}, {x, i64({1, 2, 2}, {0, 1, 2, 3})}), ErrorCode::kModel,
       "kernel_shape"},
  });
}

TEST_CASE("MaxRoiPool") {
  const Tensor x = iota({2, 1, 3, 4});
  const auto pool = [&](std::vector<int64_t> grid, std::initializer_list<float> roi, float scale = 1) {
    return call("MaxRoiPool", {attr_ints("pooled_shape", std::move(grid)), attr("spatial_scale", scale)},
                {x, f32({1, 5}, roi)});
  };
  check_rows({
      {"whole image", pool({1, 1}, {0, 0, 0, 3, 2}), f32({1, 1, 1, 1}, {11})},
      {"second image in two rows", pool({2, 1}, {1, 0, 0, 3, 1}), f32({1, 1, 2, 1}, {15, 19})},
      {"scaled and rounded away from zero", pool({1, 2}, {0, 1, 1, 5, 1}, 0.5f), f32({1, 1, 1, 2}, {6, 7})},
      {"cells overlap", pool({1, 2}, {0, 0, 0, 2, 0}), f32({1, 1, 1, 2}, {1, 2})},
      {"an end before its start is one pixel", pool({1, 1}, {0, 2, 1, 0, 0}), f32({1, 1, 1, 1}, {6})},
      {"outside", pool({1, 1}, {0, 10, 10, 12, 12}), f32({1, 1, 1, 1}, {0})},
      {"no regions", call("MaxRoiPool", {attr_ints("pooled_shape", {1, 1})}, {x, f32({0, 5}, {})}),
       f32({0, 1, 1, 1}, {})},
      {"float64",
       call("MaxRoiPool", {attr_ints("pooled_shape", {1, 1})},
            {f64({1, 1, 1, 2}, {-2, -1}), f64({1, 5}, {0, 0, 0, 1, 0})}),
       f64({1, 1, 1, 1}, {-1})},
      {"float16",
       call("MaxRoiPool", {attr_ints("pooled_shape", {1, 1})},
            {make(DType::kFloat16, {1, 1, 1, 2}, {-2, -1}), make(DType::kFloat16, {1, 5}, {0, 0, 0, 1, 0})}),
       make(DType::kFloat16, {1, 1, 1, 1}, {-1})},
  });
  check_failures({
      {"no such image", pool({1, 1}, {2, 0, 0, 1, 1}), ErrorCode::kShape, "2"},
      {"NaN image", pool({1, 1}, {kNaN, 0, 0, 1, 1}), ErrorCode::kShape},
      {"infinite corner", pool({1, 1}, {0, 0, 0, kInf, 1}), ErrorCode::kShape},
      {"no grid", pool({0, 1}, {0, 0, 0, 1, 1}), ErrorCode::kModel, "pooled_shape"},
      {"one size", pool({1}, {0, 0, 0, 1, 1}), ErrorCode::kModel, "pooled_shape"},
      {"regions of 4",
       call("MaxRoiPool", {attr_ints("pooled_shape", {1, 1})}, {x, f32({1, 4}, {0, 0, 1, 1})}),
       ErrorCode::kShape},
  });
}

TEST_CASE("Col2Im") {
  // Blocks of 2 at 0, 1, 2 of an image of 4: [1, 2], [3, 4], [5, 6].
  const Tensor x = f32({1, 2, 3}, {1, 3, 5, 2, 4, 6});
  const auto fold = [](Tensor blocks, std::vector<Attribute> attributes = {}) {
    return call("Col2Im", std::move(attributes), {std::move(blocks), i64({1}, {4}), i64({1}, {2})});
  };
  check_rows({
      {"overlapping", fold(x), f32({1, 1, 4}, {1, 5, 9, 6})},
      {"strides", fold(f32({1, 2, 2}, {1, 3, 2, 4}), {attr_ints("strides", {2})}),
       f32({1, 1, 4}, {1, 2, 3, 4})},
      {"dilations", fold(f32({1, 2, 2}, {1, 3, 2, 4}), {attr_ints("dilations", {2})}),
       f32({1, 1, 4}, {1, 3, 2, 4})},
      {"pads are cut off", fold(f32({1, 2, 4}, {9, 1, 3, 5, 2, 4, 6, 7}), {attr_ints("pads", {1, 0})}),
       f32({1, 1, 4}, {3, 7, 11, 7})},
      {"uint8 wraps", fold(make(DType::kUint8, {1, 2, 3}, {1, 200, 3, 200, 4, 6})),
       make(DType::kUint8, {1, 1, 4}, {1, 144, 7, 6})},
      {"float64", fold(f64({1, 2, 3}, {1, 3, 5, 2, 4, 6})), f64({1, 1, 4}, {1, 5, 9, 6})},
      {"3-D",
       call("Col2Im", {},
            {f32({1, 4, 2}, {1, 5, 2, 6, 3, 7, 4, 8}), i64({3}, {1, 2, 3}), i64({3}, {1, 2, 2})}),
       f32({1, 1, 1, 2, 3}, {1, 7, 6, 3, 11, 8})},
      {"nothing", fold(f32({0, 2, 3}, {})), f32({0, 1, 4}, {})},
  });
  check_failures({
      {"rows that make no block", fold(f32({1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9})), ErrorCode::kShape, "3"},
      {"too few blocks", fold(f32({1, 2, 2}, {1, 2, 3, 4})), ErrorCode::kShape},
      {"rank", fold(f32({2, 3}, {1, 2, 3, 4, 5, 6})), ErrorCode::kShape},
      {"block of another rank", call("Col2Im", {}, {x, i64({1}, {4}), i64({2}, {1, 2})}), ErrorCode::kShape},
      {"no block", call("Col2Im", {}, {x, i64({1}, {4}), i64({1}, {0})}), ErrorCode::kModel},
      {"negative image", call("Col2Im", {}, {x, i64({1}, {-4}), i64({1}, {2})}), ErrorCode::kShape},
      {"strings", fold(strings({1, 2, 3}, {"", "", "", "", "", ""})), ErrorCode::kModel, "string"},
  });
}

TEST_CASE("DeformConv") {
  const Tensor x = iota({1, 1, 3, 3}), w = f32({1, 1, 1, 1}, {2});
  const auto conv = [&](Tensor offsets, std::vector<Attribute> attributes = {}) {
    return call("DeformConv", std::move(attributes), {x, w, std::move(offsets)});
  };
  const Tensor still = iota({1, 2, 3, 3}, 0, 0);
  Tensor right = still.clone(), half = still.clone(), away = still.clone();
  for (size_t i = 0; i < 9; ++i) {
    right.data<float>()[9 + i] = 1;
    half.data<float>()[i] = 0.5f;
    away.data<float>()[i] = i == 0 ? kNaN : 100;
  }
  check_rows({
      {"without offsets it is a convolution", conv(still), iota({1, 1, 3, 3}, 0, 2)},
      {"one to the right", conv(right), f32({1, 1, 3, 3}, {2, 4, 0, 8, 10, 0, 14, 16, 0})},
      {"half a row down", conv(half), f32({1, 1, 3, 3}, {3, 5, 7, 9, 11, 13, 6, 7, 8})},
      {"outside and NaN", conv(away), iota({1, 1, 3, 3}, 0, 0)},
      {"bias and mask",
       call("DeformConv", {},
            {x, w, still, f32({1}, {100}), f32({1, 1, 3, 3}, {0, 1, 2, 0, 0, 0, 0, 0, 0.5})}),
       f32({1, 1, 3, 3}, {100, 102, 108, 100, 100, 100, 100, 100, 108})},
      {"float64",
       call("DeformConv", {},
            {f64({1, 1, 1, 2}, {1, 3}), f64({1, 1, 1, 1}, {2}), f64({1, 2, 1, 2}, {0, 0, 0.5, -0.25}),
             f64({1}, {1})}),
       f64({1, 1, 1, 2}, {5, 6})},
      {"one dim",
       call("DeformConv", {},
            {f32({1, 1, 3}, {1, 2, 4}), f32({1, 1, 2}, {1, 10}), f32({1, 2, 2}, {0, 0.5, 0, 0})}),
       f32({1, 1, 2}, {21, 43})},
      {"three dims",
       call("DeformConv", {},
            {f32({1, 1, 1, 1, 2}, {1, 3}), f32({1, 1, 1, 1, 1}, {1}),
             f32({1, 3, 1, 1, 2}, {0, 0, 0, 0, 0.5, 0})}),
       f32({1, 1, 1, 1, 2}, {2, 3})},
  });
  check_failures({
      {"offsets of another size", conv(iota({1, 2, 3, 2}, 0, 0)), ErrorCode::kShape, "offsets"},
      {"groups", conv(still, {attr("group", 2)}), ErrorCode::kShape, "groups"},
      {"no groups", conv(still, {attr("group", 0)}), ErrorCode::kModel, "groups"},
      {"endless groups of offsets", conv(still, {attr("offset_group", int64_t{1} << 62)}), ErrorCode::kShape},
      {"mask", call("DeformConv", {}, {x, w, still, Tensor(), f32({1}, {1})}), ErrorCode::kShape, "mask"},
      {"biases", call("DeformConv", {}, {x, w, still, f32({2}, {1, 1})}), ErrorCode::kShape, "biases"},
      {"weights of another rank", call("DeformConv", {}, {x, f32({1, 1, 1}, {1}), still}), ErrorCode::kShape,
       "weights"},
  });
}

}  // namespace
}  // namespace kinglet::test
