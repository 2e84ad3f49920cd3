#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

OpCall cast(const Tensor& x, DType to) {
  return {.op = "Cast", .attributes = {attr("to", static_cast<int64_t>(to))}, .inputs = {x}};
}

constexpr DType kAll[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16, DType::kInt8,
                          DType::kInt16,   DType::kInt32,   DType::kInt64,   DType::kUint8,    DType::kUint16,
                          DType::kUint32,  DType::kUint64,  DType::kBool};

TEST_CASE("Cast between every pair of types") {
  for (const DType from : kAll) {
    for (const DType to : kAll) {
      INFO(text("{} to {}", from, to));
      const bool truth = from == DType::kBool || to == DType::kBool;
      const Tensor x = make(from, {2, 2}, {0, 1, 2, 100});
      const Tensor want = make(to, {2, 2}, truth ? std::vector<double>{0, 1, 1, 1} : std::vector<double>{0, 1, 2, 100});
      CHECK(difference(run_op(cast(x, to))[0], want) == "");
      const OpCall like = {.op = "CastLike", .inputs = {x, make(to, {1}, {0})}};
      CHECK(difference(run_op(like)[0], want) == "");
    }
  }
}

TEST_CASE("Cast of more elements than a block") {
  std::vector<double> values;
  for (int i = 0; i < 1000; ++i) values.push_back(i % 120);
  for (const DType to : {DType::kInt8, DType::kFloat64, DType::kFloat16}) {
    CHECK(difference(run_op(cast(make(DType::kUint16, {1000}, values), to))[0], make(to, {1000}, values)) == "");
  }
}

TEST_CASE("Cast at the edges") {
  const float big = 1e20f;
  const Tensor wild = f32({5}, {kNaN, kInf, -kInf, big, -big});
  check_rows({
      {"float to int goes towards zero", cast(f32({4}, {1.9f, -1.9f, 0.5f, -0.5f}), DType::kInt32), i32({4}, {1, -1, 0, 0})},
      {"to int64", cast(wild, DType::kInt64), i64({5}, {0, INT64_MAX, INT64_MIN, INT64_MAX, INT64_MIN})},
      {"to int32", cast(wild, DType::kInt32), i32({5}, {0, INT32_MAX, INT32_MIN, INT32_MAX, INT32_MIN})},
      {"to uint64", cast(f32({3}, {kNaN, kInf, 3e9f}), DType::kUint64),
       Tensor::from<uint64_t>({3}, std::vector<uint64_t>{0, UINT64_MAX, 3000000000})},
      {"to uint32", cast(f32({3}, {kInf, 4e9f, -1}), DType::kUint32),
       Tensor::from<uint32_t>({3}, std::vector<uint32_t>{UINT32_MAX, 4000000000, UINT32_MAX})},
      {"uint64 above 2^63", cast(f64({1}, {0x1.8p63}), DType::kUint64), Tensor::from<uint64_t>({1}, std::vector<uint64_t>{3ull << 62})},
      {"negative float to uint8 wraps", cast(f32({2}, {-1, 257}), DType::kUint8), u8({2}, {255, 1})},
      {"ints keep their low bits", cast(i32({3}, {200, -129, 65536}), DType::kInt8), make(DType::kInt8, {3}, {-56, 127, 0})},
      {"int64 to uint32", cast(i64({1}, {-1}), DType::kUint32), Tensor::from<uint32_t>({1}, std::vector<uint32_t>{UINT32_MAX})},
      {"uint64 to float", cast(Tensor::scalar<uint64_t>(UINT64_MAX), DType::kFloat32), f32({}, {0x1p64f})},
      {"int64 to float rounds once", cast(i64({1}, {(int64_t{1} << 62) + (int64_t{1} << 38) + 1}), DType::kFloat32),
       f32({1}, {0x1.000002p62f})},
      {"bool of fractions and NaN", cast(f32({4}, {0.25f, kNaN, -0.0f, 0}), DType::kBool), boolean({4}, {true, true, false, false})},
      {"bool of int64 whose low byte is 0", cast(i64({2}, {256, 0}), DType::kBool), boolean({2}, {true, false})},
      {"float16 overflows to infinity", cast(f32({3}, {65519, 65520, -1e6f}), DType::kFloat16),
       make(DType::kFloat16, {3}, {65504, INFINITY, -INFINITY})},
      {"float to float16 ties to even", cast(f32({2}, {2049, 2051}), DType::kFloat16), make(DType::kFloat16, {2}, {2048, 2052})},
      {"saturate is accepted",
       {.op = "Cast", .attributes = {attr("to", 10), attr("saturate", 0)}, .inputs = {f32({1}, {2})}},
       make(DType::kFloat16, {1}, {2})},
      {"empty", cast(iota({0, 2}), DType::kInt64), i64({0, 2}, {})},
  });
}

TEST_CASE("float64 to half types rounds once, not by way of float32") {
  // 1 + 2^-11 is a tie between two float16; 2^-40 more decides it, and float32 would lose that.
  const double above = 1 + 0x1p-11 + 0x1p-40, below = 1 + 3 * 0x1p-11 - 0x1p-40;
  CHECK(difference(run_op(cast(f64({2}, {above, below}), DType::kFloat16))[0],
                   make(DType::kFloat16, {2}, {1 + 0x1p-10, 1 + 0x1p-10})) == "");
  CHECK(difference(run_op(cast(f64({1}, {1 + 0x1p-8 + 0x1p-40}), DType::kBFloat16))[0],
                   make(DType::kBFloat16, {1}, {1 + 0x1p-7})) == "");
}

TEST_CASE("Cast from strings") {
  const Tensor texts = strings({8}, {"1", "-2.5", "1e3", "+INF", "-inf", "NaN", "3.14", "0"});
  check_rows({
      {"float32", cast(texts, DType::kFloat32), f32({8}, {1, -2.5f, 1000, kInf, -kInf, kNaN, 3.14f, 0})},
      {"float64", cast(texts, DType::kFloat64), f64({8}, {1, -2.5, 1000, INFINITY, -INFINITY, NAN, 3.14, 0})},
      {"int64", cast(strings({4}, {"9223372036854775807", "-5", "100.5", "1e2"}), DType::kInt64),
       i64({4}, {INT64_MAX, -5, 100, 100})},
      {"uint64", cast(strings({1}, {"18446744073709551615"}), DType::kUint64), Tensor::from<uint64_t>({1}, std::vector<uint64_t>{UINT64_MAX})},
      {"bool", cast(strings({3}, {"1", "0", "0.5"}), DType::kBool), boolean({3}, {true, false, true})},
      {"strings", cast(texts, DType::kString), texts},
  });
  for (const char* bad : {"", "x", "1x", "1 2", "--1"}) {
    INFO(bad);
    CHECK(failure(cast(strings({1}, {bad}), DType::kFloat32)) == ErrorCode::kInvalidArgument);
    CHECK(failure(cast(strings({1}, {bad}), DType::kInt64)) == ErrorCode::kInvalidArgument);
  }
  CHECK(failure(cast(strings({1}, {std::string("1\0", 2)}), DType::kFloat32)) == ErrorCode::kInvalidArgument);
}

TEST_CASE("Cast to strings reads back as the same number") {
  check_rows({
      {"float32", cast(f32({7}, {0.1f, 100, -2.5f, 1e20f, 16777216, kInf, -kInf}), DType::kString),
       strings({7}, {"0.1", "100", "-2.5", "1e+20", "16777216", "INF", "-INF"})},
      {"float32, nine digits", cast(f32({1}, {0.47892547f}), DType::kString), strings({1}, {"0.47892547"})},
      {"float64", cast(f64({2}, {0.1, 1.0 / 3}), DType::kString), strings({2}, {"0.1", "0.3333333333333333"})},
      {"NaN", cast(f32({1}, {kNaN}), DType::kString), strings({1}, {"NaN"})},
      {"int64", cast(i64({2}, {INT64_MIN, 7}), DType::kString), strings({2}, {"-9223372036854775808", "7"})},
      {"uint64", cast(Tensor::scalar<uint64_t>(UINT64_MAX), DType::kString), strings({}, {"18446744073709551615"})},
      {"bool", cast(boolean({2}, {true, false}), DType::kString), strings({2}, {"1", "0"})},
  });
}

TEST_CASE("Cast refuses unknown types") {
  const Tensor x = iota({1});
  const auto to = [&](int64_t n) { return OpCall{.op = "Cast", .attributes = {attr("to", n)}, .inputs = {x}}; };
  check_failures({
      {"0", to(0), ErrorCode::kModel},
      {"complex64", to(14), ErrorCode::kModel},
      {"999", to(999), ErrorCode::kModel},
      {"-1", to(-1), ErrorCode::kModel},
      {"no attribute", {.op = "Cast", .inputs = {x}}, ErrorCode::kModel},
  });
}

}  // namespace
}  // namespace kinglet::test
