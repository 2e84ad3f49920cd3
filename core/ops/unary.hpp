#pragma once
// Functions of one number: an operator is a row of loops, one per wide type, and up to two parameters.

#include "kernels/activation.hpp"
#include "ops/elementwise.hpp"

namespace kinglet::ops {

struct Unary;

/// f over float64, with the operator's parameters.
using UnaryFunction = double (*)(double x, const Unary& op);
/// f over int64, or uint64 in the same bits when `is_unsigned`.
using IntegerFunction = int64_t (*)(int64_t x, bool is_unsigned);
using Float32Kernel = void (*)(const float* x, float* y, size_t n);

struct Unary {
  UnaryFunction f = nullptr;
  Float32Kernel f32 = nullptr;          ///< for float32 and the half types, where set
  kernels::Activation activation = {};   ///< the same, where not kNone
  IntegerFunction integers = nullptr;   ///< null: integers are not accepted
  bool integers_by_f = false;           ///< integers are accepted and computed by `f`
  double alpha = 0, beta = 0;
};

void infer(const Unary& op, InferContext& c);
void run(const Unary& op, RunContext& c);

template <Unary (*parse)(const NodeView&)>
constexpr OpDef unary(int64_t first_opset) {
  return op<Unary, parse, infer, run>(since(first_opset)).with_traits(kInPlace | kPermutable);
}

}  // namespace kinglet::ops
