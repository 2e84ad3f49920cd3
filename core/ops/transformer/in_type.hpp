#pragma once
// Inputs and outputs of any type for code that computes in float32 and, where the model asks for it, in
// float64.

#include "ops/op.hpp"

namespace kinglet::ops {

/// In which an operator computes whose main input is of `type`.
inline DType computing_type(DType type) {
  return type == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32;
}

/// `count` elements of `type` (float32 or float64) until run() returns.
void* scratch_of(RunContext& c, DType type, size_t count);

/// The elements of t in `type` (float32 or float64): its own, or a copy in scratch.
const void* as_type(RunContext& c, const Tensor& t, DType type);
/// The same, repeated to fill `dims`, to which t's shape must broadcast; throws kShape when it does not.
const void* spread(RunContext& c, const Tensor& t, const Shape& dims, DType type);

/// Where to write results of `type` for `out`: its own memory or scratch that store() rounds into it.
class TypedOutput {
 public:
  TypedOutput(RunContext& c, Tensor& out, DType type);
  void* data() { return data_; }
  void store();

 private:
  Tensor& out_;
  DType type_;
  void* data_;
};

}  // namespace kinglet::ops
