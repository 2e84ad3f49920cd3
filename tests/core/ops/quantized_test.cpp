#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

const char* const kMicrosoft = "com.microsoft";

Tensor u8s(const Shape& shape, const std::vector<double>& values) { return make(DType::kUint8, shape, values); }
Tensor s8s(const Shape& shape, const std::vector<double>& values) { return make(DType::kInt8, shape, values); }
Tensor number(float value) { return f32({}, {value}); }
Attribute type_attr(const char* name, DType type) { return attr(name, static_cast<int64_t>(type)); }

OpCall quantize(const Tensor& x, const Tensor& scale, const Tensor& zero, std::vector<Attribute> attributes = {}, int64_t opset = 25) {
  return {.op = "QuantizeLinear", .opset = opset, .attributes = std::move(attributes), .inputs = {x, scale, zero}};
}

TEST_CASE("QuantizeLinear: rounding and range") {
  const Tensor halves = f32({6}, {0.5f, 1.5f, -0.5f, -2.5f, 1000, kNaN});
  check_rows({
      {"halves to even, saturated", quantize(halves, number(1), u8s({}, {10})), u8s({6}, {10, 12, 10, 8, 255, 10})},
      {"int4", quantize(halves, number(1), make(DType::kInt4, {}, {1})), make(DType::kInt4, {6}, {1, 3, 1, -1, 7, 1})},
      {"uint2", quantize(f32({4}, {-1, 0.6f, 2, 9}), number(1), make(DType::kUint2, {}, {0})), make(DType::kUint2, {4}, {0, 1, 2, 3})},
      {"int16 and its type alone", quantize(f32({3}, {-1e9f, 1.5f, 40000}), number(1), {}, {type_attr("output_dtype", DType::kInt16)}),
       make(DType::kInt16, {3}, {-32768, 2, 32767})},
      {"a scale of float16 divides in float16", quantize(f32({1}, {2.4999f}), make(DType::kFloat16, {}, {1}), u8s({}, {0})), u8s({1}, {2})},
      {"as does precision", quantize(f32({1}, {101.49f}), number(1), u8s({}, {0}), {type_attr("precision", DType::kBFloat16)}), u8s({1}, {102})},
      {"float8 without saturation", quantize(f32({2}, {1, 1000}), number(1), make(DType::kFloat8E5M2, {}, {0}), {attr("saturate", 0)}),
       make(DType::kFloat8E5M2, {2}, {1, 1024})},
      {"int32 to uint8", quantize(i32({2}, {300, 25}), number(10), u8s({}, {1})), u8s({2}, {31, 3})},
      {"an empty tensor", quantize(f32({0, 3}, {}), number(1), u8s({}, {1})), u8s({0, 3}, {})},
      {"axis of rank 1", quantize(f32({2}, {4, 4}), f32({2}, {1, 2}), u8s({2}, {0, 1}), {attr("axis", 0)}), u8s({2}, {4, 3})},
      {"last block is shorter",
       quantize(f32({5, 1}, {1, 2, 3, 4, 5}), f32({3, 1}, {1, 2, 0.5f}), {}, {attr("axis", 0), attr("block_size", 2)}), u8s({5, 1}, {1, 2, 2, 2, 10})},
  });
  check_failures({
      {"a scale too few", quantize(f32({2, 3}, {1, 2, 3, 4, 5, 6}), f32({2}, {1, 2}), {}), ErrorCode::kShape},
      {"blocks that do not cover", quantize(f32({4}, {1, 2, 3, 4}), f32({1}, {1}), {}, {attr("axis", 0), attr("block_size", 2)}), ErrorCode::kShape},
      {"a negative block", quantize(f32({1}, {1}), number(1), {}, {attr("block_size", -1)}), ErrorCode::kModel},
      {"zero points too few", quantize(f32({1, 2}, {1, 2}), f32({2}, {1, 2}), u8s({1}, {0})), ErrorCode::kShape},
      {"no scale", quantize(f32({2}, {1, 2}), f32({0}, {}), {}), ErrorCode::kShape},
      {"two types", quantize(f32({1}, {1}), number(1), u8s({}, {0}), {type_attr("output_dtype", DType::kInt8)}), ErrorCode::kShape},
      {"no quantized type", quantize(f32({1}, {1}), number(1), {}, {type_attr("output_dtype", DType::kFloat64)}), ErrorCode::kModel},
      {"axis outside", quantize(f32({1, 2}, {1, 2}), f32({2}, {1, 2}), {}, {attr("axis", 2)}), ErrorCode::kShape},
  });
}

TEST_CASE("DequantizeLinear") {
  const auto dequantize = [](const Tensor& x, const Tensor& scale, const Tensor& zero, std::vector<Attribute> attributes = {}) {
    return OpCall{.op = "DequantizeLinear", .opset = 25, .attributes = std::move(attributes), .inputs = {x, scale, zero}};
  };
  const Tensor block_scale = f32({1, 2}, {1, 10});
  check_rows({
      {"uint8", dequantize(u8s({3}, {0, 128, 255}), number(0.5f), u8s({}, {128})), f32({3}, {-64, 0, 63.5f})},
      {"int4", dequantize(make(DType::kInt4, {2}, {-8, 7}), number(2), {}), f32({2}, {-16, 14})},
      {"uint16", dequantize(make(DType::kUint16, {2}, {0, 65535}), number(1), make(DType::kUint16, {}, {32768})), f32({2}, {-32768, 32767})},
      {"int32", dequantize(i32({1}, {-100000}), number(0.5f), {}), f32({1}, {-50000})},
      {"to float16", dequantize(s8s({2}, {3, -3}), number(0.5f), {}, {type_attr("output_dtype", DType::kFloat16)}), make(DType::kFloat16, {2}, {1.5, -1.5})},
      {"a scale of powers of two", dequantize(s8s({1}, {3}), make(DType::kFloat8E8M0, {}, {4}), {}), f32({1}, {12})},
      {"blocks before the last dim", dequantize(u8s({3, 2}, {1, 2, 3, 4, 5, 6}), block_scale, u8s({1, 2}, {0, 1}), {attr("axis", 0), attr("block_size", 3)}),
       f32({3, 2}, {1, 10, 3, 30, 5, 50})},
  });
}

TEST_CASE("DynamicQuantizeLinear of zeros and of nothing") {
  for (const Tensor& x : {f32({3}, {0, 0, 0}), f32({0}, {})}) {
    const auto y = run_op({.op = "DynamicQuantizeLinear", .inputs = {x}, .outputs = 3});
    CHECK(difference(y[0], u8s(x.shape(), std::vector<double>(x.count()))) == "");
    CHECK(difference(y[1], number(1)) == "");
    CHECK(difference(y[2], u8s({}, {0})) == "");
  }
}

TEST_CASE("integer products: zero points and scales by row and by column") {
  const Tensor a = u8s({2, 2}, {1, 2, 3, 4}), b = s8s({2, 2}, {1, -1, 2, 3});
  const auto integer = [](std::vector<Tensor> inputs) { return OpCall{.op = "MatMulInteger", .inputs = std::move(inputs)}; };
  const auto linear = [&](const Tensor& a_scale, const Tensor& a_zero, const Tensor& b_scale, const Tensor& b_zero) {
    return OpCall{.op = "QLinearMatMul", .inputs = {a, a_scale, a_zero, b, b_scale, b_zero, number(0.5f), u8s({}, {100})}};
  };
  check_rows({
      {"plain", integer({a, b}), i32({2, 2}, {5, 5, 11, 9})},
      {"a row's zero point", integer({a, b, u8s({2}, {1, 2})}), i32({2, 2}, {2, 3, 5, 5})},
      {"a column's zero point", integer({a, b, u8s({}, {1}), s8s({2}, {1, 2})}), i32({2, 2}, {1, 1, 3, -3})},
      {"a vector", integer({u8s({2}, {1, 2}), b}), i32({2}, {5, 5})},
      {"two vectors", integer({u8s({2}, {1, 2}), s8s({2}, {3, 4})}), i32({}, {11})},
      {"zero points of each matrix", integer({u8s({2, 1, 1}, {5, 5}), s8s({2, 1, 1}, {3, 3}), u8s({2, 1, 1}, {1, 2}), s8s({2, 1, 1}, {1, 2})}),
       i32({2, 1, 1}, {8, 3})},
      {"no depth", integer({u8s({2, 0}, {}), s8s({0, 3}, {})}), i32({2, 3}, {0, 0, 0, 0, 0, 0})},
      {"no rows", integer({u8s({0, 2}, {}), b}), i32({0, 2}, {})},
      {"requantized", linear(number(1), u8s({}, {0}), number(1), s8s({}, {0})), u8s({2, 2}, {110, 110, 122, 118})},
      {"a row's scale", linear(f32({2}, {1, 2}), u8s({2}, {0, 1}), number(1), s8s({}, {0})), u8s({2, 2}, {110, 110, 132, 128})},
      {"a column's scale", linear(number(1), u8s({}, {0}), f32({2}, {1, 3}), s8s({2}, {0, 1})), u8s({2, 2}, {110, 112, 122, 112})},
  });
  check_failures({
      {"shapes", integer({a, s8s({3, 2}, {1, 2, 3, 4, 5, 6})}), ErrorCode::kShape},
      {"types", integer({f32({1, 1}, {1}), s8s({1, 1}, {1})}), ErrorCode::kModel},
      {"zero points that fit no row", integer({a, b, u8s({3}, {1, 2, 3})}), ErrorCode::kShape},
      {"zero points that fit no column", integer({a, b, {}, s8s({3}, {1, 2, 3})}), ErrorCode::kShape},
      {"no zero point", integer({a, b, u8s({0}, {})}), ErrorCode::kShape},
      {"scales that fit no row", linear(f32({3}, {1, 1, 1}), u8s({}, {0}), number(1), s8s({}, {0})), ErrorCode::kShape},
  });
}

TEST_CASE("QLinearMatMul of float8") {
  constexpr DType k8 = DType::kFloat8E4M3FN;
  const auto call = [](const Tensor& a, const Tensor& a_scale, const Tensor& b, const Tensor& b_scale, const Tensor& y_zero) {
    const auto zero = [](const Tensor& t) { return make(t.dtype(), {}, {0}); };
    return OpCall{.op = "QLinearMatMul", .inputs = {a, a_scale, zero(a), b, b_scale, zero(b), number(0.5f), y_zero}};
  };
  const Tensor a = make(k8, {2, 2}, {1, 2, 3, 4}), b = make(k8, {2, 2}, {1, -1, 0.5, 2});
  check_rows({
      {"to float8", call(a, number(1), b, number(1), make(k8, {}, {0})), make(k8, {2, 2}, {4, 6, 10, 10})},
      {"to uint8", call(a, number(1), b, number(1), u8s({}, {5})), u8s({2, 2}, {9, 11, 15, 15})},
      {"saturated", call(a, number(100), b, number(1), make(k8, {}, {0})), make(k8, {2, 2}, {384, 448, 448, 448})},
  });
  check_failures({{"scales that fit no column", call(a, number(1), b, f32({3}, {1, 1, 1}), make(k8, {}, {0})), ErrorCode::kShape}});
}

TEST_CASE("QGemm: forms of C") {
  const auto call = [](const Tensor& bias, std::vector<Attribute> attributes = {}) {
    return OpCall{.op = "QGemm",
                  .opset = 1,
                  .attributes = std::move(attributes),
                  .inputs = {u8s({2, 2}, {1, 2, 3, 4}), number(1), u8s({}, {0}), s8s({2, 2}, {1, -1, 2, 3}), number(0.5f), s8s({}, {0}), bias},
                  .domain = kMicrosoft};
  };
  check_rows({
      {"none", call({}), f32({2, 2}, {2.5f, 2.5f, 5.5f, 4.5f})},
      {"a row", call(i32({2}, {1, 3})), f32({2, 2}, {3, 4, 6, 6})},
      {"a column", call(i32({2, 1}, {1, 3})), f32({2, 2}, {3, 3, 7, 6})},
      {"a matrix", call(i32({2, 2}, {1, 2, 3, 4})), f32({2, 2}, {3, 3.5f, 7, 6.5f})},
      {"a number", call(i32({}, {2})), f32({2, 2}, {3.5f, 3.5f, 6.5f, 5.5f})},
      {"transposed", call({}, {attr("transA", 1), attr("transB", 1), attr("alpha", 2.0f)}), f32({2, 2}, {-2, 11, -2, 16})},
  });
  check_failures({{"C that does not fit", call(i32({3}, {1, 2, 3})), ErrorCode::kShape}});
}

TEST_CASE("QLinearConv and ConvInteger") {
  const Tensor x = u8s({1, 1, 3}, {10, 20, 30});
  const auto integer = [&](std::vector<Tensor> inputs, std::vector<Attribute> attributes = {}) {
    return OpCall{.op = "ConvInteger", .attributes = std::move(attributes), .inputs = std::move(inputs)};
  };
  const Tensor w = u8s({2, 1, 2}, {1, 2, 3, 4});
  const auto linear = [&](const Tensor& w_scale, const Tensor& w_zero, const Tensor& bias) {
    return OpCall{.op = "QLinearConv",
                  .attributes = {attr_ints("pads", {1, 0})},
                  .inputs = {x, number(1), u8s({}, {10}), w, w_scale, w_zero, number(1), s8s({}, {-1}), bias}};
  };
  check_rows({
      {"plain", integer({x, w}), i32({1, 2, 2}, {50, 80, 110, 180})},
      {"padding counts as the zero point", integer({x, w, u8s({}, {10})}, {attr_ints("pads", {1, 0})}), i32({1, 2, 3}, {0, 20, 50, 0, 40, 110})},
      {"a channel's zero point", integer({x, w, u8s({}, {10}), u8s({2}, {1, 3})}), i32({1, 2, 2}, {10, 20, 10, 20})},
      {"requantized", linear(f32({2}, {0.5f, 1}), u8s({2}, {0, 0}), i32({2}, {4, -100})), s8s({1, 2, 3}, {1, 11, 26, -101, -61, 9})},
      {"no image", integer({u8s({0, 1, 3}, {}), w}), i32({0, 2, 2}, {})},
  });
  check_failures({
      {"channels", integer({u8s({1, 3, 3}, std::vector<double>(9)), w}), ErrorCode::kShape},
      {"zero points", integer({x, w, {}, u8s({3}, {1, 2, 3})}), ErrorCode::kShape},
      {"two zero points of x", integer({x, w, u8s({2}, {1, 2})}), ErrorCode::kShape},
      {"scales", linear(f32({3}, {1, 1, 1}), u8s({}, {0}), {}), ErrorCode::kShape},
      {"bias", linear(number(1), u8s({}, {0}), i32({3}, {1, 2, 3})), ErrorCode::kShape},
      {"group", integer({x, w}, {attr("group", 0)}), ErrorCode::kModel},
      {"groups of the output", integer({u8s({1, 2, 3}, std::vector<double>(6)), u8s({3, 1, 1}, {1, 2, 3})}, {attr("group", 2)}), ErrorCode::kShape},
  });
}

TEST_CASE("operators between codes") {
  const Tensor x = u8s({2, 2}, {0, 10, 20, 30}), half = number(0.5f), zero = u8s({}, {10});
  const auto call = [](const char* op, std::vector<Tensor> inputs, std::vector<Attribute> attributes = {}) {
    return OpCall{.op = op, .opset = 1, .attributes = std::move(attributes), .inputs = std::move(inputs), .domain = kMicrosoft};
  };
  check_rows({
      {"QLinearReduceMean", call("QLinearReduceMean", {x, half, zero, number(0.25f), u8s({}, {50})}, {attr_ints("axes", {0}), attr("keepdims", 0)}),
       u8s({2}, {50, 70})},
      {"QLinearAdd repeats", call("QLinearAdd", {x, half, zero, u8s({2, 1}, {0, 4}), number(1), {}, half, u8s({}, {1})}), u8s({2, 2}, {0, 1, 19, 29})},
      {"QLinearMul of a number", call("QLinearMul", {x, half, zero, u8s({}, {3}), number(1), {}, half, u8s({}, {100})}), u8s({2, 2}, {70, 100, 130, 160})},
      {"QLinearConcat", call("QLinearConcat", {half, zero, x, half, zero, x, number(1), zero}, {attr("axis", 1)}), u8s({2, 4}, {0, 10, 0, 10, 20, 30, 30, 50})},
      {"QLinearWhere", call("QLinearWhere", {boolean({2}, {true, false}), x, half, zero, x, number(1), zero, half, zero}), u8s({2, 2}, {0, 10, 20, 50})},
      {"QLinearLeakyRelu", call("QLinearLeakyRelu", {x, half, zero, half, zero}, {attr("alpha", 0.5f)}), u8s({2, 2}, {5, 10, 20, 30})},
  });
  check_failures({
      {"a part without its scale", call("QLinearConcat", {half, zero, x, half}, {attr("axis", 0)}), ErrorCode::kModel},
      {"parts of two types", call("QLinearConcat", {half, zero, x, half, zero, s8s({2, 2}, {1, 2, 3, 4}), half, s8s({}, {0})}, {attr("axis", 0)}), ErrorCode::kModel},
      {"two scales", call("QLinearSigmoid", {x, f32({2}, {1, 2}), zero, half, zero}), ErrorCode::kShape},
      {"types that differ", call("QLinearAdd", {x, half, zero, s8s({2, 2}, {1, 2, 3, 4}), half, s8s({}, {0}), half, zero}), ErrorCode::kShape},
  });
}

TEST_CASE("BitCast") {
  const auto bit_cast = [](const Tensor& x, DType to) { return OpCall{.op = "BitCast", .opset = 26, .attributes = {type_attr("to", to)}, .inputs = {x}}; };
  check_rows({
      {"uint4 to int4", bit_cast(make(DType::kUint4, {3}, {0, 7, 15}), DType::kInt4), make(DType::kInt4, {3}, {0, 7, -1})},
      {"int2 to uint2", bit_cast(make(DType::kInt2, {2}, {-1, 1}), DType::kUint2), make(DType::kUint2, {2}, {3, 1})},
      {"uint8 to bool", bit_cast(u8s({3}, {0, 1, 6}), DType::kBool), boolean({3}, {false, true, true})},
      {"uint8 to float8", bit_cast(u8s({1}, {0x3c}), DType::kFloat8E5M2), make(DType::kFloat8E5M2, {1}, {1})},
  });
  check_failures({
      {"widths", bit_cast(u8s({1}, {1}), DType::kInt16)},
      {"packed widths", bit_cast(u8s({1}, {1}), DType::kInt4)},
      {"strings", bit_cast(strings({1}, {"a"}), DType::kInt8), ErrorCode::kModel},
  });
}

}  // namespace
}  // namespace kinglet::test
