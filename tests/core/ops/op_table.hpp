#pragma once
// Table tests of operators: a labelled row is a call and what its first output must be.

#include <catch2/catch_amalgamated.hpp>

#include "ops/op_test.hpp"

namespace kinglet::test {

struct OpRow {
  std::string label;
  OpCall call;
  Tensor want;
  double tolerance = 0;
};

inline void check(const std::vector<OpRow>& rows) {
  for (const OpRow& row : rows) {
    INFO(row.label);
    CHECK(difference(run_op(row.call)[0], row.want, row.tolerance) == "");
  }
}

struct FailureRow {
  std::string label;
  OpCall call;
  ErrorCode want;
};

inline void check_failures(const std::vector<FailureRow>& rows) {
  for (const FailureRow& row : rows) {
    INFO(row.label);
    CHECK(failure(row.call) == row.want);
  }
}

inline constexpr DType kFloatDTypes[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16};
inline constexpr DType kSignedDTypes[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16,
                                          DType::kInt8,    DType::kInt16,   DType::kInt32,   DType::kInt64};
inline constexpr DType kNumberDTypes[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16,
                                          DType::kInt8,    DType::kInt16,   DType::kInt32,   DType::kInt64,
                                          DType::kUint8,   DType::kUint16,  DType::kUint32,  DType::kUint64};

inline constexpr float kInf = std::numeric_limits<float>::infinity();
inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

}  // namespace kinglet::test
