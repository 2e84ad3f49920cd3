#include "ops/support/rows.hpp"

// GridSample, AffineGrid, RoiAlign, NonMaxSuppression, CenterCropPad.

namespace kinglet::test {
namespace {

OpCall grid_sample(Tensor x, Tensor grid, const char* mode = "linear", const char* padding = "zeros", int align = 1) {
  return {.op = "GridSample",
          .attributes = {attr("mode", mode), attr("padding_mode", padding), attr("align_corners", align)},
          .inputs = {std::move(x), std::move(grid)}};
}

OpCall affine_grid(Tensor theta, Tensor size, int align = 0) {
  return {.op = "AffineGrid",
          .attributes = {attr("align_corners", align)},
          .inputs = {std::move(theta), std::move(size)}};
}

OpCall roi_align(Tensor x, Tensor rois, Tensor batch, std::vector<Attribute> attributes = {}) {
  return {.op = "RoiAlign",
          .attributes = std::move(attributes),
          .inputs = {std::move(x), std::move(rois), std::move(batch)}};
}

OpCall suppress(Tensor boxes, Tensor scores, Tensor most, Tensor iou = {}, Tensor score = {}, int centered = 0) {
  return {.op = "NonMaxSuppression",
          .attributes = {attr("center_point_box", centered)},
          .inputs = {std::move(boxes), std::move(scores), std::move(most), std::move(iou), std::move(score)}};
}

OpCall crop_pad(Tensor x, Tensor size, std::vector<Attribute> attributes = {}) {
  return {.op = "CenterCropPad",
          .attributes = std::move(attributes),
          .inputs = {std::move(x), std::move(size)}};
}

}  // namespace

TEST_CASE("GridSample") {
  const Tensor line = f32({1, 1, 4}, {1, 2, 4, 8});  // one spatial dim: positions -1, -1/3, 1/3, 1
  const Tensor middle = f32({1, 2, 1}, {0, 1}), outside = f32({1, 3, 1}, {-5.0f / 3, 5.0f / 3, 3});
  const Tensor image = f32({1, 1, 2, 2}, {1, 2, 3, 4});
  check_rows({
      {"between two", grid_sample(line, middle), {f32({1, 1, 2}, {3, 8})}, 1e-5},
      {"edges of pixels", grid_sample(line, f32({1, 1, 1}, {1}), "linear", "zeros", 0), {f32({1, 1, 1}, {4})}, 1e-5},
      {"zeros outside", grid_sample(line, outside), {f32({1, 1, 3}, {0, 0, 0})}, 1e-5},
      {"border", grid_sample(line, outside, "linear", "border"), {f32({1, 1, 3}, {1, 8, 8})}, 1e-5},
      {"reflection", grid_sample(line, outside, "linear", "reflection"), {f32({1, 1, 3}, {2, 4, 1})}, 1e-5},
      {"x comes first", grid_sample(image, f32({1, 1, 1, 2}, {1, -1})), {f32({1, 1, 1, 1}, {2})}, 1e-6},
      {"ties go to the even index",
       grid_sample(line, f32({1, 2, 1}, {0, -2.0f / 3}), "nearest"),
       {f32({1, 1, 2}, {4, 1})}},
      {"cubic on a pixel", grid_sample(line, f32({1, 1, 1}, {1.0f / 3}), "cubic"), {f32({1, 1, 1}, {4})}, 1e-4},
      {"cubic between", grid_sample(line, middle, "cubic", "border"), {f32({1, 1, 2}, {2.71875f, 8})}, 1e-4},
      {"the names before opset 20", grid_sample(image, f32({1, 1, 1, 2}, {0, 0}), "bilinear"), {f32({1, 1, 1, 1}, {2.5f})}},
      {"integers: computed, then cut",
       grid_sample(i32({1, 1, 2, 2}, {1, 2, 3, 4}), f32({1, 1, 1, 2}, {0, 0})),
       {i32({1, 1, 1, 1}, {2})}},
      {"strings", grid_sample(strings({1, 1, 2}, {"a", "b"}), f32({1, 2, 1}, {1, 9}), "nearest"), {strings({1, 1, 2}, {"b", ""})}},
      {"volume",
       grid_sample(f32({1, 1, 2, 1, 1}, {1, 3}), f32({1, 1, 1, 1, 3}, {0, 0, 0})),
       {f32({1, 1, 1, 1, 1}, {2})}},
      {"a dim of 1 reflects onto itself", grid_sample(f32({1, 1, 1}, {5}), f32({1, 1, 1}, {7}), "linear", "reflection"), {f32({1, 1, 1}, {5})}},
      {"no channel", grid_sample(f32({1, 0, 2, 2}, {}), f32({1, 1, 1, 2}, {0, 0})), {f32({1, 0, 1, 1}, {})}},
  });
  // Positions far off, or not numbers, read inside the input or nothing.
  for (const char* padding : {"zeros", "border", "reflection"}) {
    for (const char* mode : {"nearest", "linear", "cubic"}) {
      const Tensor y = run_op(grid_sample(line, f32({1, 4, 1}, {kNaN, kInf, -kInf, 1e30f}), mode, padding))[0];
      CHECK(y.shape() == Shape{1, 1, 4});
    }
  }
  check_failures({
      {"another rank", grid_sample(image, middle)},
      {"another batch", grid_sample(image, f32({2, 1, 1, 2}, {0, 0, 0, 0}))},
      {"too few coordinates", grid_sample(image, f32({1, 1, 1, 1}, {0}))},
      {"no pixels", grid_sample(f32({1, 1, 0}, {}), f32({1, 1, 1}, {0}))},
      {"unknown mode", grid_sample(line, middle, "area"), ErrorCode::kModel, "area"},
      {"unknown padding", grid_sample(line, middle, "linear", "wrap"), ErrorCode::kModel, "wrap"},
      {"strings cannot be averaged", grid_sample(strings({1, 1, 1}, {"a"}), f32({1, 1, 1}, {0})), ErrorCode::kModel},
      {"too many taps",
       grid_sample(iota({1, 1, 1, 1, 1, 1, 1, 1, 1}), f32({1, 1, 1, 1, 1, 1, 1, 1, 7}, {0, 0, 0, 0, 0, 0, 0}), "cubic")},
  });
}

TEST_CASE("AffineGrid") {
  const Tensor identity = f32({1, 2, 3}, {1, 0, 0, 0, 1, 0});
  check_rows({
      {"centres of pixels",
       affine_grid(identity, i64({4}, {1, 1, 1, 2})),
       {f32({1, 1, 2, 2}, {-0.5f, 0, 0.5f, 0})},
       1e-6},
      {"corners", affine_grid(identity, i64({4}, {1, 1, 1, 2}), 1), {f32({1, 1, 2, 2}, {-1, 0, 1, 0})}, 1e-6},
      {"turned and moved",
       affine_grid(f32({1, 2, 3}, {0, 1, 5, 1, 0, 7}), i64({4}, {1, 1, 1, 2}), 1),
       {f32({1, 1, 2, 2}, {5, 6, 5, 8})},
       1e-6},
      {"volume",
       affine_grid(f64({1, 3, 4}, {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0}), i64({5}, {1, 1, 2, 1, 1}), 1),
       {f64({1, 2, 1, 1, 3}, {0, 0, -1, 0, 0, 1})},
       1e-12},
      {"nothing", affine_grid(identity, i64({4}, {1, 1, 0, 2})), {f32({1, 0, 2, 2}, {})}},
  });
  check_failures({
      {"size of three", affine_grid(identity, i64({3}, {1, 1, 2}))},
      {"theta of another rank", affine_grid(identity, i64({5}, {1, 1, 1, 1, 1}))},
      {"another batch", affine_grid(identity, i64({4}, {2, 1, 1, 1}))},
      {"a negative size", affine_grid(identity, i64({4}, {1, 1, -1, 2}))},
      {"a huge size", affine_grid(identity, i64({4}, {1, 1, INT64_MAX, INT64_MAX}))},
  });
}

TEST_CASE("RoiAlign") {
  const Tensor x = iota({1, 1, 4, 4});  // 4 row + column
  const Tensor whole = f32({1, 4}, {0, 0, 4, 4}), first = i64({1}, {0});
  const Attribute two = attr("output_height", 2), wide = attr("output_width", 2);
  check_rows({
      {"cells average their samples",
       roi_align(x, whole, first, {two, wide}),
       {f32({1, 1, 2, 2}, {2.5f, 4.5f, 10.5f, 12.5f})},
       1e-5},
      {"without the shift",
       roi_align(x, f32({1, 4}, {0, 0, 2, 2}), first,
                 {attr("coordinate_transformation_mode", "output_half_pixel"), attr("sampling_ratio", 1)}),
       {f32({1, 1, 1, 1}, {5})},
       1e-5},
      {"scaled", roi_align(x, f32({1, 4}, {0, 0, 8, 8}), first, {two, wide, attr("spatial_scale", 0.5f)}),
       {f32({1, 1, 2, 2}, {2.5f, 4.5f, 10.5f, 12.5f})}, 1e-5},
      {"the greatest weighted corner",
       roi_align(x, f32({1, 4}, {1, 1, 2, 2}), first, {attr("mode", "max"), attr("sampling_ratio", 1)}),
       {f32({1, 1, 1, 1}, {5})},
       1e-5},
      {"outside there is nothing", roi_align(x, f32({1, 4}, {50, 50, 60, 60}), first), {f32({1, 1, 1, 1}, {0})}},
      {"a region of no extent", roi_align(x, f32({1, 4}, {2, 2, 2, 2}), first), {f32({1, 1, 1, 1}, {0})}},
      {"no region", roi_align(x, f32({0, 4}, {}), i64({0}, {})), {f32({0, 1, 1, 1}, {})}},
      {"float16",
       roi_align(make(DType::kFloat16, {1, 1, 1, 1}, {3}), make(DType::kFloat16, {1, 4}, {0, 0, 1, 1}), first),
       {make(DType::kFloat16, {1, 1, 1, 1}, {3})}},
  });
  check_failures({
      {"no such batch", roi_align(x, whole, i64({1}, {1}))},
      {"too few batch indices", roi_align(x, whole, i64({0}, {}))},
      {"regions of three", roi_align(x, f32({1, 3}, {0, 0, 1}), first)},
      {"endless samples", roi_align(x, f32({1, 4}, {0, 0, 1e30f, 1}), first)},
      {"NaN", roi_align(x, f32({1, 4}, {0, 0, kNaN, 1}), first)},
      {"no output", roi_align(x, whole, first, {attr("output_height", 0)}), ErrorCode::kModel},
      {"unknown mode", roi_align(x, whole, first, {attr("mode", "min")}), ErrorCode::kModel},
      {"two types", roi_align(x, f64({1, 4}, {0, 0, 1, 1}), first), ErrorCode::kModel},
      {"an image without pixels", roi_align(f32({1, 1, 0, 4}, {}), whole, first)},
  });
}

TEST_CASE("NonMaxSuppression") {
  const Tensor boxes = f32({1, 3, 4}, {0, 0, 1, 1, 0, 0.1f, 1, 1.1f, 0, 10, 1, 11});
  const Tensor scores = f32({1, 1, 3}, {0.5f, 0.9f, 0.5f});
  const Tensor all = i64({1}, {9}), half = f32({1}, {0.5f});
  check_rows({
      {"the better of two that overlap", suppress(boxes, scores, all, half), {i64({2, 3}, {0, 0, 1, 0, 0, 2})}},
      {"a scalar limit", suppress(boxes, scores, i64({}, {1}), half), {i64({1, 3}, {0, 0, 1})}},
      {"no limit given means none", suppress(boxes, scores, {}, half), {i64({0, 3}, {})}},
      {"a negative limit", suppress(boxes, scores, i64({1}, {-1}), half), {i64({0, 3}, {})}},
      {"good scores only", suppress(boxes, scores, all, half, f32({1}, {0.6f})), {i64({1, 3}, {0, 0, 1})}},
      {"equal scores: the lower index first",
       suppress(boxes, f32({1, 1, 3}, {1, 1, 1}), all, f32({1}, {1})),
       {i64({3, 3}, {0, 0, 0, 0, 0, 1, 0, 0, 2})}},
      {"NaN is no score", suppress(boxes, f32({1, 1, 3}, {kNaN, 1, kNaN}), all, half), {i64({1, 3}, {0, 0, 1})}},
      {"corners the other way around",
       suppress(f32({1, 2, 4}, {1, 1, 0, 0, 0, 0, 1, 1}), f32({1, 1, 2}, {1, 2}), all, half),
       {i64({1, 3}, {0, 0, 1})}},
      {"centres",
       suppress(f32({1, 2, 4}, {0, 0, 2, 2, 1, 0, 2, 2}), f32({1, 1, 2}, {1, 2}), all, f32({1}, {0.3f}), {}, 1),
       {i64({1, 3}, {0, 0, 1})}},
      {"no boxes", suppress(f32({1, 0, 4}, {}), f32({1, 2, 0}, {}), all), {i64({0, 3}, {})}},
  });
  check_failures({
      {"as many scores as boxes", suppress(boxes, f32({1, 1, 2}, {1, 2}), all)},
      {"boxes of three", suppress(f32({1, 1, 3}, {0, 0, 1}), f32({1, 1, 1}, {1}), all)},
      {"rank", suppress(f32({3, 4}, std::initializer_list<float>{0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1}), scores, all)},
  });
}

TEST_CASE("CenterCropPad") {
  const Tensor x = iota({4}, 1);
  check_rows({
      {"cut", crop_pad(x, i64({1}, {2})), {f32({2}, {2, 3})}},
      {"cut an odd number", crop_pad(x, i64({1}, {1})), {f32({1}, {2})}},
      {"pad an odd number", crop_pad(x, i32({1}, {7})), {f32({7}, {0, 1, 2, 3, 4, 0, 0})}},
      {"both", crop_pad(iota({2, 2}, 1), i64({2}, {1, 4})), {f32({1, 4}, {0, 1, 2, 0})}},
      {"one axis", crop_pad(iota({2, 2}, 1), i64({1}, {1}), {attr_ints("axes", {-1})}), {f32({2, 1}, {1, 3})}},
      {"strings", crop_pad(strings({1}, {"a"}), i64({1}, {3})), {strings({3}, {"", "a", ""})}},
      {"to nothing", crop_pad(x, i64({1}, {0})), {f32({0}, {})}},
      {"from nothing", crop_pad(f32({0}, {}), i64({1}, {2})), {f32({2}, {0, 0})}},
  });
  check_failures({
      {"a negative size", crop_pad(x, i64({1}, {-1}))},
      {"too many sizes", crop_pad(x, i64({2}, {1, 1}))},
      {"axis", crop_pad(x, i64({1}, {1}), {attr_ints("axes", {1})})},
      {"an axis twice", crop_pad(iota({2, 2}), i64({2}, {1, 1}), {attr_ints("axes", {0, -2})})},
  });
}

}  // namespace kinglet::test
