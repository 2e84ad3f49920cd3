// Conv and ConvTranspose against plain loops in double precision.

#include "ops/support/conv_reference.hpp"
#include "ops/support/rows.hpp"

using namespace kinglet;
using namespace kinglet::test;

namespace {

struct ConvRow {
  std::string label;
  Shape x, w;
  ConvOptions options = {};
  std::string auto_pad = "";
  bool bias = false;
};

OpCall call_of(const std::string& op, const ConvRow& row, DType type) {
  OpCall call{.op = op, .inputs = {numbers(type, row.x, 1), numbers(type, row.w, 2)}};
  const ConvOptions& o = row.options;
  if (!o.strides.empty()) call.attributes.push_back(attr_ints("strides", o.strides));
  if (!o.dilations.empty()) call.attributes.push_back(attr_ints("dilations", o.dilations));
  if (!o.pads.empty() && row.auto_pad.empty()) call.attributes.push_back(attr_ints("pads", o.pads));
  if (!o.output_padding.empty()) call.attributes.push_back(attr_ints("output_padding", o.output_padding));
  if (o.group != 1) call.attributes.push_back(attr("group", o.group));
  if (!row.auto_pad.empty()) call.attributes.push_back(attr("auto_pad", row.auto_pad.c_str()));
  const int64_t channels = op == "Conv" ? row.w[0] : row.w[1] * o.group;
  if (row.bias) call.inputs.push_back(numbers(type, {channels}, 3));
  return call;
}

void check(const std::string& op, const std::vector<ConvRow>& rows, std::initializer_list<DType> types) {
  for (const ConvRow& row : rows) {
    for (const DType type : types) {
      INFO(row.label << " " << dtype_name(type));
      const OpCall call = call_of(op, row, type);
      const Tensor want = op == "Conv" ? conv_reference(call.inputs, row.options)
                                       : conv_transpose_reference(call.inputs, row.options);
      CHECK(difference(run_op(call)[0], want,
                       type == DType::kFloat16    ? 4e-3
                       : type == DType::kBFloat16 ? 3e-2
                                                  : 1e-5) == "");
    }
  }
}

}  // namespace

TEST_CASE("Conv against plain loops", "[op]") {
  check(
      "Conv",
      {
          {"plain", {1, 3, 5, 7}, {4, 3, 3, 3}},
          {"bias, batch", {3, 2, 4, 4}, {5, 2, 2, 3}, {}, "", true},
          {"1x1", {2, 5, 3, 3}, {7, 5, 1, 1}, {}, "", true},
          {"1x1 with stride", {1, 5, 5, 6}, {3, 5, 1, 1}, {.strides = {2, 3}}},
          {"1x1 of whole panels", {1, 6, 3, 3}, {16, 6, 1, 1}},
          {"1x1 of whole panels and several depths", {1, 801, 1, 2}, {24, 801, 1, 1}, {}, "", true},
          {"1x1 of whole panels in groups, with stride", {1, 12, 3, 4}, {16, 6, 1, 1}, {.strides = {2, 1}, .group = 2}},
          {"strides and dilations", {1, 2, 9, 11}, {3, 2, 3, 2}, {.strides = {2, 3}, .dilations = {2, 3}}},
          {"asymmetric pads", {1, 3, 5, 4}, {2, 3, 3, 3}, {.pads = {0, 2, 1, 3}}},
          {"pads wider than the picture", {1, 1, 2, 2}, {2, 1, 3, 3}, {.pads = {5, 5, 5, 5}}},
          {"negative pads", {1, 2, 7, 7}, {3, 2, 2, 2}, {.pads = {-1, 0, 0, -2}}},
          {"groups", {1, 6, 5, 5}, {4, 3, 3, 3}, {.pads = {1, 1, 1, 1}, .group = 2}, "", true},
          {"many groups of one output", {1, 9, 4, 5}, {3, 3, 2, 2}, {.group = 3}},
          {"depthwise",
           {2, 13, 6, 7},
           {13, 1, 3, 3},
           {.strides = {2, 1}, .pads = {1, 1, 1, 1}, .group = 13},
           "",
           true},
          {"depthwise with two outputs each", {1, 5, 6, 6}, {10, 1, 3, 2}, {.dilations = {2, 1}, .group = 5}},
          {"one dim", {2, 3, 10}, {4, 3, 3}, {.strides = {2}, .dilations = {2}, .pads = {1, 2}}, "", true},
          {"three dims",
           {1, 2, 4, 5, 3},
           {3, 2, 2, 3, 1},
           {.strides = {1, 2, 2}, .pads = {1, 0, 0, 0, 1, 0}}},
          {"no batch", {0, 2, 4, 4}, {3, 2, 3, 3}},
      },
      {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16});
}

TEST_CASE("auto_pad of Conv", "[op]") {
  check("Conv",
        {
            {"VALID", {1, 1, 5, 5}, {1, 1, 3, 3}, {}, "VALID"},
            {"SAME_UPPER, even kernel", {1, 1, 5, 6}, {1, 1, 2, 4}, {.pads = {0, 1, 1, 2}}, "SAME_UPPER"},
            {"SAME_LOWER, even kernel", {1, 1, 5, 6}, {1, 1, 2, 4}, {.pads = {1, 2, 0, 1}}, "SAME_LOWER"},
            {"SAME_UPPER, stride",
             {1, 1, 5, 6},
             {1, 1, 3, 3},
             {.strides = {2, 2}, .pads = {1, 0, 1, 1}},
             "SAME_UPPER"},
            {"SAME_LOWER, dilation",
             {1, 1, 4, 4},
             {1, 1, 2, 2},
             {.dilations = {3, 1}, .pads = {2, 1, 1, 0}},
             "SAME_LOWER"},
        },
        {DType::kFloat32});
}

TEST_CASE("fused activations and input Z of FusedConv", "[op]") {
  const ConvRow row{"", {1, 3, 4, 5}, {4, 3, 3, 3}, {.pads = {1, 1, 1, 1}}};
  OpCall call = call_of("Conv", row, DType::kFloat32);
  const Tensor plain = conv_reference(call.inputs, row.options),
               z = numbers(DType::kFloat32, plain.shape(), 5);
  call.op = "FusedConv", call.domain = "com.microsoft", call.opset = 1;
  call.inputs.push_back({});
  call.inputs.push_back(z);
  call.attributes.push_back(attr("activation", "LeakyRelu"));
  call.attributes.push_back(attr_floats("activation_params", {0.25f}));
  Tensor want(DType::kFloat32, plain.shape());
  for (size_t i = 0; i < want.count(); ++i) {
    const float v = plain.data<float>()[i] + z.data<float>()[i];
    want.data<float>()[i] = v < 0 ? 0.25f * v : v;
  }
  CHECK(difference(run_op(call)[0], want, 1e-5) == "");
}

TEST_CASE("what Conv refuses", "[op]") {
  const Tensor x = numbers(DType::kFloat32, {1, 4, 5, 5}, 1), w = numbers(DType::kFloat32, {4, 4, 3, 3}, 2);
  const auto with = [&](Attribute a) {
    return OpCall{.op = "Conv", .attributes = {std::move(a)}, .inputs = {x, w}};
  };
  check_failures(std::vector<BadRow>{
      {"channels",
       {.op = "Conv", .inputs = {x, numbers(DType::kFloat32, {4, 3, 3, 3}, 2)}},
       ErrorCode::kShape,
       "channels"},
      {"ranks",
       {.op = "Conv", .inputs = {x, numbers(DType::kFloat32, {4, 4, 3}, 2)}},
       ErrorCode::kShape,
       "rank"},
      {"bias", {.op = "Conv", .inputs = {x, w, numbers(DType::kFloat32, {3}, 2)}}, ErrorCode::kShape, "bias"},
      {"types",
       {.op = "Conv", .inputs = {x, numbers(DType::kFloat64, {4, 4, 3, 3}, 2)}},
       ErrorCode::kModel,
       "types"},
      {"integers",
       {.op = "Conv", .inputs = {i32({1, 1, 1}, {1}), i32({1, 1, 1}, {1})}},
       ErrorCode::kModel,
       "int32"},
      {"no group", with(attr("group", 0)), ErrorCode::kModel, "group"},
      {"huge group", with(attr("group", INT64_MAX)), ErrorCode::kShape, "does not fit"},
      {"groups that do not divide",
       {.op = "Conv",
        .attributes = {attr("group", 3)},
        .inputs = {numbers(DType::kFloat32, {1, 12, 5, 5}, 1), w}},
       ErrorCode::kShape,
       "groups"},
      {"stride 0", with(attr_ints("strides", {1, 0})), ErrorCode::kModel, "strides"},
      {"huge dilation", with(attr_ints("dilations", {1, INT64_MAX})), ErrorCode::kModel, "dilations"},
      {"pads of one dim", with(attr_ints("pads", {1, 1})), ErrorCode::kShape, "pads"},
      {"kernel_shape", with(attr_ints("kernel_shape", {3, 2})), ErrorCode::kShape, "kernel_shape"},
      {"kernel too large", with(attr_ints("dilations", {3, 3})), ErrorCode::kShape, "does not fit"},
      {"four spatial dims",
       {.op = "Conv",
        .inputs = {numbers(DType::kFloat32, {1, 1, 2, 2, 2, 2}, 1),
                   numbers(DType::kFloat32, {1, 1, 1, 1, 1, 1}, 1)}},
       ErrorCode::kShape,
       "spatial"},
  });
}

TEST_CASE("ConvTranspose against plain loops", "[op]") {
  check("ConvTranspose",
        {
            {"plain", {1, 3, 3, 4}, {3, 2, 3, 3}},
            {"bias, batch, strides", {2, 2, 3, 3}, {2, 5, 2, 3}, {.strides = {2, 3}}, "", true},
            {"patches that tile", {1, 4, 3, 5}, {4, 3, 2, 2}, {.strides = {2, 2}}, "", true},
            {"patches with gaps", {1, 2, 3, 3}, {2, 3, 2, 1}, {.strides = {3, 2}}, "", true},
            {"pads", {1, 3, 4, 4}, {3, 2, 3, 3}, {.strides = {2, 2}, .pads = {1, 0, 2, 1}}},
            {"output_padding",
             {1, 3, 3, 3},
             {3, 2, 3, 3},
             {.strides = {2, 2}, .pads = {1, 1, 1, 1}, .output_padding = {1, 0}},
             "",
             true},
            {"dilations", {1, 2, 3, 4}, {2, 2, 3, 2}, {.dilations = {2, 3}}},
            {"groups", {1, 6, 3, 3}, {6, 2, 2, 2}, {.strides = {2, 1}, .group = 3}, "", true},
            {"one dim", {2, 3, 5}, {3, 4, 4}, {.strides = {2}, .pads = {1, 1}}},
            {"three dims", {1, 2, 2, 3, 2}, {2, 3, 2, 1, 3}, {.strides = {2, 1, 2}}, "", true},
        },
        {DType::kFloat32, DType::kFloat16});
}

TEST_CASE("output_shape of ConvTranspose", "[op]") {
  // 3 pixels at stride 3 under a kernel of 3 are 9; of the 9, 8 are wanted.
  const Tensor x = numbers(DType::kFloat32, {1, 1, 3}, 1), w = numbers(DType::kFloat32, {1, 2, 3}, 2);
  const Tensor upper = conv_transpose_reference({x, w}, {.strides = {3}, .pads = {0, 1}}),
               lower = conv_transpose_reference({x, w}, {.strides = {3}, .pads = {1, 0}});
  const auto with = [&](const char* auto_pad, std::vector<int64_t> shape) {
    return OpCall{.op = "ConvTranspose",
                  .attributes = {attr_ints("strides", {3}), attr_ints("output_shape", std::move(shape)),
                                 attr("auto_pad", auto_pad)},
                  .inputs = {x, w}};
  };
  CHECK(difference(run_op(with("SAME_UPPER", {8}))[0], upper, 1e-5) == "");
  CHECK(difference(run_op(with("SAME_LOWER", {8}))[0], lower, 1e-5) == "");
  CHECK(difference(run_op(with("NOTSET", {8}))[0], lower, 1e-5) == "");
  // More than the kernels reach stays at 0.
  const Tensor longer = run_op(with("NOTSET", {11}))[0];
  CHECK(longer.shape() == Shape{1, 2, 11});
  CHECK(longer.data<float>()[10] == 0);
  CHECK(failure(with("NOTSET", {8, 8})) == ErrorCode::kShape);
  CHECK(failure({.op = "ConvTranspose", .inputs = {x, numbers(DType::kFloat32, {2, 1, 3}, 1)}}) ==
        ErrorCode::kShape);
  CHECK(failure({.op = "ConvTranspose", .attributes = {attr_ints("pads", {9, 9})}, .inputs = {x, w}}) ==
        ErrorCode::kShape);
}
