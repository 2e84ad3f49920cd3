#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

TEST_CASE("comparisons of every number type") {
  for (const DType t : kNumberDTypes) {
    const Tensor a = make(t, {3}, {1, 2, 3}), b = make(t, {3}, {2, 2, 2});
    INFO(dtype_name(t));
    check_rows({
        {"Equal", {.op = "Equal", .inputs = {a, b}}, boolean({3}, {false, true, false})},
        {"Less", {.op = "Less", .inputs = {a, b}}, boolean({3}, {true, false, false})},
        {"LessOrEqual", {.op = "LessOrEqual", .inputs = {a, b}}, boolean({3}, {true, true, false})},
        {"Greater", {.op = "Greater", .inputs = {a, b}}, boolean({3}, {false, false, true})},
        {"GreaterOrEqual", {.op = "GreaterOrEqual", .inputs = {a, b}}, boolean({3}, {false, true, true})},
        {"scalar", {.op = "Less", .inputs = {make(t, {}, {2}), a}}, boolean({3}, {false, false, true})},
    });
  }
}

TEST_CASE("comparisons with NaN, signs and strings") {
  const Tensor nan = f32({1}, {kNaN}), one = f32({1}, {1});
  check_rows({
      {"NaN = NaN", {.op = "Equal", .inputs = {nan, nan}}, boolean({1}, {false})},
      {"NaN <= 1", {.op = "LessOrEqual", .inputs = {nan, one}}, boolean({1}, {false})},
      {"NaN >= 1", {.op = "GreaterOrEqual", .inputs = {nan, one}}, boolean({1}, {false})},
      {"-0 = 0", {.op = "Equal", .inputs = {f32({1}, {-0.0f}), f32({1}, {0})}}, boolean({1}, {true})},
      {"int8 -1 < 1", {.op = "Less", .inputs = {make(DType::kInt8, {1}, {-1}), make(DType::kInt8, {1}, {1})}},
       boolean({1}, {true})},
      {"uint8 255 > 1", {.op = "Greater", .inputs = {u8({1}, {255}), u8({1}, {1})}}, boolean({1}, {true})},
      {"bools", {.op = "Equal", .inputs = {boolean({2}, {true, false}), boolean({}, {true})}}, boolean({2}, {true, false})},
      {"strings", {.op = "Equal", .inputs = {strings({2, 1}, {"a", "b"}), strings({2}, {"a", ""})}},
       boolean({2, 2}, {true, false, false, false})},
      {"int64 beyond 2^53", {.op = "Equal", .inputs = {i64({1}, {INT64_MAX}), i64({1}, {INT64_MAX - 1})}},
       boolean({1}, {false})},
  });
}

TEST_CASE("logic and bits") {
  const Tensor a = boolean({2, 1}, {false, true}), b = boolean({2}, {false, true});
  check_rows({
      {"And", {.op = "And", .inputs = {a, b}}, boolean({2, 2}, {false, false, false, true})},
      {"Or", {.op = "Or", .inputs = {a, b}}, boolean({2, 2}, {false, true, true, true})},
      {"Xor", {.op = "Xor", .inputs = {a, b}}, boolean({2, 2}, {false, true, true, false})},
      {"Not", {.op = "Not", .inputs = {a}}, boolean({2, 1}, {true, false})},
      {"BitwiseAnd", {.op = "BitwiseAnd", .inputs = {u8({2}, {12, 255}), u8({}, {10})}}, u8({2}, {8, 10})},
      {"BitwiseOr", {.op = "BitwiseOr", .inputs = {i32({1}, {-8}), i32({1}, {3})}}, i32({1}, {-5})},
      {"BitwiseXor", {.op = "BitwiseXor", .inputs = {i64({1}, {6}), i64({1}, {3})}}, i64({1}, {5})},
      {"BitwiseNot", {.op = "BitwiseNot", .inputs = {u8({2}, {0, 170})}}, u8({2}, {255, 85})},
      {"BitwiseNot signed", {.op = "BitwiseNot", .inputs = {i32({2}, {0, -1})}}, i32({2}, {-1, 0})},
  });
  check_failures({
      {"And of numbers", {.op = "And", .inputs = {u8({1}, {1}), u8({1}, {1})}}, ErrorCode::kModel},
      {"Not of numbers", {.op = "Not", .inputs = {iota({1})}}, ErrorCode::kModel},
      {"bits of floats", {.op = "BitwiseAnd", .inputs = {iota({1}), iota({1})}}, ErrorCode::kModel},
      {"Less of strings", {.op = "Less", .inputs = {strings({1}, {"a"}), strings({1}, {"b"})}}, ErrorCode::kModel},
      {"Less of bools", {.op = "Less", .inputs = {boolean({1}, {true}), boolean({1}, {true})}}, ErrorCode::kModel},
  });
}

TEST_CASE("Where, for every element width") {
  const Tensor condition = boolean({2, 1}, {true, false});
  for (const DType t : kNumberDTypes) {
    INFO(dtype_name(t));
    check_rows({{"broadcast", {.op = "Where", .inputs = {condition, make(t, {2}, {1, 2}), make(t, {}, {9})}},
            make(t, {2, 2}, {1, 2, 9, 9})}});
  }
  check_rows({
      {"strings", {.op = "Where", .inputs = {condition, strings({2}, {"a", "b"}), strings({1}, {"-"})}},
       strings({2, 2}, {"a", "b", "-", "-"})},
      {"bools", {.op = "Where", .inputs = {condition, boolean({1}, {false}), boolean({2}, {true, false})}},
       boolean({2, 2}, {false, false, true, false})},
      {"all of one shape", {.op = "Where", .inputs = {boolean({2, 2}, {true, false, false, true}), iota({2, 2}), iota({2, 2}, 10)}},
       f32({2, 2}, {0, 11, 12, 3})},
      {"empty", {.op = "Where", .inputs = {condition, iota({2, 0}), f32({}, {9})}}, iota({2, 0})},
  });
  check_failures({
      {"condition is no bool", {.op = "Where", .inputs = {u8({1}, {1}), iota({1}), iota({1})}}, ErrorCode::kModel},
      {"types", {.op = "Where", .inputs = {condition, iota({1}), i64({1}, {1})}}, ErrorCode::kModel},
      {"shapes", {.op = "Where", .inputs = {condition, iota({3}), iota({4})}}, ErrorCode::kShape},
  });
}

TEST_CASE("IsNaN and IsInf") {
  for (const DType t : kFloatDTypes) {
    const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    const Tensor x = make(t, {4}, {1, nan, inf, -inf});
    INFO(dtype_name(t));
    check_rows({
        {"IsNaN", {.op = "IsNaN", .inputs = {x}}, boolean({4}, {false, true, false, false})},
        {"IsInf", {.op = "IsInf", .inputs = {x}}, boolean({4}, {false, false, true, true})},
        {"positive only", {.op = "IsInf", .attributes = {attr("detect_negative", 0)}, .inputs = {x}},
         boolean({4}, {false, false, true, false})},
        {"negative only", {.op = "IsInf", .attributes = {attr("detect_positive", 0)}, .inputs = {x}},
         boolean({4}, {false, false, false, true})},
    });
  }
}

}  // namespace
}  // namespace kinglet::test
