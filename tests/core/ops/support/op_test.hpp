#pragma once
// Runs one operator the way the executor does, and in every other way that its traits promise.
//
//   const auto y = run_op({.op = "Add", .inputs = {f32({2}, {1, 2}), f32({}, {3})}});
//   CHECK(difference(y[0], f32({2}, {4, 5})) == "");
//   CHECK(failure({.op = "Softmax", .attributes = {attr("axis", 7)}, .inputs = {f32({2}, {1, 2})}}) == ErrorCode::kShape);

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ops/support/test_attributes.hpp"
#include "ops/op.hpp"
#include "ops/support/test_tensors.hpp"

namespace kinglet::test {

/// The bodies of If and Loop, written in C++ by the test.
class Subgraphs : public ops::SubgraphInference {
 public:
  virtual std::vector<Tensor> run(size_t subgraph, std::span<const Tensor> formal_inputs) = 0;
};

struct OpCall {
  std::string op;
  int64_t opset = 21;
  std::vector<Attribute> attributes = {};
  std::vector<Tensor> inputs = {};  ///< an invalid Tensor is an absent input
  size_t outputs = 1;
  std::string domain = "";
  std::vector<bool> unwanted = {};  ///< outputs that nobody reads
  Subgraphs* subgraphs = nullptr;
  /// What the same operator may differ by when prepared or permuted (another kernel, another order of sums),
  /// relative to the greatest magnitude.
  double variant_tolerance = 1e-5;
};

/// Parses, infers, prepares and runs. Also checks that
/// - inference never fails nor contradicts the result when less is known (types, ranks, symbols, elements),
/// - the result is the same when constant inputs are prepared (and released), on two and three threads (where the
///   build has them), when an output lies on an input (kInPlace), when only shapes are given (kShapeOnly), when dims are permuted (kPermutable, permute).
/// A broken promise is a std::logic_error; an error of the operator is an Error.
std::vector<Tensor> run_op(const OpCall& call);

/// The code of the Error that run_op throws, or nothing when it succeeds.
std::optional<ErrorCode> failure(const OpCall& call);

}  // namespace kinglet::test
