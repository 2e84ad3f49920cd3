// QAttention and QEmbedLayerNormalization of com.microsoft are the float operators of dequantized inputs, and what they
// refuse.

#include "ops/support/codes.hpp"
#include "ops/support/conv_reference.hpp"
#include "ops/support/rows.hpp"

using namespace kinglet;
using namespace kinglet::test;

namespace {

constexpr int64_t kBatch = 2, kRows = 3, kDepth = 5, kHeads = 2, kWidth = 24;

Tensor dequantized(const Tensor& codes, const Tensor& scale, const Tensor& zero) {
  std::vector<double> values = to_doubles(codes);
  const std::vector<double> scales = to_doubles(scale), zeros = to_doubles(zero);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = (values[i] - zeros[i % zeros.size()]) * scales[i % scales.size()];
  return make(DType::kFloat32, codes.shape(), values);
}

OpCall attention(DType type, bool by_column = false) {
  const Shape shape = by_column ? Shape{kWidth} : Shape{};
  std::vector<double> scales;
  for (size_t i = 0; i < shape.count(); ++i) scales.push_back(0.01 + 0.002 * static_cast<double>(i % 5));
  return {.op = "QAttention",
          .opset = 1,
          .attributes = {attr("num_heads", kHeads), attr("unidirectional", 1)},
          .inputs = {spread(DType::kUint8, {kBatch, kRows, kDepth}, 37), spread(type, {kDepth, kWidth}, 59),
                     numbers(DType::kFloat32, {kWidth}, 3), f32({}, {0.02f}), make(DType::kFloat32, shape, scales),
                     i32({kBatch, kRows}, {1, 1, 0, 1, 1, 1}), u8({}, {130}), spread(type, shape, 11)},
          .outputs = 2,
          .domain = "com.microsoft"};
}

OpCall embedding(DType type) {
  OpCall call{.op = "QEmbedLayerNormalization",
              .opset = 1,
              .inputs = {i32({1, 2}, {0, 2}), i32({1, 2}, {1, 0}), spread(type, {3, 6}, 59), spread(type, {2, 6}, 31),
                         spread(type, {2, 6}, 17), spread(type, {6}, 29), spread(type, {6}, 41), i32({1, 2}, {1, 1})},
              .outputs = 2,
              .domain = "com.microsoft"};
  for (const float scale : {0.01f, 0.02f, 0.03f, 0.02f, 0.01f}) call.inputs.push_back(f32({}, {scale}));
  for (const double zero : {3, 5, 0, 9, 1}) call.inputs.push_back(make(type, {1}, {zero}));
  return call;
}

}  // namespace

TEST_CASE("QAttention is Attention of the numbers that its codes stand for", "[op]") {
  for (const DType type : {DType::kInt8, DType::kUint8}) {
    for (const bool by_column : {false, true}) {
      const OpCall call = attention(type, by_column);
      const auto& in = call.inputs;
      OpCall exact = call;
      exact.op = "Attention";
      exact.inputs = {dequantized(in[0], in[3], in[6]), dequantized(in[1], in[4], in[7]), in[2], in[5]};
      const std::vector<Tensor> got = run_op(call), want = run_op(exact);
      for (size_t i = 0; i < 2; ++i) CHECK(difference(got[i], want[i], 2e-5) == "");
    }
  }
  const auto with = [](size_t input, Tensor value) {
    OpCall call = attention(DType::kInt8);
    call.inputs[input] = std::move(value);
    return call;
  };
  OpCall no_heads = attention(DType::kInt8), five_heads = no_heads;
  no_heads.attributes[0] = attr("num_heads", 0);
  five_heads.attributes[0] = attr("num_heads", 5);
  OpCall cache = attention(DType::kInt8);
  cache.inputs.push_back(numbers(DType::kFloat32, {2, kBatch, kHeads, 4, 3}, 1));
  check_failures({
      {"an input of floats", with(0, numbers(DType::kFloat32, {kBatch, kRows, kDepth}, 1)), ErrorCode::kModel},
      {"an input of rank 2", with(0, spread(DType::kUint8, {kRows, kDepth}, 3)), ErrorCode::kShape, "rank 3"},
      {"weights of rank 3", with(1, spread(DType::kInt8, {1, kDepth, kWidth}, 3)), ErrorCode::kShape, "rank 2"},
      {"weights of another depth", with(1, spread(DType::kInt8, {kDepth + 1, kWidth}, 3))},
      {"weights of another width", with(1, spread(DType::kInt8, {kDepth, kWidth + 1}, 3))},
      {"a bias of another width", with(2, numbers(DType::kFloat32, {kWidth + 1}, 3))},
      {"two input scales", with(3, f32({2}, {1, 2})), ErrorCode::kShape, "one number"},
      {"two weight scales", with(4, f32({2}, {1, 2}))},
      {"a mask of another size", with(5, i32({3}, {1, 2, 3}))},
      {"two input zero points", with(6, u8({2}, {1, 2})), ErrorCode::kShape, "one number"},
      {"two weight zero points", with(7, spread(DType::kInt8, {2}, 3))},
      {"a cache of another head size", cache, ErrorCode::kShape, "cache"},
      {"no heads", no_heads, ErrorCode::kModel, "num_heads"},
      {"heads that do not divide", five_heads},
  });
}

TEST_CASE("QEmbedLayerNormalization is EmbedLayerNormalization of the numbers that its codes stand for", "[op]") {
  for (const DType type : {DType::kInt8, DType::kUint8}) {
    const OpCall call = embedding(type);
    OpCall exact = call;
    exact.op = "EmbedLayerNormalization";
    exact.inputs.resize(8);
    for (size_t i = 2; i < 7; ++i) exact.inputs[i] = dequantized(call.inputs[i], call.inputs[i + 6], call.inputs[i + 11]);
    const std::vector<Tensor> got = run_op(call), want = run_op(exact);
    for (size_t i = 0; i < 2; ++i) CHECK(difference(got[i], want[i], 2e-5) == "");
  }
  const auto with = [](size_t input, Tensor value) {
    OpCall call = embedding(DType::kInt8);
    call.inputs[input] = std::move(value);
    return call;
  };
  check_failures({
      {"tables of floats", with(2, numbers(DType::kFloat32, {3, 6}, 1)), ErrorCode::kModel},
      {"an id outside", with(0, i32({1, 2}, {0, 3})), ErrorCode::kShape, "outside"},
      {"too few positions", with(3, spread(DType::kInt8, {1, 6}, 3)), ErrorCode::kShape, "outside"},
      {"segments of another width", with(4, spread(DType::kInt8, {2, 5}, 3)), ErrorCode::kShape, "columns"},
      {"a gamma of another width", with(5, spread(DType::kInt8, {5}, 3)), ErrorCode::kShape, "parameters"},
      {"a scale a column", with(8, f32({6}, {1, 1, 1, 1, 1, 1})), ErrorCode::kShape, "one number"},
      {"no scale", with(11, Tensor()), ErrorCode::kModel},
      {"zero points of floats", with(13, f32({2}, {1, 2})), ErrorCode::kShape, "one number"},
  });
}
