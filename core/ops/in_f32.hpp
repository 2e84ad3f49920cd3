#pragma once
// float16 and bfloat16 computed in f32: inputs widened into scratch, outputs rounded once at the end.

#include "ops/op.hpp"

namespace kinglet::ops {

/// The elements of t as f32: its own when it is float32, else a converted copy in scratch. Throws kModel when t is not
/// of a numeric type.
const float* as_f32(RunContext& c, const Tensor& t);

/// The elements of a constant as f32, for packing.
class F32Constant {
 public:
  explicit F32Constant(const Tensor& t);
  const float* data() const { return data_; }

 private:
  Block copy_;
  const float* data_;
};

/// Where to write f32 results for `out`: its own memory or scratch that store() rounds into it.
class F32Output {
 public:
  F32Output(RunContext& c, Tensor& out);
  float* data() { return data_; }
  void store();

 private:
  Tensor& out_;
  float* data_;
};

}  // namespace kinglet::ops
