#pragma once
// Tables of operator calls: what each gives, or how it fails.

#include <catch2/catch_amalgamated.hpp>

#include "ops/support/op_test.hpp"

namespace kinglet::test {

/// All outputs of a call: one Tensor, or a list in which an invalid Tensor is an output that nobody reads.
struct Outputs : std::vector<Tensor> {
  Outputs(Tensor only) : vector{std::move(only)} {}
  Outputs(std::initializer_list<Tensor> all) : vector(all) {}
  Outputs(std::vector<Tensor> all) : vector(std::move(all)) {}
};

struct Row {
  std::string label;
  OpCall call;
  Outputs want;
  double tolerance = 0;
};

inline void check_rows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    INFO(row.label);
    const std::vector<Tensor> got = run_op(row.call);
    REQUIRE(got.size() == row.want.size());
    for (size_t i = 0; i < got.size(); ++i) {
      REQUIRE(got[i].valid() == row.want[i].valid());
      if (got[i].valid()) CHECK(difference(got[i], row.want[i], row.tolerance) == "");
    }
  }
}

struct BadRow {
  std::string label;
  OpCall call;
  ErrorCode code = ErrorCode::kShape;
  std::string message = "";  ///< a part of the message, such as the index and its bound
};

inline void check_failures(const std::vector<BadRow>& rows) {
  for (const BadRow& row : rows) {
    INFO(row.label);
    try {
      run_op(row.call);
      FAIL_CHECK("did not fail");
    } catch (const Error& e) {
      INFO(e.message);
      CHECK(e.code == row.code);
      CHECK(e.message.find(row.message) != std::string::npos);
    }
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
