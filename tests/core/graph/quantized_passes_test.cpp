// The passes that find integer arithmetic in graphs: what a graph becomes, and that it computes the same within a
// step of its codes.

#include "pass_probe.hpp"

using namespace kinglet;
using namespace kinglet::test;

namespace {

constexpr int64_t kFloat = 1, kUint8 = 2, kInt8 = 3, kInt32 = 6;

Bytes scalar(const std::string& name, float v) { return float_tensor(name, {}, {v}); }
Bytes u8(const std::string& name, uint8_t v) { return raw_tensor(name, kUint8, {}, bytes_of(std::vector<uint8_t>{v})); }
Bytes s8(const std::string& name, int8_t v) { return raw_tensor(name, kInt8, {}, bytes_of(std::vector<int8_t>{v})); }

size_t count_of(const std::vector<int64_t>& dims) {
  size_t n = 1;
  for (const int64_t d : dims) n *= static_cast<size_t>(d);
  return n;
}
/// Codes over the whole range, each unlike its neighbours.
Bytes codes(const std::string& name, int64_t type, const std::vector<int64_t>& dims) {
  std::vector<uint8_t> v(count_of(dims));
  for (size_t i = 0; i < v.size(); ++i) v[i] = static_cast<uint8_t>(i * 67 + 13);
  return raw_tensor(name, type, dims, bytes_of(v));
}
Bytes ints(const std::string& name, const std::vector<int32_t>& v) {
  return raw_tensor(name, kInt32, {static_cast<int64_t>(v.size())}, bytes_of(v));
}
Bytes floats(const std::string& name, const std::vector<float>& v) {
  return float_tensor(name, {static_cast<int64_t>(v.size())}, v);
}

Bytes q(const std::string& in, const std::string& out, const std::string& zero = "z") {
  return node("QuantizeLinear", {in, "s", zero}, {out});
}
Bytes dq(const std::string& in, const std::string& out, const std::string& scale = "s", const std::string& zero = "z") {
  return node("DequantizeLinear", {in, scale, zero}, {out});
}
Bytes dq_axis(const std::string& in, const std::string& out, const std::string& scale, int64_t axis) {
  return node("DequantizeLinear", {in, scale}, {out}, {int_attribute("axis", axis)});
}

/// x -> codes -> number `a`; then `nodes`, from `a` to `b`; then b -> codes -> y.
Strings between(const Strings& nodes, const std::string& result_scale = "t", const std::string& result_zero = "z") {
  Strings out = {q("x", "x_codes"), dq("x_codes", "a")};
  out.insert(out.end(), nodes.begin(), nodes.end());
  out.push_back(node("QuantizeLinear", {"b", result_scale, result_zero}, {"b_codes"}));
  out.push_back(dq("b_codes", "y", result_scale, result_zero));
  return out;
}

struct Row {
  std::string label;
  Strings nodes;
  Strings initializers;
  std::string becomes;  ///< operators in order, fused activations after '+'
  float step = 0.25f;   ///< that results may differ by
  std::vector<int64_t> x = {2, 4, 5, 6};
};

/// Names of operators, their domain left out.
std::string without_domain(std::string names) {
  const std::string domain = "com.microsoft.";
  for (size_t at; (at = names.find(domain)) != names.npos;) names.erase(at, domain.size());
  return names;
}

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    INFO(row.label);
    Strings dims, initializers = {scalar("s", 0.031f), scalar("t", 0.25f), u8("z", 97), u8("low", 0), s8("z8", -5), s8("low8", -128)};
    initializers.insert(initializers.end(), row.initializers.begin(), row.initializers.end());
    for (const int64_t d : row.x) dims.push_back(std::to_string(d));
    const Bytes file = model_file({.graph = graph({.nodes = row.nodes, .initializers = initializers,
                                                   .inputs = {value("x", kFloat, dims)}, .outputs = {value("y")}}),
                                   .opsets = {{"", 17}, {"com.microsoft", 1}}});
    CHECK(without_domain(operators(load(file).describe())) == row.becomes);
    const Tensor x = unlike_neighbours(row.x);
    Session plain = load(file, false), optimized = load(file, true);
    const Tensor want = run(plain, {{"x", x}}).at(0), got = run(optimized, {{"x", x}}).at(0);
    CHECK(difference(got, want, row.step * 1.001) == "");
  }
}

const std::string kConv = "QuantizeLinear Transpose QLinearConv DequantizeLinear Transpose";

}  // namespace

TEST_CASE("fuse_qdq_products: Conv", "[passes]") {
  const Bytes w = codes("w", kInt8, {3, 4, 3, 3}), w_scale = floats("ws", {0.002f, 0.003f, 0.001f});
  const Bytes b = ints("ib", {4000, -9000, 100}), b_scale = floats("bs", {0.031f * 0.002f, 0.031f * 0.003f, 0.031f * 0.001f});
  const Bytes dw = dq_axis("w", "dw", "ws", 0), db = dq_axis("ib", "db", "bs", 0);
  const Bytes conv = node("Conv", {"a", "dw", "db"}, {"c"}, {ints_attribute("pads", {1, 1, 1, 1})});
  const Strings constants = {w, w_scale, b, b_scale};
  const auto last = [](const std::string& more) { return "QuantizeLinear Transpose QLinearConv " + more + "DequantizeLinear Transpose"; };
  check({
      {"scales a channel, bias of codes",
       between({dw, db, node("Conv", {"a", "dw", "db"}, {"b"}, {ints_attribute("pads", {1, 1, 1, 1})})}), constants, kConv},
      {"the codes' range is the Relu", between({dw, db, conv, node("Relu", {"c"}, {"b"})}, "t", "low"), constants, kConv},
      {"a Relu that the codes' range is not", between({dw, db, conv, node("Relu", {"c"}, {"b"})}), constants, last("Clip ")},
      {"a Clip", between({dw, db, conv, node("Clip", {"c", "", "six"}, {"b"})}), {w, w_scale, b, b_scale, scalar("six", 6)}, last("Clip ")},
      {"int8 activations to uint8",
       {q("x", "x_codes", "z8"), dq("x_codes", "a", "s", "z8"), dw, db, conv, node("QuantizeLinear", {"c", "t", "z"}, {"d"}), dq("d", "y", "t")},
       constants, kConv},
      {"one scale, float bias",
       between({dq("u", "dw", "s"), node("Conv", {"a", "dw", "fb"}, {"b"})}, "coarse"),
       {codes("u", kUint8, {3, 4, 3, 3}), floats("fb", {0.5f, -2, 1}), scalar("coarse", 2)}, kConv, 2},
      {"a result that is read as it is",
       {q("x", "x_codes"), dq("x_codes", "a"), dw, db, conv, q("c", "d"), dq("d", "e"), node("Add", {"c", "e"}, {"y"})}, constants,
       "QuantizeLinear DequantizeLinear Transpose Conv QuantizeLinear DequantizeLinear Add Transpose", 1},
  });
}

TEST_CASE("fuse_qdq_products: MatMul and Gemm", "[passes]") {
  const Bytes w = codes("w", kInt8, {6, 3}), w_scale = floats("ws", {0.02f, 0.03f, 0.01f}), bias = floats("bias", {1, -2, 0.5f});
  const Bytes dw = dq_axis("w", "dw", "ws", 1);
  const std::vector<int64_t> matrix = {5, 6};
  check({
      {"MatMul", between({dw, node("MatMul", {"a", "dw"}, {"b"})}), {w, w_scale}, "QuantizeLinear QLinearMatMul DequantizeLinear"},
      {"MatMul with a bias and Relu",
       between({dw, node("MatMul", {"a", "dw"}, {"c"}), node("Add", {"bias", "c"}, {"d"}), node("Relu", {"d"}, {"b"})}, "t", "low"),
       {w, w_scale, bias}, "QuantizeLinear QLinearMatMul DequantizeLinear"},
      {"MatMul of two values",
       between({q("x2", "v_codes"), dq("v_codes", "v"), node("MatMul", {"a", "v"}, {"b"})}), {weights_tensor("x2", {6, 2})},
       "QuantizeLinear QLinearMatMul DequantizeLinear"},
      {"MatMul to floats",
       {q("x", "x_codes"), dq("x_codes", "a"), dw, node("MatMul", {"a", "dw"}, {"b"}), node("Add", {"b", "bias"}, {"c"}),
        node("Relu", {"c"}, {"y"})},
       {w, w_scale, bias}, "QuantizeLinear MatMulIntegerToFloat+Relu", 1e-4f},
      {"Gemm",
       between({dq_axis("v", "dv", "ws", 0), node("Gemm", {"a", "dv", "bias"}, {"b"}, {int_attribute("transB", 1)})}),
       {codes("v", kInt8, {3, 6}), w_scale, bias}, "QuantizeLinear QGemm DequantizeLinear", 0.25f, matrix},
      {"Gemm with a factor stays float",
       between({dw, node("Gemm", {"a", "dw", "bias"}, {"b"}, {float_attribute("alpha", 2)})}), {w, w_scale, bias},
       "QuantizeLinear DequantizeLinear Gemm QuantizeLinear DequantizeLinear", 0.25f, matrix},
  });
}

TEST_CASE("fuse_qdq_elementwise", "[passes]") {
  const auto becomes = [](const std::string& op) { return "QuantizeLinear " + op + " DequantizeLinear"; };
  const Bytes other = node("QuantizeLinear", {"x", "t", "z"}, {"o_codes"}), other_number = dq("o_codes", "o", "t");
  const std::string two = "QuantizeLinear QuantizeLinear ";
  check({
      {"Add", between({other, other_number, node("Add", {"a", "o"}, {"b"})}), {}, two + "QLinearAdd DequantizeLinear"},
      {"Add and Relu", between({other, other_number, node("Add", {"a", "o"}, {"c"}), node("Relu", {"c"}, {"b"})}, "t", "low"), {},
       two + "QLinearAdd DequantizeLinear"},
      {"Mul", between({other, other_number, node("Mul", {"a", "o"}, {"b"})}), {}, two + "QLinearMul DequantizeLinear"},
      {"Concat", between({other, other_number, node("Concat", {"a", "o"}, {"b"}, {int_attribute("axis", 1)})}), {},
       two + "QLinearConcat DequantizeLinear"},
      {"GlobalAveragePool", between({node("GlobalAveragePool", {"a"}, {"b"})}), {}, becomes("QLinearGlobalAveragePool")},
      {"AveragePool", between({node("AveragePool", {"a"}, {"b"}, {ints_attribute("kernel_shape", {2, 2}), ints_attribute("pads", {1, 1, 0, 0})})}), {},
       becomes("QLinearAveragePool")},
      {"Softmax", between({node("Softmax", {"a"}, {"b"}, {int_attribute("axis", 1)})}, "s"), {}, becomes("QLinearSoftmax"), 0.031f},
      {"Sigmoid", between({node("Sigmoid", {"a"}, {"b"})}, "s"), {}, becomes("QLinearSigmoid"), 0.031f},
      {"LeakyRelu", between({node("LeakyRelu", {"a"}, {"b"}, {float_attribute("alpha", 0.2f)})}), {}, becomes("QLinearLeakyRelu")},
      {"an operand that is no codes", between({node("Add", {"a", "x"}, {"b"})}), {},
       "QuantizeLinear DequantizeLinear Add QuantizeLinear DequantizeLinear"},
  });
}

TEST_CASE("move_codes", "[passes]") {
  const auto becomes = [](const std::string& op) { return "QuantizeLinear " + op + " DequantizeLinear"; };
  const Bytes shape = longs_tensor("shape", {2}, {8, 30});
  check({
      {"Reshape", between({node("Reshape", {"a", "shape"}, {"b"})}, "s"), {shape}, becomes("Reshape"), 0},
      {"a chain",
       {q("x", "c0"), dq("c0", "a"), node("Transpose", {"a"}, {"b"}, {ints_attribute("perm", {1, 0, 2, 3})}), q("b", "c1"), dq("c1", "c"),
        node("Flatten", {"c"}, {"d"}), q("d", "c2"), dq("c2", "y")},
       {}, becomes("Transpose Flatten"), 0},
      {"MaxPool", between({node("MaxPool", {"a"}, {"b"}, {ints_attribute("kernel_shape", {2, 2}), ints_attribute("pads", {1, 1, 1, 1})})}, "s"), {},
       becomes("MaxPool"), 0},
      {"Relu", between({node("Relu", {"a"}, {"b"})}, "s"), {}, becomes("Clip"), 0},
      {"Clip", between({node("Clip", {"a", "one"}, {"b"})}, "s"), {scalar("one", 1)}, becomes("Clip"), 0},
      {"nothing between", {q("x", "c0"), dq("c0", "a"), q("a", "c1"), dq("c1", "y")}, {}, "QuantizeLinear DequantizeLinear", 0},
      {"another scale", between({node("Reshape", {"a", "shape"}, {"b"})}), {shape},
       "QuantizeLinear DequantizeLinear Reshape QuantizeLinear DequantizeLinear"},
  });
}

TEST_CASE("dequantize_constants", "[passes]") {
  check({
      {"weights of a float product", {dq_axis("w", "dw", "ws", 1), node("MatMul", {"x", "dw"}, {"y"})},
       {codes("w", kInt8, {6, 3}), floats("ws", {0.02f, 0.03f, 0.01f})}, "MatMul", 1e-4f},
      {"more than fold_constants takes", {dq("w", "dw"), node("MatMul", {"x", "dw"}, {"y"})}, {codes("w", kUint8, {6, 20000})}, "MatMul", 1e-3f},
  });
}

TEST_CASE("fuse_integer_matmul", "[passes]") {
  const Bytes w = codes("w", kInt8, {6, 3}), w_scale = floats("ws", {0.02f, 0.03f, 0.01f}), bias = floats("bias", {1, -2, 0.5f});
  const Bytes quantize = node("DynamicQuantizeLinear", {"x"}, {"a", "as", "az"});
  const Bytes product = node("MatMulInteger", {"a", "w", "az"}, {"p"}), cast = node("Cast", {"p"}, {"f"}, {int_attribute("to", kFloat)});
  const Bytes scales = node("Mul", {"as", "ws"}, {"m"}), scaled = node("Mul", {"f", "m"}, {"y"});
  const std::string becomes = "DynamicQuantizeLinear MatMulIntegerToFloat";
  const float near = 1e-4f;
  check({
      {"scales of columns", {quantize, product, cast, scales, scaled}, {w, w_scale}, becomes, near},
      {"one scale, zero point of B, operands the other way round",
       {quantize, node("MatMulInteger", {"a", "u", "az", "z"}, {"p"}), cast, node("Mul", {"s", "as"}, {"m"}), node("Mul", {"m", "f"}, {"y"})},
       {codes("u", kUint8, {6, 3})}, becomes, near},
      {"bias and activation",
       {quantize, product, cast, scales, node("Mul", {"f", "m"}, {"v"}), node("Add", {"bias", "v"}, {"o"}), node("Sigmoid", {"o"}, {"y"})},
       {w, w_scale, bias}, becomes + "+Sigmoid", near},
      {"sums that are read elsewhere", {quantize, product, cast, scales, node("Mul", {"f", "m"}, {"v"}), node("Add", {"f", "v"}, {"y"})},
       {w, w_scale}, "DynamicQuantizeLinear MatMulInteger Cast Mul Mul Add", 1},
      {"a scale of each row", {quantize, product, cast, node("Mul", {"f", "rows"}, {"v"}), node("Mul", {"v", "as"}, {"y"})},
       {w, float_tensor("rows", {5, 1}, {1, 2, 3, 4, 5})}, "DynamicQuantizeLinear MatMulInteger Cast Mul Mul", 1},
  });
}
