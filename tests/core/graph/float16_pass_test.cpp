// widen_float16: what computes does so in float32, what moves stays, and the outside keeps its types.

#include "base/half.hpp"
#include "pass_cases.hpp"

namespace kinglet::test {
namespace {

constexpr int64_t kHalf = 10, kBrain = 16;

uint16_t bits_of(int64_t type, float v) { return type == kHalf ? float_to_half(v) : float_to_bfloat(v); }

Bytes halves(const std::string& name, const std::vector<int64_t>& dims, const std::vector<float>& values, int64_t type = kHalf) {
  std::vector<uint16_t> bits;
  for (const float v : values) bits.push_back(bits_of(type, v));
  return raw_tensor(name, type, dims, bytes_of(bits));
}

Tensor half_input(const std::vector<int64_t>& shape, int64_t type) {
  const Tensor wide = unlike_neighbours(shape);
  Tensor x(static_cast<DType>(type), Shape(shape));
  auto* to = reinterpret_cast<uint16_t*>(x.raw());
  for (size_t i = 0; i < x.count(); ++i) to[i] = bits_of(type, wide.data<float>()[i]);
  return x;
}

struct Case {
  std::string label;
  Strings nodes, initializers;
  std::string becomes;
  std::vector<int64_t> x = {1, 4, 5, 6};
  int64_t type = kHalf;
};

TEST_CASE("float16 between nodes becomes float32", "[passes]") {
  const std::vector<float> ramp = {1, -0.5f, 0.25f, 2, -1, 3, 0.125f, -2};
  const Bytes b = halves("b", {4, 1, 1}, {1, -1, 2, 0.5f}), w = halves("w", {4, 4, 1, 1}, {1, 2, 3, 4, 5, 6, 7, 8, -1, -2, -3, -4, 0, 1, 0, 1});
  const auto cast = [](const std::string& from, const std::string& to, int64_t type) { return node("Cast", {from}, {to}, {int_attribute("to", type)}); };
  for (const Case& row : std::vector<Case>{
           {"a chain", {node("Conv", {"x", "w"}, {"c"}), node("Add", {"c", "b"}, {"a"}), node("Relu", {"a"}, {"y"})}, {w, b}, "Cast Transpose Conv+Relu Cast Transpose"},
           {"bfloat16", {node("Exp", {"x"}, {"e"}), node("Mul", {"e", "x"}, {"y"})}, {}, "Cast Exp Mul Cast", {3, 5}, kBrain},
           {"float32 outside", {cast("x", "f", 1), node("Exp", {"f"}, {"y"})}, {}, "Cast Exp"},
           {"the file's own casts", {node("Exp", {"x"}, {"e"}), cast("e", "f", 1), node("Neg", {"f"}, {"g"}), cast("g", "h", kHalf), node("Abs", {"h"}, {"y"})},
            {}, "Cast Exp Neg Abs Cast"},
           {"integers are rounded once", {cast("x", "i", 7), cast("i", "h", kHalf), node("Neg", {"h"}, {"y"})}, {}, "Cast Cast Cast Neg Cast"},
           {"elements that only move", {node("Transpose", {"x"}, {"t"}), node("Concat", {"t", "t"}, {"y"}, {int_attribute("axis", 0)})}, {}, "Transpose Concat"},
           {"moved before and after", {node("Transpose", {"x"}, {"t"}), node("Exp", {"t"}, {"e"}), node("Concat", {"e", "e"}, {"y"}, {int_attribute("axis", 0)})},
            {}, "Transpose Cast Exp Concat Cast", {3, 4}},
           {"a table", {cast("x", "i", 7), node("Gather", {"t", "i"}, {"g"}), node("Exp", {"g"}, {"y"})}, {halves("t", {8}, ramp)}, "Cast Gather Cast Exp Cast", {1}},
           {"a chain of old and new values", {node("Exp", {"x"}, {"e"}), node("Concat", {"x", "e"}, {"y"}, {int_attribute("axis", 0)})},
            {}, "Cast Exp Cast Concat"},
           {"its bits", {node("Exp", {"x"}, {"e"}), node("BitCast", {"e"}, {"y"}, {int_attribute("to", 4)})}, {}, "Cast Exp Cast BitCast"},
           {"a sequence", {node("Exp", {"x"}, {"e"}), node("SequenceConstruct", {"e", "x"}, {"s"}), node("ConcatFromSequence", {"s"}, {"y"}, {int_attribute("axis", 0)})},
            {}, "Cast Exp Cast SequenceConstruct ConcatFromSequence"},
           {"what comes out of a sequence", {node("SequenceConstruct", {"x", "x"}, {"s"}), node("SequenceAt", {"s", "one"}, {"u"}), node("Add", {"u", "b"}, {"y"})},
            {b, longs_tensor("one", {}, {1})}, "SequenceConstruct SequenceAt Add"},
       }) {
    INFO(row.label);
    Strings dims;
    for (const int64_t d : row.x) dims.push_back(std::to_string(d));
    const Bytes file = model_file({.graph = graph({.nodes = row.nodes, .initializers = row.initializers, .inputs = {value("x", row.type, dims)}, .outputs = {value("y")}}),
                                   .opsets = {{"", 26}}});
    CHECK(operators(load(file).describe()) == row.becomes);
    check_kept_shapes(file);
    run_both(file, {{"x", half_input(row.x, row.type)}}, row.type == kHalf ? 2e-3 : 2e-2);
  }
}

TEST_CASE("float16 in the branches of an If, given and captured", "[passes]") {
  const auto branch = [](const std::string& op) {
    return graph({.nodes = {node(op, {"e"}, {op + "_1"}), node("Add", {op + "_1", "w"}, {op + "_2"})}, .outputs = {value(op + "_2")}});
  };
  const Bytes file = model_file(
      {.graph = graph({.nodes = {node("Exp", {"x"}, {"e"}), node("ReduceMax", {"x"}, {"m"}, {int_attribute("keepdims", 0)}), node("Greater", {"m", "z"}, {"c"}),
                                 node("If", {"c"}, {"i"}, {graph_attribute("then_branch", branch("Neg")), graph_attribute("else_branch", branch("Abs"))}),
                                 node("Sqrt", {"i"}, {"y"})},
                       .initializers = {halves("w", {3}, {90, 91, 92}), halves("z", {}, {2})},
                       .inputs = {value("x", kHalf, {"2", "3"})},
                       .outputs = {value("y")}}),
       .opsets = {{"", 17}}});
  for (const float shift : {0.0f, 4.0f}) {
    Tensor x = half_input({2, 3}, kHalf);
    x.data<Float16>()[0] = Float16(shift);
    run_both(file, {{"x", x}}, 2e-3);
  }
}

TEST_CASE("float16 weights that the branches of an If share become one float32", "[passes]") {
  std::vector<float> numbers(64 * 128);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i % 29) / 32 - 0.5f;
  const auto branch = [](const std::string& op) {
    return graph({.nodes = {node("MatMul", {"x", "w"}, {op + "_1"}), node(op, {op + "_1"}, {op + "_2"})}, .outputs = {value(op + "_2")}});
  };
  const Bytes file = model_file({.graph = graph({.nodes = {node("If", {"c"}, {"y"}, {graph_attribute("then_branch", branch("Neg")), graph_attribute("else_branch", branch("Abs"))})},
                                                 .initializers = {halves("w", {64, 128}, numbers)},
                                                 .inputs = {value("x", kHalf, {"2", "64"}), value("c", 9, {})},
                                                 .outputs = {value("y")}}),
                                 .opsets = {{"", 17}}});
  const size_t weights = load(file).memory().weights;
  CHECK(weights >= numbers.size() * sizeof(float));
  CHECK(weights < numbers.size() * sizeof(float) + 4096);
  Tensor condition(DType::kBool, Shape());
  for (const bool which : {true, false}) {
    condition.data<bool>()[0] = which;
    run_both(file, {{"x", half_input({2, 64}, kHalf)}, {"c", condition}}, 2e-3);
  }
}

}  // namespace
}  // namespace kinglet::test
