// Operators around attention: what ONNX's own cases and the comparison with onnxruntime do not run.

#include "ops/support/conv_reference.hpp"
#include "ops/support/rows.hpp"

using namespace kinglet;
using namespace kinglet::test;

namespace {

const std::string kMicrosoft = "com.microsoft";
constexpr std::pair<DType, double> kTypes[] = {
    {DType::kFloat32, 2e-6}, {DType::kFloat64, 1e-12}, {DType::kFloat16, 3e-3}, {DType::kBFloat16, 3e-2}};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// Doubles everything that passes through it.
class Doubling : public Subgraphs {
 public:
  std::vector<ops::ValueInfo> infer(size_t, std::span<const ops::ValueInfo> inputs) override {
    return {inputs.begin(), inputs.end()};
  }
  std::vector<Tensor> run(size_t, std::span<const Tensor> inputs) override {
    auto v = to_doubles(inputs[0]);
    for (double& x : v) x *= 2;
    return {make(inputs[0].dtype(), inputs[0].shape(), v)};
  }
};

}  // namespace

TEST_CASE("SwiGLU and RMSNormalization of every type", "[op]") {
  for (const auto& [type, tolerance] : kTypes) {
    INFO(text("{}", type));
    const Tensor a = numbers(type, {3, 2, 11}, 1), b = numbers(type, {3, 2, 11}, 2),
                 scale = numbers(type, {2, 1}, 3);
    const auto x = to_doubles(a), y = to_doubles(b), s = to_doubles(scale);
    std::vector<double> gated, normal;
    for (size_t i = 0; i < x.size(); ++i) gated.push_back(x[i] * sigmoid(0.5 * x[i]) * y[i]);
    for (size_t r = 0; r < 3; ++r) {
      double squares = 0;
      for (size_t i = 0; i < 22; ++i) squares += x[r * 22 + i] * x[r * 22 + i];
      for (size_t i = 0; i < 22; ++i)
        normal.push_back(x[r * 22 + i] / std::sqrt(squares / 22 + 1e-3f) * s[i / 11]);
    }
    CHECK(difference(
              run_op({.op = "SwiGLU", .opset = 28, .attributes = {attr("alpha", 0.5f)}, .inputs = {a, b}})[0],
              make(type, a.shape(), gated), tolerance) == "");
    const OpCall norm{.op = "RMSNormalization",
                      .opset = 23,
                      .attributes = {attr("axis", 1), attr("epsilon", 1e-3f)},
                      .inputs = {a, scale}};
    CHECK(difference(run_op(norm)[0], make(type, a.shape(), normal), 4 * tolerance) == "");
  }
  check_failures(std::vector<BadRow>{
      {"SwiGLU of two shapes", {.op = "SwiGLU", .opset = 28, .inputs = {iota({2, 3}), iota({3, 2})}}},
      {"SwiGLU of two types",
       {.op = "SwiGLU", .opset = 28, .inputs = {iota({2}), numbers(DType::kFloat16, {2}, 1)}},
       ErrorCode::kModel},
      {"RMSNormalization with a scale that is too long",
       {.op = "RMSNormalization", .opset = 23, .inputs = {iota({2, 3}), iota({4})}}},
      {"RMSNormalization with a scale of more dims",
       {.op = "RMSNormalization", .opset = 23, .inputs = {iota({2, 3}), iota({2, 3})}}},
      {"RMSNormalization of an axis outside",
       {.op = "RMSNormalization",
        .opset = 23,
        .attributes = {attr("axis", 2)},
        .inputs = {iota({2, 3}), iota({3})}}},
  });
}

TEST_CASE("TensorScatter of strings, and what it refuses", "[op]") {
  const auto call = [](Tensor cache, Tensor update, Tensor indices, const char* mode, int axis = -1) {
    return OpCall{.op = "TensorScatter",
                  .opset = 24,
                  .attributes = {attr("axis", axis), attr("mode", mode)},
                  .inputs = {cache, update, indices}};
  };
  const Tensor cache = strings({2, 3}, {"a", "b", "c", "d", "e", "f"}),
               update = strings({2, 2}, {"1", "2", "3", "4"});
  check_rows({
      {"from the front", call(cache, update, {}, "linear"), strings({2, 3}, {"1", "2", "c", "3", "4", "f"})},
      {"at an index of each batch", call(cache, update, i64({2}, {1, 0}), "linear"),
       strings({2, 3}, {"a", "1", "2", "3", "4", "f"})},
      {"around the end", call(cache, update, i64({2}, {2, 7}), "circular"),
       strings({2, 3}, {"2", "b", "1", "d", "3", "4"})},
  });
  check_failures(std::vector<BadRow>{
      {"past the end", call(cache, update, i64({2}, {2, 0}), "linear")},
      {"before the beginning", call(cache, update, i64({2}, {-1, 0}), "circular")},
      {"indices of another batch", call(cache, update, i64({1}, {0}), "linear")},
      {"an update that is too long", call(update, cache, {}, "linear")},
      {"the batch's axis", call(cache, update, {}, "linear", 0)},
      {"another type", call(cache, iota({2, 2}), {}, "linear"), ErrorCode::kModel},
      {"an unknown mode", call(cache, update, {}, "round"), ErrorCode::kModel},
  });
}

TEST_CASE("FlexAttention with subgraphs in every type", "[op]") {
  Doubling doubling;
  for (const auto& [type, tolerance] : kTypes) {
    INFO(text("{}", type));
    const Tensor q = numbers(type, {2, 4, 3, 6}, 1), k = numbers(type, {2, 2, 5, 6}, 2),
                 v = numbers(type, {2, 2, 5, 4}, 3);
    const auto flex = [&](std::vector<Attribute> attributes) {
      return run_op({.op = "FlexAttention",
                     .opset = 1,
                     .attributes = std::move(attributes),
                     .inputs = {q, k, v},
                     .domain = "ai.onnx.preview",
                     .subgraphs = &doubling})[0];
    };
    const auto attention = [&](float scale) {
      return run_op(
          {.op = "Attention", .opset = 24, .attributes = {attr("scale", scale)}, .inputs = {q, k, v}})[0];
    };
    CHECK(difference(flex({attr("scale", 0.5f)}), attention(0.5f), tolerance) == "");
    CHECK(difference(flex({attr("scale", 0.5f), attr_graph("score_mod", 0)}), attention(1.0f), tolerance) ==
          "");
    auto twice = to_doubles(attention(0.5f));
    for (double& x : twice) x *= 2;
    CHECK(difference(flex({attr("scale", 0.5f), attr_graph("prob_mod", 0)}), make(type, {2, 4, 3, 4}, twice),
                     3 * tolerance) == "");
    CHECK(difference(flex({attr("scale", 0.5f), attr_graph("score_mod", 0), attr("softmax_precision", 10)}),
                     attention(1.0f), 3e-3 + tolerance) == "");
  }
  const auto bad = [](std::vector<Tensor> inputs, std::vector<Attribute> attributes = {}) {
    return OpCall{.op = "FlexAttention",
                  .opset = 1,
                  .attributes = std::move(attributes),
                  .inputs = std::move(inputs),
                  .domain = "ai.onnx.preview"};
  };
  const Tensor x = iota({1, 2, 3, 4});
  check_failures(std::vector<BadRow>{
      {"rank 3", bad({iota({2, 3, 4}), x, x})},
      {"keys of another size", bad({x, iota({1, 2, 3, 5}), x})},
      {"an unknown precision", bad({x, x, x}, {attr("softmax_precision", 7)}), ErrorCode::kModel},
  });
}

TEST_CASE("LinearAttention and CausalConvWithState of com.microsoft are those of ONNX", "[op]") {
  const auto t = [](const Shape& shape, int seed) { return numbers(DType::kFloat32, shape, seed); };
  for (const char* rule : {"linear", "gated", "delta", "gated_delta"}) {
    INFO(rule);
    const bool decays = std::string_view(rule).starts_with("gated"),
               corrects = std::string_view(rule).ends_with("delta");
    OpCall call{.op = "LinearAttention",
                .opset = 27,
                .attributes = {attr("q_num_heads", 4), attr("kv_num_heads", 2), attr("update_rule", rule)},
                .inputs = {t({2, 3, 20}, 1), t({2, 3, 10}, 2), t({2, 3, 6}, 3), t({2, 2, 5, 3}, 4),
                           decays ? t({2, 3, 10}, 5) : Tensor(), corrects ? t({2, 3, 1}, 6) : Tensor()},
                .outputs = 2};
    const auto want = run_op(call);
    call.domain = kMicrosoft;
    call.opset = 1;
    const auto got = run_op(call);
    for (size_t i = 0; i < 2; ++i) CHECK(difference(got[i], want[i]) == "");
    call.inputs[2] = t({2, 3, 7}, 3);
    CHECK(failure(call) == ErrorCode::kShape);
    call.inputs[2] = t({2, 3, 6}, 3);
    call.inputs[3] = t({2, 2, 5, 4}, 3);
    CHECK(failure(call) == ErrorCode::kShape);
    call.inputs[decays ? 4 : 5] = decays || corrects ? Tensor() : t({2, 3, 1}, 1);
    CHECK(failure(call) == ErrorCode::kModel);
  }
  OpCall conv{.op = "CausalConvWithState",
              .opset = 27,
              .attributes = {attr("activation", "silu")},
              .inputs = {t({2, 3, 4}, 1), t({3, 1, 3}, 2), t({3}, 3), t({2, 3, 2}, 4)},
              .outputs = 2};
  const auto want = run_op(conv);
  conv.domain = kMicrosoft;
  conv.opset = 1;
  const auto got = run_op(conv);
  for (size_t i = 0; i < 2; ++i) CHECK(difference(got[i], want[i]) == "");
  conv.inputs[3] = t({2, 3, 3}, 4);
  CHECK(failure(conv) == ErrorCode::kShape);
  conv.inputs[1] = t({3, 1, 0}, 2);
  CHECK(failure(conv) == ErrorCode::kShape);
  conv.attributes = {attr("dilation", 2)};
  CHECK(failure(conv) == ErrorCode::kModel);
}

TEST_CASE("FusedMatMul of float64, of vectors, and by its old name", "[op]") {
  const auto multiply = [](const char* op, DType type, const Shape& a, const Shape& b) {
    return run_op({.op = op,
                   .opset = 1,
                   .attributes = {attr("transB", 1), attr("transA", 1), attr("alpha", 0.5f)},
                   .inputs = {numbers(type, a, 1), numbers(type, b, 2)},
                   .domain = kMicrosoft})[0];
  };
  for (const auto& [a, b] : {std::pair{Shape{2, 5, 3}, Shape{1, 4, 5}},
                             {Shape{5}, Shape{4, 5}},
                             {Shape{5, 3}, Shape{5}},
                             {Shape{5}, Shape{5}},
                             {Shape{0, 3}, Shape{4, 0}}}) {
    INFO(text("{} {}", a, b));
    const Tensor narrow = multiply("FusedMatMul", DType::kFloat32, a, b);
    CHECK(difference(narrow,
                     make(DType::kFloat32, narrow.shape(),
                          to_doubles(multiply("FusedMatMul", DType::kFloat64, a, b))),
                     1e-5) == "");
    CHECK(difference(narrow, multiply("TransposeMatMul", DType::kFloat32, a, b)) == "");
  }
  check_failures(std::vector<BadRow>{
      {"depths",
       {.op = "FusedMatMul", .opset = 1, .inputs = {iota({2, 3}), iota({2, 3})}, .domain = kMicrosoft}},
      {"a scalar",
       {.op = "FusedMatMul", .opset = 1, .inputs = {iota({}), iota({2, 3})}, .domain = kMicrosoft}},
  });
}

TEST_CASE("DecoderMaskedMultiHeadAttention is MultiHeadAttention of one query, with room in the cache", "[op]") {
  const int64_t batch = 2, heads = 2, size = 4, room = 6;
  const auto t = [](const Shape& shape, int seed) { return numbers(DType::kFloat32, shape, seed); };
  const Tensor token = t({batch, 1, heads * size}, 1), cache = t({batch, heads, room, size}, 2);
  const auto decoder = [&](Tensor past, int64_t length, Tensor padding = {}, size_t outputs = 3) {
    return OpCall{.op = "DecoderMaskedMultiHeadAttention",
                  .opset = 1,
                  .attributes = {attr("num_heads", heads), attr("past_present_share_buffer", 1)},
                  .inputs = {token, token, token, std::move(padding), {}, past, past, make(DType::kInt32, {1}, {static_cast<double>(length)})},
                  .outputs = outputs,
                  .domain = kMicrosoft};
  };
  for (const int64_t length : {0, 3, 5}) {
    INFO(length);
    OpCall plain{.op = "MultiHeadAttention",
                 .opset = 1,
                 .attributes = {attr("num_heads", heads)},
                 .inputs = {token, token, token},
                 .outputs = 3,
                 .domain = kMicrosoft};
    const Tensor before = run_op({.op = "Slice",
                                  .inputs = {cache, i64({1}, {0}), make(DType::kInt64, {1}, {static_cast<double>(length)}), i64({1}, {2})}})[0];
    plain.inputs.resize(6);
    plain.inputs.push_back(before), plain.inputs.push_back(before);
    const auto got = run_op(decoder(cache, length)), want = run_op(plain);
    CHECK(difference(got[0], want[0], 1e-6) == "");
    const auto rows = to_doubles(got[1]), joined = to_doubles(want[1]), old = to_doubles(cache);
    for (int64_t i = 0; i < batch * heads * room * size; ++i) {
      const int64_t row = i / size % room, head = i / size / room;
      const bool is_new = row <= length;
      const auto at = static_cast<size_t>(is_new ? (head * (length + 1) + row) * size + i % size : i);
      CHECK(rows[static_cast<size_t>(i)] == (is_new ? joined : old)[at]);
    }
  }
  OpCall no_length = decoder(cache, 1), no_room = no_length, beams = no_length, two_beams = no_length, two_queries = no_length, five_keys = decoder(cache, 0, {}, 4);
  no_length.inputs.pop_back();
  no_room.attributes.pop_back();
  beams.inputs.resize(9), beams.inputs.push_back(i32({batch, 1, room}, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  two_beams.inputs.push_back(i32({1}, {2}));
  for (size_t i = 0; i < 3; ++i) two_queries.inputs[i] = t({batch, 2, heads * size}, 1);
  for (size_t i = 1; i < 3; ++i) five_keys.inputs[i] = t({batch, 5, heads * size}, 1);
  check_failures(std::vector<BadRow>{
      {"a full cache", decoder(cache, room), ErrorCode::kShape, "not within"},
      {"a negative length", decoder(cache, -1), ErrorCode::kShape, "not within"},
      {"a more negative length, with products", decoder(cache, -9, {}, 4), ErrorCode::kShape, "not within"},
      {"a cache of other heads", decoder(t({batch, heads + 1, room, size}, 2), 1), ErrorCode::kShape, "cache"},
      {"a padding mask of another length", decoder(cache, 1, i32({batch, 3}, {1, 1, 1, 1, 1, 1})), ErrorCode::kShape, "padding"},
      {"five keys, with products for one", five_keys, ErrorCode::kShape, "expected one key"},
      {"no length", no_length, ErrorCode::kModel, "past_sequence_length"},
      {"a cache without room", no_room, ErrorCode::kModel, "past_present_share_buffer"},
      {"beams", beams, ErrorCode::kModel, "cache_indirection"},
      {"two beams", two_beams, ErrorCode::kShape, "beams"},
      {"two queries", two_queries, ErrorCode::kShape, "one query"},
  });
}

TEST_CASE("MatMulBnb4: the 16 numbers, odd depths, and what it refuses", "[op]") {
  const auto product = [](std::vector<Tensor> inputs, int type = 1, int block = 16, int k = 3, int n = 3, int transposed = 1) {
    return OpCall{.op = "MatMulBnb4",
                  .opset = 1,
                  .attributes = {attr("K", k), attr("N", n), attr("block_size", block), attr("quant_type", type), attr("transB", transposed)},
                  .inputs = std::move(inputs),
                  .domain = kMicrosoft};
  };
  // Nine codes, the first in the high bits: 0 1 2, 3 7 15, 8 9 10.
  const Tensor a = f32({1, 3}, {1, 2, 4}), w = u8({5}, {0x01, 0x23, 0x7f, 0x89, 0xa0}), scale = f32({1}, {3});
  check_rows({
      {"FP4", product({a, w, scale}, 0), f32({1, 3}, {8.03125f, 1.5f, -8.03125f}), 1e-6},
      {"NF4", product({a, w, scale}), f32({1, 3}, {-13.478032f, 10.815248f, 4.157669f}), 1e-6},
      {"no rows", product({f32({0, 3}, {}), w, scale}), f32({0, 3}, {})},
  });
  CHECK(difference(run_op(product({numbers(DType::kFloat16, {2, 3}, 1), w, scale}))[0].reshaped({6}),
                   make(DType::kFloat16, {6}, to_doubles(run_op(product({make(DType::kFloat32, {2, 3}, to_doubles(numbers(DType::kFloat16, {2, 3}, 1))), w, scale}))[0])), 1e-3) == "");
  check_failures(std::vector<BadRow>{
      {"another depth", product({iota({3, 4}), w, scale})},
      {"a scalar", product({iota({}), w, scale})},
      {"weights of another size", product({a, u8({4}, {1, 2, 3, 4}), scale})},
      {"scales of another size", product({a, w, f32({2}, {1, 2})})},
      {"weights that are no bytes", product({a, iota({5}), scale}), ErrorCode::kModel},
      {"a third type", product({a, w, scale}, 2), ErrorCode::kModel, "quant_type"},
      {"a block of 24", product({a, w, scale}, 1, 24), ErrorCode::kModel, "block_size"},
      {"a block of 8", product({a, w, scale}, 1, 8), ErrorCode::kModel, "block_size"},
      {"no columns", product({a, w, scale}, 1, 16, 3, 0), ErrorCode::kModel, "N"},
      {"weights the other way round", product({a, w, scale}, 1, 16, 3, 3, 0), ErrorCode::kModel, "transB"},
  });
}

TEST_CASE("MatMulNBits and GatherBlockQuantized refuse what does not fit", "[op]") {
  const auto bytes = [](const Shape& shape) { return numbers(DType::kUint8, shape, 1); };
  const auto product = [](std::vector<Tensor> inputs, int bits = 4, int block = 32, int k = 64, int n = 2) {
    return OpCall{.op = "MatMulNBits",
                  .opset = 1,
                  .attributes = {attr("K", k), attr("N", n), attr("bits", bits), attr("block_size", block)},
                  .inputs = std::move(inputs),
                  .domain = kMicrosoft};
  };
  const Tensor a = iota({3, 64}), w = bytes({2, 2, 16}), scales = iota({2, 2});
  check_rows({{"no weights", product({a, bytes({0, 2, 16}), scales, {}, {}, f32({2}, {1, 2})}),
               f32({3, 2}, {1, 2, 1, 2, 1, 2})}});
  check_failures(std::vector<BadRow>{
      {"another depth", product({iota({3, 63}), w, scales})},
      {"weights of another size", product({a, bytes({2, 2, 15}), scales})},
      {"scales of another size", product({a, w, iota({2, 3})})},
      {"zero points of another size", product({a, w, scales, bytes({3})})},
      {"float zero points of another size", product({a, w, scales, iota({3})})},
      {"groups outside", product({a, w, scales, {}, make(DType::kInt32, {64}, std::vector<double>(64, 2))})},
      {"too few groups", product({a, w, scales, {}, i32({1}, {0})})},
      {"a bias of another size", product({a, w, scales, {}, {}, iota({3})})},
      {"weights that are no bytes", product({a, iota({2, 2, 16}), scales}), ErrorCode::kModel},
      {"3 bits", product({a, w, scales}, 3), ErrorCode::kModel},
      {"a block of 24", product({a, w, scales}, 4, 24), ErrorCode::kModel},
      {"a block of 8", product({a, w, scales}, 4, 8), ErrorCode::kModel},
      {"no columns", product({a, w, scales}, 4, 32, 64, 0), ErrorCode::kModel},
  });
  const auto gather = [](std::vector<Tensor> inputs, int axis = 0, int quantized = 1, int block = 16) {
    return OpCall{.op = "GatherBlockQuantized",
                  .opset = 1,
                  .attributes = {attr("gather_axis", axis), attr("quantize_axis", quantized),
                                 attr("block_size", block)},
                  .inputs = std::move(inputs),
                  .domain = kMicrosoft};
  };
  const Tensor table = bytes({3, 8}), index = i64({2}, {1, 9});
  check_rows(
      {{"an index outside gives zeros, 8-bit floats have scales alone",
        gather({make(DType::kFloat8E4M3FN, {2, 2}, {1, 2, 3, 4}), index, f32({2, 1}, {1, 2})}, 0, 1, 0),
        f32({2, 2}, {6, 8, 0, 0})}});
  check_failures(std::vector<BadRow>{
      {"scales of another size", gather({table, index, iota({3, 2})})},
      {"zero points of another size", gather({table, index, iota({3, 1}), bytes({3, 2})})},
      {"the packed axis", gather({table, index, iota({1, 16})}, 1, 0)},
      {"an axis outside", gather({table, index, iota({3, 1})}, 2)},
      {"a block of 17", gather({table, index, iota({3, 1})}, 0, 1, 17), ErrorCode::kModel},
  });
}

TEST_CASE("Skip, embed and rotary operators refuse what does not fit", "[op]") {
  const Tensor x = iota({2, 3, 4}), g = iota({4});
  const auto contrib = [](const char* op, std::vector<Tensor> inputs,
                          std::vector<Attribute> attributes = {}) {
    return OpCall{.op = op,
                  .opset = 1,
                  .attributes = std::move(attributes),
                  .inputs = std::move(inputs),
                  .domain = kMicrosoft};
  };
  const Tensor ids = i32({1, 2}, {0, 1}), table = iota({2, 4});
  check_failures(std::vector<BadRow>{
      {"a skip of another size", contrib("SkipLayerNormalization", {x, iota({2, 2, 4}), g})},
      {"an empty skip", contrib("SkipLayerNormalization", {x, iota({0, 3, 4}), g})},
      {"a gamma of another size", contrib("SkipSimplifiedLayerNormalization", {x, x, iota({3})})},
      {"a bias of another size", contrib("BiasGelu", {x, iota({3})})},
      {"an id outside",
       contrib("EmbedLayerNormalization", {i32({1, 2}, {0, 2}), {}, table, table, {}, g, g})},
      {"a negative id",
       contrib("EmbedLayerNormalization", {i32({1, 2}, {0, -1}), {}, table, table, {}, g, g})},
      {"too few positions", contrib("EmbedLayerNormalization", {ids, {}, table, iota({1, 4}), {}, g, g})},
      {"tables of two widths", contrib("EmbedLayerNormalization", {ids, {}, table, iota({2, 3}), {}, g, g})},
      {"segments without ids", contrib("EmbedLayerNormalization", {ids, {}, table, table, table, g, g})},
      {"a position outside", contrib("RotaryEmbedding", {x, i64({1}, {4}), iota({4, 2}), iota({4, 2})})},
      {"positions of another batch",
       contrib("RotaryEmbedding", {x, i64({1, 3}, {0, 1, 2}), iota({4, 2}), iota({4, 2})})},
      {"caches of two shapes", contrib("RotaryEmbedding", {x, i64({1}, {0}), iota({4, 2}), iota({4, 1})})},
      {"empty caches", contrib("RotaryEmbedding", {x, i64({1}, {0}), iota({4, 0}), iota({4, 0})})},
      {"rank 2", contrib("RotaryEmbedding", {iota({2, 4}), i64({1}, {0}), iota({4, 2}), iota({4, 2})})},
      {"heads that do not divide",
       contrib("RotaryEmbedding", {x, i64({1}, {0}), iota({4, 2}), iota({4, 2})}, {attr("num_heads", 3)})},
  });
}
