// MoE and QMoE of com.microsoft: what the comparison with ONNX Runtime in tests/models does not run.

#include "ops/support/conv_reference.hpp"
#include "ops/support/rows.hpp"

using namespace kinglet;
using namespace kinglet::test;

namespace {

/// Two experts over two numbers a token: the first doubles, the second negates; ratings say which.
OpCall experts(DType type = DType::kFloat32) {
  const auto t = [&](const Shape& shape, const std::vector<double>& values) { return make(type, shape, values); };
  return {.op = "MoE",
          .opset = 1,
          .attributes = {attr("k", 1), attr("activation_type", "identity"), attr("normalize_routing_weights", 1)},
          .inputs = {t({3, 2}, {1, 2, 3, 4, 5, 6}), t({3, 2}, {1, 0, 0, 1, 2, 2}), t({2, 2, 2}, {2, 0, 0, 2, 1, 0, 0, 1}), {},
                     t({2, 2, 2}, {1, 0, 0, 1, -1, 0, 0, -1})},
          .domain = "com.microsoft"};
}

OpCall quantized() {
  return {.op = "QMoE",
          .opset = 1,
          .attributes = {attr("k", 1), attr("activation_type", "relu"), attr("expert_weight_bits", 4)},
          .inputs = {f32({1, 2}, {1, 2}), f32({1, 1}, {0}), u8({1, 2, 1}, {0x98, 0xa9}), f32({1, 2}, {1, 0.5f}), {}, u8({1, 2, 1}, {0x89, 0x98}), f32({1, 2}, {1, 1})},
          .domain = "com.microsoft"};
}

OpCall with(OpCall call, size_t input, Tensor value) {
  if (call.inputs.size() <= input) call.inputs.resize(input + 1);
  call.inputs[input] = std::move(value);
  return call;
}

OpCall with(OpCall call, Attribute attribute) {
  std::erase_if(call.attributes, [&](const Attribute& a) { return a.name == attribute.name; });
  call.attributes.push_back(std::move(attribute));
  return call;
}

}  // namespace

TEST_CASE("MoE sends tokens to experts; of equal ratings the last counts", "[op]") {
  for (const DType type : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    CHECK(difference(run_op(experts(type))[0], make(type, {3, 2}, {2, 4, -3, -4, -5, -6})) == "");
  }
  const Tensor none = f32({0, 2}, {});
  CHECK(difference(run_op(with(with(experts(), 0, none), 1, none))[0], none) == "");
  // 4-bit codes, the first in the low bits, less 8: [[0, 1], [1, 2]], scaled [[0, 1], [0.5, 1]]; then [[1, 0], [0, 1]].
  CHECK(difference(run_op(quantized())[0], f32({1, 2}, {2, 2.5f}), 1e-6) == "");
  // One zero point a row, packed: 9 and 8.
  CHECK(difference(run_op(with(quantized(), 11, u8({1, 1}, {0x89})))[0], f32({1, 2}, {0, 2.5f}), 1e-6) == "");
}

TEST_CASE("what MoE and QMoE refuse", "[op]") {
  const Tensor w = f32({2, 2, 2}, {0, 0, 0, 0, 0, 0, 0, 0});
  check_failures({
      {"tokens of rank 1", with(experts(), 0, f32({2}, {1, 2}))},
      {"ratings of other tokens", with(experts(), 1, f32({2, 2}, {1, 2, 3, 4}))},
      {"no experts", with(experts(), 1, f32({3, 0}, {}))},
      {"ratings of other experts", with(experts(), 1, f32({3, 1}, {1, 2, 3}))},
      {"first weights of another size", with(experts(), 2, f32({2, 2, 1}, {1, 2, 3, 4})), ErrorCode::kShape, "expected weights"},
      {"second weights of rank 2", with(experts(), 4, f32({2, 2}, {1, 2, 3, 4})), ErrorCode::kShape, "expected weights"},
      {"second weights of other experts", with(experts(), 4, f32({1, 2, 2}, {1, 2, 3, 4})), ErrorCode::kShape, "expected weights"},
      {"a bias of another size", with(experts(), 3, f32({2, 1}, {1, 2})), ErrorCode::kShape, "bias"},
      {"a third layer", with(experts(), 6, w), ErrorCode::kModel, "third"},
      {"weights of bytes", with(experts(), 2, u8({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8})), ErrorCode::kModel},
      {"more than all experts", with(experts(), attr("k", 3)), ErrorCode::kShape, "3 of 2"},
      {"k of 0", with(experts(), attr("k", 0)), ErrorCode::kModel, "k"},
      {"an unknown activation", with(experts(), attr("activation_type", "sine")), ErrorCode::kModel, "sine"},
      {"a swiglu that is not fused", with(experts(), attr("activation_type", "swiglu")), ErrorCode::kModel, "swiglu_fusion"},
      {"a sparse mixer", with(experts(), attr("use_sparse_mixer", 1)), ErrorCode::kModel, "use_sparse_mixer"},
      {"a negative limit", with(experts(), attr("swiglu_limit", -1.0f)), ErrorCode::kModel, "swiglu_limit"},
      {"3 bits", with(quantized(), attr("expert_weight_bits", 3)), ErrorCode::kModel, "expert_weight_bits"},
      {"a block of 24", with(quantized(), attr("block_size", 24)), ErrorCode::kModel, "block_size"},
      {"weights of floats", with(quantized(), 2, f32({1, 2, 1}, {1, 2})), ErrorCode::kModel},
      {"weights of another size", with(quantized(), 2, u8({1, 2, 2}, {1, 2, 3, 4})), ErrorCode::kShape, "expected weights"},
      {"no scales", with(quantized(), 3, Tensor()), ErrorCode::kModel},
      {"scales of another size", with(quantized(), 3, f32({1, 1}, {1})), ErrorCode::kShape, "scales"},
      {"zero points of another size", with(quantized(), 11, u8({1, 2}, {1, 2})), ErrorCode::kShape, "zero points"},
      {"router weights of another size", with(quantized(), 14, f32({1, 2}, {1, 2})), ErrorCode::kShape, "router weights"},
      {"a third layer of codes", with(quantized(), 8, u8({1, 2, 1}, {1, 2})), ErrorCode::kModel, "third"},
  });
}
