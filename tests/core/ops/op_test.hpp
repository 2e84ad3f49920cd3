#pragma once
// Runs one operator the way the executor does, and in every other way that its traits promise.
//
//   const auto y = run_op({.op = "Add", .inputs = {f32({2}, {1, 2}), f32({}, {3})}});
//   CHECK(difference(y[0], f32({2}, {4, 5})) == "");
//   CHECK(failure({.op = "Softmax", .attributes = {attr("axis", 7)}, .inputs = {f32({2}, {1, 2})}}) == ErrorCode::kShape);

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ops/op.hpp"

namespace kinglet::test {

/// Tensors from a list of values, row-major; `make` rounds the values to any numeric type.
Tensor make(DType dtype, const Shape& shape, const std::vector<double>& values);
Tensor f32(const Shape& shape, std::initializer_list<float> values);
Tensor f64(const Shape& shape, std::initializer_list<double> values);
Tensor i32(const Shape& shape, std::initializer_list<int32_t> values);
Tensor i64(const Shape& shape, std::initializer_list<int64_t> values);
Tensor u8(const Shape& shape, std::initializer_list<uint8_t> values);
Tensor boolean(const Shape& shape, std::initializer_list<bool> values);
Tensor strings(const Shape& shape, std::initializer_list<std::string> values);
/// float32 values first, first + step, ...
Tensor iota(const Shape& shape, float first = 0, float step = 1);

/// Attributes.
Attribute attr(std::string_view name, int64_t value);
inline Attribute attr(std::string_view name, int value) { return attr(name, int64_t{value}); }
Attribute attr(std::string_view name, float value);
Attribute attr(std::string_view name, const char* value);
Attribute attr(std::string_view name, Tensor value);
Attribute attr_ints(std::string_view name, std::vector<int64_t> value);
Attribute attr_floats(std::string_view name, std::vector<float> value);
Attribute attr_strings(std::string_view name, std::vector<std::string> value);
/// A subgraph attribute: its index in OpCall::subgraphs.
Attribute attr_graph(std::string_view name, size_t index);

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

/// "" when type, shape and elements agree, else what differs first. Numbers may differ by
/// tolerance * max(1, |want|); NaN agrees with NaN.
std::string difference(const Tensor& got, const Tensor& want, double tolerance = 0);

/// The elements of a numeric or bool tensor as doubles (int64 beyond 2^53 loses bits).
std::vector<double> to_doubles(const Tensor& t);

}  // namespace kinglet::test
