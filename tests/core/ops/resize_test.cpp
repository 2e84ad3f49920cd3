#include <cmath>
#include <cstring>

#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

Tensor floats(const std::vector<float>& values) {
  return Tensor::from<float>({static_cast<int64_t>(values.size())}, values);
}

struct Options {
  std::string mode = "nearest", coordinates = "half_pixel", rounding = "round_prefer_floor";
  float cubic_a = -0.75f;
  bool exclude_outside = false, antialias = false;
  float extrapolation = 0;
};

std::vector<Attribute> attributes(const Options& o) {
  return {attr("mode", o.mode.c_str()),
          attr("coordinate_transformation_mode", o.coordinates.c_str()),
          attr("nearest_mode", o.rounding.c_str()),
          attr("cubic_coeff_a", o.cubic_a),
          attr("exclude_outside", o.exclude_outside ? 1 : 0),
          attr("antialias", o.antialias ? 1 : 0),
          attr("extrapolation_value", o.extrapolation)};
}

OpCall by_scales(const Options& o, Tensor x, const std::vector<float>& scales, Tensor roi = {}) {
  return {
      .op = "Resize", .attributes = attributes(o), .inputs = {std::move(x), std::move(roi), floats(scales)}};
}

OpCall by_sizes(const Options& o, Tensor x, const std::vector<int64_t>& sizes, Tensor roi = {}) {
  Tensor s = Tensor::from<int64_t>({static_cast<int64_t>(sizes.size())}, sizes);
  return {.op = "Resize", .attributes = attributes(o), .inputs = {std::move(x), std::move(roi), {}, s}};
}

OpCall with(OpCall call, Attribute attribute) {
  call.attributes.push_back(std::move(attribute));
  return call;
}

// The definition, one output element at a time, in the words of ONNX's reference implementation.

struct Line {
  int64_t in, out;
  float scale;
  float start = 0, end = 1;
};

float source_position(const Options& o, const Line& l, int64_t i) {
  const auto x = static_cast<float>(i), in = static_cast<float>(l.in), out = static_cast<float>(l.out);
  if (o.coordinates == "asymmetric") return x / l.scale;
  if (o.coordinates == "align_corners") return l.out == 1 ? 0 : x * (in - 1) / (out - 1);
  if (o.coordinates == "pytorch_half_pixel" && l.out == 1) return 0;
  if (o.coordinates == "tf_half_pixel_for_nn") return (x + 0.5f) / l.scale;
  if (o.coordinates == "half_pixel_symmetric") {
    const float adjustment = out / (l.scale * in), center = in / 2;
    return center * (1 - adjustment) + (x + 0.5f) / l.scale - 0.5f;
  }
  if (o.coordinates == "tf_crop_and_resize") {
    if (l.out == 1) return 0.5f * (l.start + l.end) * (in - 1);
    return l.start * (in - 1) + x * (l.end - l.start) * (in - 1) / (out - 1);
  }
  return (x + 0.5f) / l.scale - 0.5f;
}

struct Tap {
  int64_t index;
  double weight;
};

/// No taps: outside of the input.
std::vector<Tap> taps_of(const Options& o, const Line& l, int64_t i) {
  const float x = source_position(o, l, i);
  if (o.coordinates == "tf_crop_and_resize" && (x < 0 || x > static_cast<float>(l.in - 1))) return {};
  const auto clamp = [&](double v) {
    return static_cast<int64_t>(std::min(std::max(v, 0.0), static_cast<double>(l.in - 1)));
  };
  const double p = static_cast<double>(x);
  if (o.mode == "nearest") {
    if (o.rounding == "floor") return {{clamp(std::floor(p)), 1}};
    if (o.rounding == "ceil") return {{clamp(std::ceil(p)), 1}};
    const bool tie = p - std::floor(p) == 0.5;
    if (tie) return {{clamp(o.rounding == "round_prefer_floor" ? std::floor(p) : std::ceil(p)), 1}};
    return {{clamp(std::round(p)), 1}};
  }
  const double stretch = o.antialias ? std::min(1.0, static_cast<double>(l.scale)) : 1.0;
  const double a = static_cast<double>(o.cubic_a);
  std::vector<Tap> taps;
  double sum = 0;
  const auto reach = static_cast<int64_t>(std::ceil(2 / stretch)) + 1;
  for (auto index = static_cast<int64_t>(std::floor(p)) - reach;
       index <= static_cast<int64_t>(std::floor(p)) + reach; ++index) {
    const double d = std::abs(static_cast<double>(index) - p) * stretch;
    double weight = 0;
    if (o.mode == "linear") {
      weight = d < 1 ? 1 - d : 0;
    } else if (d <= 1) {
      weight = (a + 2) * d * d * d - (a + 3) * d * d + 1;
    } else if (d < 2) {
      weight = a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a;
    }
    if (o.exclude_outside && (index < 0 || index >= l.in)) weight = 0;
    if (weight == 0) continue;
    taps.push_back({clamp(static_cast<double>(index)), weight});
    sum += weight;
  }
  if (o.antialias || o.exclude_outside) {
    for (Tap& tap : taps) tap.weight /= sum;
  }
  return taps;
}

double resample(const Options& o, const Tensor& x, const std::vector<Line>& lines,
                const std::vector<int64_t>& at, size_t dim, size_t offset, bool& outside) {
  if (dim == lines.size()) return static_cast<double>(x.data<float>()[offset]);
  const size_t stride = x.shape().count(dim + 1, x.rank());
  const bool same = lines[dim].in == lines[dim].out && o.coordinates != "tf_crop_and_resize";
  const std::vector<Tap> taps = same ? std::vector<Tap>{{at[dim], 1}} : taps_of(o, lines[dim], at[dim]);
  outside = outside || taps.empty();
  double sum = 0;
  for (const Tap& tap : taps) {
    sum += tap.weight *
           resample(o, x, lines, at, dim + 1, offset + static_cast<size_t>(tap.index) * stride, outside);
  }
  return sum;
}

Tensor reference(const Options& o, const Tensor& x, const std::vector<Line>& lines) {
  Shape shape;
  for (const Line& l : lines) shape.push_back(l.out);
  Tensor y(DType::kFloat32, shape);
  std::vector<int64_t> at(lines.size(), 0);
  for (size_t i = 0; i < y.count(); ++i) {
    bool outside = false;
    const double value = resample(o, x, lines, at, 0, 0, outside);
    y.data<float>()[i] = outside ? o.extrapolation : static_cast<float>(value);
    for (size_t d = at.size(); d-- > 0 && ++at[d] == shape[d];) at[d] = 0;
  }
  return y;
}

/// Values without a pattern that interpolation could hide.
Tensor bumpy(const Shape& shape) {
  Tensor t(DType::kFloat32, shape);
  for (size_t i = 0; i < t.count(); ++i)
    t.data<float>()[i] = static_cast<float>((i * 37 + i * i * 11) % 101) / 10;
  return t;
}

Tensor transposed(Tensor x, std::vector<int64_t> perm) {
  return run_op(
      {.op = "Transpose", .attributes = {attr_ints("perm", std::move(perm))}, .inputs = {std::move(x)}})[0];
}

}  // namespace

TEST_CASE("Resize by hand") {
  const Tensor m = f32({2, 2}, {1, 2, 3, 4}), x = f32({4}, {1, 2, 3, 4});
  const Options nearest, linear{.mode = "linear"},
      asymmetric{.coordinates = "asymmetric", .rounding = "floor"};
  check_rows({
      {"nearest, twice",
       by_scales(nearest, m, {2, 2}),
       {f32({4, 4}, {1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4})}},
      {"linear, twice", by_scales(linear, f32({2}, {0, 4}), {2}), {f32({4}, {0, 1, 3, 4})}},
      {"linear, half", by_scales(linear, x, {0.5f}), {f32({2}, {1.5f, 3.5f})}},
      {"asymmetric, by 2/3", by_sizes(asymmetric, iota({6}), {4}), {f32({4}, {0, 1, 3, 4})}},
      {"scales of 1 change nothing", by_scales(linear, m, {1, 1}), {m}},
      {"cut to whole sizes", by_scales(nearest, x, {0.6f}), {f32({2}, {1, 3})}},
      {"a scalar", {.op = "Resize", .inputs = {f32({}, {5}), {}, f32({0}, {})}}, {f32({}, {5})}},
      {"to nothing", by_sizes(linear, m, {2, 0}), {f32({2, 0}, {})}},
      {"axes",
       with(by_sizes(nearest, m, {4}), attr_ints("axes", {-1})),
       {f32({2, 4}, {1, 1, 2, 2, 3, 3, 4, 4})}},
      {"axes in any order",
       with(by_sizes(nearest, m, {2, 1}), attr_ints("axes", {1, 0})),
       {f32({1, 2}, {1, 2})}},
      {"not_larger",
       with(by_sizes(nearest, m, {4, 6}), attr("keep_aspect_ratio_policy", "not_larger")),
       {f32({4, 4}, {1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4})}},
      {"not_smaller",
       with(by_sizes(nearest, m, {1, 4}), attr("keep_aspect_ratio_policy", "not_smaller")),
       {f32({4, 4}, {1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4})}},
      {"opset 10 reduces upwards",
       {.op = "Resize", .opset = 10, .inputs = {x, f32({1}, {0.6f})}},
       {f32({2}, {1, 3})}},
      {"opset 11 with empty roi and scales",
       {.op = "Resize", .opset = 11, .inputs = {m, f32({0}, {}), f32({0}, {}), i64({2}, {2, 4})}},
       {f32({2, 4}, {1, 1, 2, 2, 3, 3, 4, 4})}},
      {"Upsample 7",
       {.op = "Upsample", .opset = 7, .attributes = {attr_floats("scales", {1, 2})}, .inputs = {m}},
       {f32({2, 4}, {1, 1, 2, 2, 3, 3, 4, 4})}},
      {"Upsample 9, linear",
       {.op = "Upsample",
        .opset = 9,
        .attributes = {attr("mode", "linear")},
        .inputs = {m, f32({2}, {1, 2})}},
       {f32({2, 4}, {1, 1.5f, 2, 2, 3, 3.5f, 4, 4})}},
      {"strings", by_scales(nearest, strings({2}, {"a", "b"}), {2}), {strings({4}, {"a", "a", "b", "b"})}},
      {"uint8 is rounded", by_scales(linear, u8({2}, {0, 255}), {2}), {u8({4}, {0, 64, 191, 255})}},
      {"a constant uint8 image stays",
       by_sizes(linear, u8({3, 1}, {255, 255, 255}), {7, 3}),
       {u8({7, 3}, {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                    255, 255, 255, 255, 255, 255, 255, 255, 255, 255})}},
      {"int8 is rounded",
       by_scales(linear, make(DType::kInt8, {2}, {-3, 0}), {2}),
       {make(DType::kInt8, {4}, {-3, -2, -1, 0})}},
      {"cubic stays in the type's range",
       by_scales({.mode = "cubic"}, u8({4}, {0, 0, 255, 255}), {2}),
       {u8({8}, {0, 0, 0, 58, 197, 255, 255, 255})}},
      {"float16",
       by_scales(linear, make(DType::kFloat16, {2}, {0, 4}), {2}),
       {make(DType::kFloat16, {4}, {0, 1, 3, 4})}},
      {"float64", by_scales(linear, f64({2}, {0, 4}), {2}), {f64({4}, {0, 1, 3, 4})}},
  });
}

TEST_CASE("Resize against its definition") {
  std::vector<Options> all;
  const char* const coordinates[] = {"half_pixel",        "pytorch_half_pixel",   "align_corners",
                                     "asymmetric",        "half_pixel_symmetric", "tf_half_pixel_for_nn",
                                     "tf_crop_and_resize"};
  for (const char* c : coordinates) {
    for (const char* r : {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"})
      all.push_back({"nearest", c, r});
    for (const bool exclude : {false, true}) {
      for (const bool antialias : {false, true}) {
        all.push_back(
            {.mode = "linear", .coordinates = c, .exclude_outside = exclude, .antialias = antialias});
        all.push_back(
            {.mode = "cubic", .coordinates = c, .exclude_outside = exclude, .antialias = antialias});
        all.push_back({.mode = "cubic",
                       .coordinates = c,
                       .cubic_a = -0.5f,
                       .exclude_outside = exclude,
                       .antialias = antialias});
      }
    }
  }
  struct Sizes {
    Shape in;
    std::vector<int64_t> out;
  };
  const Sizes sizes[] = {{{5}, {8}},
                         {{8}, {3}},
                         {{3}, {1}},
                         {{1}, {4}},
                         {{4, 6}, {8, 3}},
                         {{3, 4, 5}, {3, 6, 5}},
                         {{2, 3, 4, 4}, {2, 3, 8, 8}},
                         {{1, 4, 5, 3}, {1, 7, 2, 3}},
                         {{1, 2, 6, 5}, {1, 2, 3, 5}},
                         {{2, 2, 2}, {3, 4, 5}},
                         {{2, 5, 3, 4}, {2, 8, 6, 4}}};
  for (Options o : all) {
    o.extrapolation = 7.5f;
    for (const Sizes& s : sizes) {
      INFO(o.mode << " " << o.coordinates << " " << o.rounding << " a=" << o.cubic_a
                  << (o.exclude_outside ? " exclude" : "") << (o.antialias ? " antialias" : "") << " "
                  << text("{}", s.in) << " -> " << text("{}", Shape(s.out)));
      const Tensor x = bumpy(s.in);
      const bool crops = o.coordinates == "tf_crop_and_resize";
      std::vector<float> roi(2 * s.out.size());
      std::vector<Line> lines;
      for (size_t d = 0; d < s.out.size(); ++d) {
        const float start = d % 2 == 0 ? 0.25f : -0.25f, end = 1.125f;
        roi[d] = start;
        roi[d + s.out.size()] = end;
        const float scale = static_cast<float>(s.out[d]) / static_cast<float>(s.in[d]);
        lines.push_back({s.in[d], s.out[d], scale, start, end});
      }
      const OpCall call = by_sizes(o, x, s.out, crops ? floats(roi) : Tensor());
      const Tensor want = reference(o, x, lines);
      CHECK(difference(run_op(call)[0], want, 1e-4) == "");
      if (s.out.size() < 3) continue;
      std::vector<int64_t> to_last = {0}, back = {0, static_cast<int64_t>(s.out.size()) - 1};
      for (size_t d = 2; d < s.out.size(); ++d) to_last.push_back(static_cast<int64_t>(d));
      to_last.push_back(1);
      OpCall last = with(call, attr("channels_last", 1));
      last.inputs[0] = transposed(x, to_last);
      for (size_t d = 1; d + 1 < s.out.size(); ++d) back.push_back(static_cast<int64_t>(d));
      CHECK(difference(transposed(run_op(last)[0], back), want, 1e-4) == "");
    }
  }
}

TEST_CASE("Resize refuses") {
  const Tensor m = iota({2, 2});
  const float inf = HUGE_VALF;
  const Options nearest, linear{.mode = "linear"}, crop{.coordinates = "tf_crop_and_resize"};
  check_failures({
      {"too few scales", by_scales(nearest, m, {2})},
      {"too few sizes", by_sizes(nearest, m, {2})},
      {"scale 0", by_scales(nearest, m, {1, 0})},
      {"negative scale", by_scales(nearest, m, {1, -1})},
      {"infinite scale", by_scales(nearest, m, {1, inf})},
      {"NaN scale", by_scales(nearest, m, {1, std::nanf("")})},
      {"a huge scale", by_scales(nearest, m, {1, 1e30f})},
      {"a negative size", by_sizes(nearest, m, {2, -2}), ErrorCode::kShape, "-2"},
      {"too many elements", by_sizes(nearest, m, {int64_t{1} << 40, int64_t{1} << 40})},
      {"from nothing", by_sizes(linear, f32({0, 2}, {}), {1, 2})},
      {"scales and sizes", {.op = "Resize", .inputs = {m, {}, f32({2}, {2, 2}), i64({2}, {4, 4})}}},
      {"neither", {.op = "Resize", .inputs = {m, {}, {}, {}}}},
      {"crop without roi", by_sizes(crop, m, {2, 2})},
      {"unknown mode", by_scales({.mode = "area"}, m, {2, 2}), ErrorCode::kModel, "area"},
      {"unknown coordinates", by_scales({.coordinates = "corner"}, m, {2, 2}), ErrorCode::kModel, "corner"},
      {"unknown rounding", by_scales({.rounding = "up"}, m, {2, 2}), ErrorCode::kModel, "up"},
      {"unknown policy", with(by_sizes(nearest, m, {2, 2}), attr("keep_aspect_ratio_policy", "fit")),
       ErrorCode::kModel, "fit"},
      {"axis", with(by_sizes(nearest, m, {4}), attr_ints("axes", {2})), ErrorCode::kShape, "axis 2"},
      {"strings cannot be averaged", by_scales(linear, strings({2}, {"a", "b"}), {2}), ErrorCode::kModel},
  });
  // Positions far off, or not numbers, still read inside the input.
  for (const float end : {1e30f, inf, std::nanf("")}) {
    for (const char* mode : {"nearest", "linear", "cubic"}) {
      const Options o{.mode = mode, .coordinates = "tf_crop_and_resize", .extrapolation = 3};
      const Tensor y = run_op(by_sizes(o, m, {4, 4}, floats({0, 0, end, end})))[0];
      CHECK(y.shape() == Shape{4, 4});
      CHECK(y.data<float>()[15] == 3);
    }
  }
}

}  // namespace kinglet::test
