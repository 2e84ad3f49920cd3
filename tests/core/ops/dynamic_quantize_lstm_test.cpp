// DynamicQuantizeLSTM of com.microsoft: close to an LSTM of the same weights as floats, and what it refuses. That its
// results are those of ONNX Runtime is tested in tests/models.

#include "ops/support/codes.hpp"
#include "ops/support/conv_reference.hpp"
#include "ops/support/rows.hpp"

using namespace kinglet;
using namespace kinglet::test;

namespace {

constexpr int64_t kSeq = 5, kBatch = 3, kInput = 4, kHidden = 6, kGates = 4 * kHidden;

struct Options {
  std::string direction = "forward";
  DType type = DType::kInt8;
  bool by_column = false, extras = false;
};

int64_t directions_of(const Options& o) { return o.direction == "bidirectional" ? 2 : 1; }

OpCall call_of(const Options& o) {
  const int64_t d = directions_of(o);
  const Shape scale_shape = o.by_column ? Shape{d, kGates} : Shape{d};
  std::vector<double> scales;
  for (size_t i = 0; i < scale_shape.count(); ++i) scales.push_back(0.002 + 0.001 * static_cast<double>(i % 3));
  const Tensor scale = make(DType::kFloat32, scale_shape, scales);
  const double zero_code = o.type == DType::kInt8 ? 0 : 120;
  const Tensor zero = make(o.type, scale_shape, std::vector<double>(scale_shape.count(), zero_code));
  OpCall call{.op = "DynamicQuantizeLSTM",
              .opset = 1,
              .attributes = {attr("hidden_size", kHidden), attr("direction", o.direction.c_str())},
              .inputs = {numbers(DType::kFloat32, {kSeq, kBatch, kInput}, 1), spread(o.type, {d, kInput, kGates}, 37),
                         spread(o.type, {d, kHidden, kGates}, 59)},
              .outputs = 3,
              .domain = "com.microsoft"};
  call.inputs.resize(8);
  if (o.extras) {
    call.inputs[3] = numbers(DType::kFloat32, {d, 2 * kGates}, 4);
    call.inputs[4] = i32({kBatch}, {5, 2, 4});
    call.inputs[5] = numbers(DType::kFloat32, {d, kBatch, kHidden}, 5);
    call.inputs[6] = numbers(DType::kFloat32, {d, kBatch, kHidden}, 6);
    call.inputs[7] = numbers(DType::kFloat32, {d, 3 * kHidden}, 7);
  }
  for (int i = 0; i < 2; ++i) call.inputs.push_back(scale), call.inputs.push_back(zero);
  return call;
}

/// The weights as LSTM takes them: floats [directions, gates, inputs].
Tensor as_floats(const Tensor& codes, const Tensor& scale, const Tensor& zero) {
  const std::vector<double> from = to_doubles(codes), scales = to_doubles(scale), zeros = to_doubles(zero);
  const auto d = static_cast<size_t>(codes.dim(0)), k = static_cast<size_t>(codes.dim(1)), n = static_cast<size_t>(kGates);
  std::vector<double> to(from.size());
  for (size_t at = 0; at < from.size(); ++at) {
    const size_t column = at % n, row = at / n % k, direction = at / n / k;
    const size_t which = scales.size() == d ? direction : direction * n + column;
    to[(direction * n + column) * k + row] = (from[at] - zeros[which]) * scales[which];
  }
  return make(DType::kFloat32, {codes.dim(0), codes.dim(2), codes.dim(1)}, to);
}

}  // namespace

TEST_CASE("DynamicQuantizeLSTM is close to an LSTM of floats", "[op]") {
  for (const std::string direction : {"forward", "reverse", "bidirectional"}) {
    for (const DType type : {DType::kInt8, DType::kUint8}) {
      for (const bool by_column : {false, true}) {
        for (const bool extras : {false, true}) {
          INFO(direction << (by_column ? ", by column" : "") << (extras ? ", all inputs" : ""));
          const OpCall call = call_of({direction, type, by_column, extras});
          OpCall exact = call;
          exact.op = "LSTM", exact.domain = "", exact.opset = 14;
          exact.inputs.resize(8);
          exact.inputs[1] = as_floats(call.inputs[1], call.inputs[8], call.inputs[9]);
          exact.inputs[2] = as_floats(call.inputs[2], call.inputs[10], call.inputs[11]);
          const std::vector<Tensor> got = run_op(call), want = run_op(exact);
          for (size_t i = 0; i < 3; ++i) CHECK(difference(got[i], want[i], 0.03) == "");
        }
      }
    }
  }
}

TEST_CASE("DynamicQuantizeLSTM of nothing", "[op]") {
  OpCall call = call_of({});
  call.inputs[0] = numbers(DType::kFloat32, {0, kBatch, kInput}, 1);
  CHECK(run_op(call)[0].shape() == Shape{0, 1, kBatch, kHidden});
  call.inputs[0] = numbers(DType::kFloat32, {kSeq, 0, kInput}, 1);
  CHECK(run_op(call)[0].shape() == Shape{kSeq, 1, 0, kHidden});
}

TEST_CASE("what DynamicQuantizeLSTM refuses", "[op]") {
  const auto with = [](size_t input, Tensor value) {
    OpCall call = call_of({.extras = true});
    call.inputs[input] = std::move(value);
    return call;
  };
  OpCall other_size = call_of({}), no_scale = call_of({});
  other_size.attributes[0] = attr("hidden_size", kHidden + 1);
  no_scale.inputs[8] = Tensor();
  check_failures({
      {"W of floats", with(1, numbers(DType::kFloat32, {1, kInput, kGates}, 2)), ErrorCode::kModel},
      {"W of other inputs", with(1, spread(DType::kInt8, {1, kInput + 1, kGates}, 3)), ErrorCode::kShape, "expected weights"},
      {"W the other way round", with(1, spread(DType::kInt8, {1, kGates, kInput}, 3)), ErrorCode::kShape, "expected weights"},
      {"W of rank 2", with(1, spread(DType::kInt8, {kInput, kGates}, 3)), ErrorCode::kShape, "expected weights"},
      {"R of rank 2", with(2, spread(DType::kInt8, {kHidden, kGates}, 3)), ErrorCode::kShape, "rank 3"},
      {"R of another size", with(2, spread(DType::kInt8, {1, kHidden - 1, kGates}, 3)), ErrorCode::kShape, "expected weights"},
      {"hidden_size of other weights", other_size, ErrorCode::kShape, "expected weights"},
      {"scales", with(8, numbers(DType::kFloat32, {5}, 3)), ErrorCode::kShape, "5 scales"},
      {"no scales", with(10, numbers(DType::kFloat32, {0}, 3)), ErrorCode::kShape, "empty"},
      {"zero points", with(11, spread(DType::kInt8, {7}, 3)), ErrorCode::kShape, "7 scales"},
      {"an absent scale", no_scale, ErrorCode::kModel},
      {"bias", with(3, numbers(DType::kFloat32, {1, kGates}, 3)), ErrorCode::kShape, "B"},
      {"lengths", with(4, i32({2}, {1, 2})), ErrorCode::kShape, "sequence_lens"},
      {"X of float16", with(0, numbers(DType::kFloat16, {kSeq, kBatch, kInput}, 1)), ErrorCode::kModel},
  });
}
