// What opsets 1 to 6 did in another way: expectations worked out by hand from the operators' schema history.

#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

OpCall old(std::string op, int64_t opset, std::vector<Attribute> attributes, std::vector<Tensor> inputs,
           size_t outputs = 1) {
  return {.op = std::move(op),
          .opset = opset,
          .attributes = std::move(attributes),
          .inputs = std::move(inputs),
          .outputs = outputs};
}

TEST_CASE("legacy broadcasting") {
  const Tensor x = iota({2, 3, 2}, 1);  // 1 ... 12
  const Tensor columns = f32({2}, {10, 20}), rows = f32({3}, {10, 20, 30}), planes = f32({2}, {100, 200});
  const std::vector<Attribute> on = {attr("broadcast", 1)};
  const auto at = [](int axis) { return std::vector<Attribute>{attr("broadcast", 1), attr("axis", axis)}; };
  check_rows({
      {"last dims", old("Add", 6, on, {x, columns}),
       f32({2, 3, 2}, {11, 22, 13, 24, 15, 26, 17, 28, 19, 30, 21, 32})},
      {"middle dim", old("Add", 6, at(1), {x, rows}),
       f32({2, 3, 2}, {11, 12, 23, 24, 35, 36, 17, 18, 29, 30, 41, 42})},
      {"axis from the end", old("Add", 6, at(-2), {x, rows}),
       f32({2, 3, 2}, {11, 12, 23, 24, 35, 36, 17, 18, 29, 30, 41, 42})},
      {"first dim", old("Sub", 1, at(0), {x, planes}),
       f32({2, 3, 2}, {-99, -98, -97, -96, -95, -94, -193, -192, -191, -190, -189, -188})},
      {"two dims from the first", old("Add", 6, at(0), {x, f32({2, 3}, {10, 20, 30, 40, 50, 60})}),
       f32({2, 3, 2}, {11, 12, 23, 24, 35, 36, 47, 48, 59, 60, 71, 72})},
      {"two last dims", old("Mul", 6, on, {f32({2, 1, 2}, {1, 2, 3, 4}), f32({1, 2}, {10, 100})}),
       f32({2, 1, 2}, {10, 200, 30, 400})},
      {"scalar", old("Div", 6, on, {f32({2}, {4, 8}), f32({}, {2})}), f32({2}, {2, 4})},
      {"one element of some rank, whatever the axis",
       old("Mul", 6, at(0), {f32({2, 1, 2}, {1, 2, 3, 4}), f32({1, 1}, {2})}), f32({2, 1, 2}, {2, 4, 6, 8})},
      {"same shapes need no attribute", old("Add", 6, {}, {columns, planes}), f32({2}, {110, 220})},
      {"consumed_inputs", old("Add", 1, {attr_ints("consumed_inputs", {0, 0})}, {columns, planes}),
       f32({2}, {110, 220})},
      {"Pow", old("Pow", 1, at(0), {f32({2, 2}, {2, 3, 2, 3}), f32({2}, {2, 3})}),
       f32({2, 2}, {4, 9, 8, 27})},
      {"Equal", old("Equal", 1, at(0), {i32({2, 2}, {1, 2, 1, 2}), i32({2}, {1, 2})}),
       boolean({2, 2}, {true, false, false, true})},
      {"Less", old("Less", 1, at(0), {f32({2, 2}, {1, 2, 1, 2}), f32({2}, {2, 1})}),
       boolean({2, 2}, {true, false, false, false})},
      {"Greater", old("Greater", 1, at(0), {f32({2, 2}, {1, 2, 1, 2}), f32({2}, {2, 1})}),
       boolean({2, 2}, {false, false, false, true})},
      {"And", old("And", 1, at(0), {boolean({2, 2}, {true, true, true, false}), boolean({2}, {false, true})}),
       boolean({2, 2}, {false, false, true, false})},
      {"Or", old("Or", 1, on, {boolean({2, 2}, {false, true, false, false}), boolean({2}, {true, false})}),
       boolean({2, 2}, {true, true, true, false})},
      {"Xor", old("Xor", 1, on, {boolean({2, 2}, {false, true, true, false}), boolean({2}, {true, false})}),
       boolean({2, 2}, {true, true, false, false})},
      {"opset 7 does not read the attributes", old("Add", 7, at(0), {f32({2, 2}, {1, 2, 3, 4}), columns}),
       f32({2, 2}, {11, 22, 13, 24})},
  });
  check_failures({
      {"not asked for", old("Add", 6, {}, {x, columns}), ErrorCode::kShape, "broadcast"},
      {"same rank, not asked for", old("Add", 6, {}, {x, f32({1, 3, 1}, {1, 2, 3})}), ErrorCode::kShape,
       "broadcast"},
      {"another length", old("Add", 6, on, {x, rows}), ErrorCode::kShape},
      {"past the end", old("Add", 6, at(2), {x, f32({2, 2}, {1, 2, 3, 4})}), ErrorCode::kShape, "axis 2"},
      {"no such axis", old("Add", 6, at(3), {x, columns}), ErrorCode::kShape},
      {"the first operand does not grow", old("Add", 6, on, {columns, x}), ErrorCode::kShape},
      {"nor its dims of 1", old("Add", 6, on, {f32({1}, {1}), columns}), ErrorCode::kShape},
  });
}

TEST_CASE("PRelu with a slope a channel before opset 7") {
  const Tensor x = f32({1, 2, 2}, {-1, -2, -3, 4}), slopes = f32({2}, {10, 100});
  check_rows({
      {"by channel", old("PRelu", 6, {}, {x, slopes}), f32({1, 2, 2}, {-10, -20, -300, 4})},
      {"opset 1", old("PRelu", 1, {attr_ints("consumed_inputs", {0, 0})}, {x, slopes}),
       f32({1, 2, 2}, {-10, -20, -300, 4})},
      {"shared", old("PRelu", 6, {}, {x, f32({1}, {10})}), f32({1, 2, 2}, {-10, -20, -30, 4})},
      {"a matrix", old("PRelu", 6, {}, {f32({2, 2}, {-1, -2, -3, -4}), slopes}),
       f32({2, 2}, {-10, -200, -30, -400})},
      {"a vector", old("PRelu", 6, {}, {f32({2}, {-1, -2}), slopes}), f32({2}, {-10, -200})},
      {"opset 7 has NumPy's rules", old("PRelu", 7, {}, {x, slopes}), f32({1, 2, 2}, {-10, -200, -30, 4})},
  });
  check_failures({{"channels", old("PRelu", 6, {}, {x, f32({3}, {1, 2, 3})}), ErrorCode::kShape}});
}

TEST_CASE("shapes and lengths as attributes or floats") {
  const Tensor x = iota({2, 3});
  check_rows({
      {"Reshape 1", old("Reshape", 1, {attr_ints("shape", {3, -1})}, {x}), iota({3, 2})},
      {"Reshape 4 copies a dim", old("Reshape", 4, {attr_ints("shape", {0, 3, 1})}, {x}), iota({2, 3, 1})},
      {"Reshape 1 to a scalar", old("Reshape", 1, {attr_ints("shape", {})}, {f32({1}, {7})}), f32({}, {7})},
      {"Concat 1 along 1", old("Concat", 1, {}, {f32({2, 1}, {1, 2}), f32({2, 1}, {3, 4})}),
       f32({2, 2}, {1, 3, 2, 4})},
      {"Concat 1 along 0", old("Concat", 1, {attr("axis", 0)}, {f32({1}, {1}), f32({1}, {2})}),
       f32({2}, {1, 2})},
      {"Pad 1",
       old("Pad", 1, {attr_ints("paddings", {0, 1, 0, 0}), attr("value", 9.0f)}, {f32({1, 2}, {1, 2})}),
       f32({1, 3}, {9, 1, 2})},
      {"Pad 2", old("Pad", 2, {attr_ints("pads", {0, 0, 0, 1})}, {f32({1, 2}, {1, 2})}),
       f32({1, 3}, {1, 2, 0})},
      {"Tile 1", old("Tile", 1, {}, {f32({2, 2}, {1, 2, 3, 4}), f32({1}, {2}), f32({1}, {1})}),
       f32({2, 4}, {1, 2, 1, 2, 3, 4, 3, 4})},
      {"Tile 1, int64", old("Tile", 1, {}, {f32({1, 2}, {1, 2}), i64({}, {2}), i64({}, {0})}),
       f32({2, 2}, {1, 2, 1, 2})},
      {"Tile 1, no copies", old("Tile", 1, {}, {f32({1, 2}, {1, 2}), f32({}, {0}), f32({}, {0})}),
       f32({0, 2}, {})},
      {"Split 1 by input",
       old("Split", 1, {attr("axis", 0)}, {f32({3}, {1, 2, 3}), f32({2}, {1, 2})}, 2),
       {f32({1}, {1}), f32({2}, {2, 3})}},
      {"Split 1 by attribute",
       old("Split", 1, {attr_ints("split", {2, 1})}, {f32({3}, {1, 2, 3})}, 2),
       {f32({2}, {1, 2}), f32({1}, {3})}},
      {"Split 2, equal parts", old("Split", 2, {}, {f32({2}, {1, 2})}, 2), {f32({1}, {1}), f32({1}, {2})}},
      {"TopK 1",
       old("TopK", 1, {attr("k", 2)}, {f32({3}, {1, 3, 2})}, 2),
       {f32({2}, {3, 2}), i64({2}, {1, 2})}},
      {"Slice 1",
       old("Slice", 1, {attr_ints("starts", {1}), attr_ints("ends", {3}), attr_ints("axes", {1})}, {x}),
       f32({2, 2}, {1, 2, 4, 5})},
      {"Squeeze 1", old("Squeeze", 1, {attr_ints("axes", {0})}, {f32({1, 2}, {1, 2})}), f32({2}, {1, 2})},
      {"Unsqueeze 1", old("Unsqueeze", 1, {attr_ints("axes", {0, 2})}, {f32({2}, {1, 2})}),
       f32({1, 2, 1}, {1, 2})},
      {"Clip 6", old("Clip", 6, {attr("max", 2.0f)}, {f32({2}, {1, 3})}), f32({2}, {1, 2})},
      {"Upsample 1",
       old("Upsample", 1, {attr("height_scale", 1.0f), attr("width_scale", 2.0f)},
           {f32({1, 1, 2, 2}, {1, 2, 3, 4})}),
       f32({1, 1, 2, 4}, {1, 1, 2, 2, 3, 3, 4, 4})},
      {"Upsample 1, bilinear",
       old("Upsample", 1, {attr("height_scale", 1.0f), attr("width_scale", 2.0f), attr("mode", "bilinear")},
           {f32({1, 1, 1, 2}, {1, 3})}),
       f32({1, 1, 1, 4}, {1, 2, 3, 3})},
      {"Upsample 7", old("Upsample", 7, {attr_floats("scales", {1, 2})}, {f32({1, 2}, {1, 2})}),
       f32({1, 4}, {1, 1, 2, 2})},
      {"Softmax 1 takes the dims from axis on as one", old("Softmax", 1, {}, {f32({1, 2, 2}, {0, 0, 0, 0})}),
       f32({1, 2, 2}, {0.25, 0.25, 0.25, 0.25})},
      {"Hardmax 1", old("Hardmax", 1, {}, {f32({1, 2, 2}, {0, 3, 5, 1})}), f32({1, 2, 2}, {0, 0, 1, 0})},
      {"Gemm 6 broadcasts C",
       old("Gemm", 6, {attr("broadcast", 1)},
           {f32({1, 2}, {1, 2}), f32({2, 2}, {1, 2, 3, 4}), f32({2}, {10, 20})}),
       f32({1, 2}, {17, 30})},
  });
  check_rows({
      {"Cast 1", old("Cast", 1, {attr("to", "INT32")}, {f32({2}, {1.5, -2.5})}), i32({2}, {1, -2})},
      {"Cast 5", old("Cast", 5, {attr("to", "FLOAT")}, {boolean({2}, {true, false})}), f32({2}, {1, 0})},
      {"Cast to DOUBLE", old("Cast", 1, {attr("to", "DOUBLE")}, {i64({1}, {3})}), f64({1}, {3})},
      {"Cast 6 has a number", old("Cast", 6, {attr("to", 9)}, {f32({2}, {1.5, 0})}),
       boolean({2}, {true, false})},
  });
  check_rows({{"Selu 1", old("Selu", 1, {}, {f32({2}, {1, -1})}),
               f32({2}, {1.0507f, static_cast<float>(1.0507 * 1.6732 * std::expm1(-1.0))}), 1e-6}});
  check_failures({
      {"Cast 1 to a type that is none", old("Cast", 1, {attr("to", "NUMBER")}, {x}), ErrorCode::kModel,
       "NUMBER"},
      {"Reshape 1 without a shape", old("Reshape", 1, {}, {x}), ErrorCode::kModel},
      {"Concat 4 without an axis", old("Concat", 4, {}, {x, x}), ErrorCode::kModel},
      {"Tile 1, negative", old("Tile", 1, {}, {x, f32({}, {-1}), f32({}, {0})}), ErrorCode::kShape, "-1"},
      {"Tile 1, no such axis", old("Tile", 1, {}, {x, f32({}, {1}), f32({}, {2})}), ErrorCode::kShape},
      {"Tile 1, two counts", old("Tile", 1, {}, {x, f32({2}, {1, 1}), f32({}, {0})}), ErrorCode::kShape,
       "one number"},
      {"Tile 1, endless", old("Tile", 1, {}, {x, i64({}, {INT64_MAX}), i64({}, {0})}), ErrorCode::kShape},
      {"Split 1, wrong sum", old("Split", 1, {}, {f32({3}, {1, 2, 3}), f32({2}, {1, 1})}, 2),
       ErrorCode::kShape},
      {"Upsample 1, rank 3",
       old("Upsample", 1, {attr("height_scale", 1.0f), attr("width_scale", 2.0f)}, {iota({1, 1, 2})}),
       ErrorCode::kShape},
  });
}

TEST_CASE("experimental operators") {
  const Tensor x = f32({1, 2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}), line = f32({3}, {-1, 0, 2});
  check_rows({
      {"Affine", old("Affine", 1, {attr("alpha", 2.0f), attr("beta", 1.0f)}, {line}), f32({3}, {-1, 1, 5})},
      {"Scale", old("Scale", 1, {attr("scale", 2.0f)}, {line}), f32({3}, {-2, 0, 4})},
      {"ScaledTanh", old("ScaledTanh", 1, {attr("alpha", 2.0f), attr("beta", 0.5f)}, {line}),
       f32({3}, {2 * std::tanh(-0.5f), 0, 2 * std::tanh(1.0f)}), 1e-6},
      {"ParametricSoftplus", old("ParametricSoftplus", 1, {attr("alpha", 2.0f), attr("beta", 3.0f)}, {line}),
       f32({3}, {2 * std::log1p(std::exp(-3.0f)), 2 * std::log(2.0f), 2 * std::log1p(std::exp(6.0f))}), 1e-6},
      {"ImageScaler", old("ImageScaler", 1, {attr("scale", 0.5f), attr_floats("bias", {10, 20})}, {x}),
       f32({1, 2, 2, 2}, {10.5, 11, 11.5, 12, 22.5, 23, 23.5, 24})},
      {"ImageScaler without bias", old("ImageScaler", 1, {attr("scale", 2.0f)}, {f64({1, 1, 1, 1}, {3})}),
       f64({1, 1, 1, 1}, {6})},
      {"Crop by borders", old("Crop", 1, {attr_ints("border", {1, 0, 0, 1})}, {x}),
       f32({1, 2, 1, 1}, {2, 6})},
      {"Crop to a size", old("Crop", 1, {attr_ints("border", {0, 1, 9, 9}), attr_ints("scale", {1, 2})}, {x}),
       f32({1, 2, 1, 2}, {3, 4, 7, 8})},
      {"DynamicSlice", old("DynamicSlice", 1, {}, {line, i64({1}, {1}), i64({1}, {3}), i64({1}, {0})}),
       f32({2}, {0, 2})},
      {"MeanVarianceNormalization across channels",
       old("MeanVarianceNormalization", 1, {attr("across_channels", 1), attr("normalize_variance", 0)},
           {f32({1, 2, 1, 1}, {1, 3})}),
       f32({1, 2, 1, 1}, {-1, 1})},
  });
  check_failures({
      {"biases", old("ImageScaler", 1, {attr_floats("bias", {1})}, {x}), ErrorCode::kShape, "biases"},
      {"rank", old("ImageScaler", 1, {}, {line}), ErrorCode::kShape},
      {"borders that meet", old("Crop", 1, {attr_ints("border", {2, 0, 1, 0})}, {x}), ErrorCode::kShape},
      {"a size too large",
       old("Crop", 1, {attr_ints("border", {1, 0, 0, 0}), attr_ints("scale", {1, 2})}, {x}),
       ErrorCode::kShape},
      {"negative border", old("Crop", 1, {attr_ints("border", {-1, 0, 0, 0})}, {x}), ErrorCode::kModel},
      {"three borders", old("Crop", 1, {attr_ints("border", {1, 0, 0})}, {x}), ErrorCode::kModel},
  });
}

TEST_CASE("Dropout and BatchNormalization before opset 7") {
  const Tensor x = f32({2, 2}, {1, 10, 3, 30}), one = f32({2}, {1, 1}), zero = f32({2}, {0, 0}),
               half = f32({2}, {0.5, 0.5});
  const std::vector<Tensor> inputs = {x, one, zero, half, one};
  const auto with = [&](std::vector<Attribute> attributes, size_t outputs = 1) {
    attributes.push_back(attr("epsilon", 0.0f));
    return old("BatchNormalization", 6, std::move(attributes), inputs, outputs);
  };
  check_rows({
      {"Dropout, is_test = 1", old("Dropout", 6, {attr("is_test", 1)}, {x}), x},
      {"Dropout, is_test left out", old("Dropout", 1, {attr("ratio", 0.9f)}, {x}), x},
      {"Dropout that drops nothing",
       old("Dropout", 6, {attr("is_test", 0), attr("ratio", 0.0f)}, {x}, 2),
       {x, f32({2, 2}, {1, 1, 1, 1})}},
      {"is_test = 1", with({attr("is_test", 1)}), f32({2, 2}, {0.5, 9.5, 2.5, 29.5}), 1e-6},
      {"is_test left out", with({}), f32({2, 2}, {0.5, 9.5, 2.5, 29.5}), 1e-6},
      // Means 2 and 20, variances 1 and 100; running ones 0.75 * (0.5, 1) + 0.25 * those.
      {"is_test = 0",
       with({attr("is_test", 0), attr("momentum", 0.75f)}, 5),
       {f32({2, 2}, {-1, -1, 1, 1}), f32({2}, {0.875, 5.375}), f32({2}, {1, 25.75}), f32({2}, {2, 20}),
        f32({2}, {1, 100})},
       1e-6},
  });
  const Tensor image = f32({1, 2, 2}, {1, 2, 3, 4}), scales = f32({2, 2}, {1, 10, 100, 1000}),
               none = f32({2, 2}, {0, 0, 0, 0}), ones = f32({2, 2}, {1, 1, 1, 1});
  OpCall spatial = old("BatchNormalization", 7, {attr("spatial", 0), attr("epsilon", 0.0f)},
                       {image, scales, none, ones, ones});
  check_rows({{"a statistic for each position", spatial, f32({1, 2, 2}, {0, 10, 200, 3000}), 1e-6}});
  spatial.attributes.push_back(attr("channels_last", 1));
  spatial.inputs[0] = f32({1, 2, 2}, {1, 3, 2, 4});
  check_rows({{"the same, channels-last", spatial, f32({1, 2, 2}, {0, 200, 10, 3000}), 1e-6}});

  const std::vector<Tensor> dropped =
      run_op(old("Dropout", 6, {attr("is_test", 0)}, {iota({1000}, 1, 0)}, 2));
  size_t kept = 0;
  for (size_t i = 0; i < 1000; ++i) {
    const float y = dropped[0].data<float>()[i];
    REQUIRE((y == 0 || y == 2));
    REQUIRE(dropped[1].data<float>()[i] == (y == 0 ? 0.0f : 1.0f));
    kept += y != 0;
  }
  CHECK((kept > 400 && kept < 600));
}

}  // namespace
}  // namespace kinglet::test
