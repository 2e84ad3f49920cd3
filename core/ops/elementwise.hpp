#pragma once
// What elementwise operators share: type checks, shape inference, and drivers that bring any element type and any
// broadcasting down to a loop over one of the four wide types (see convert.hpp).

#include "kernels/elementwise.hpp"
#include "ops/convert.hpp"
#include "ops/op.hpp"

namespace kinglet::ops {

/// A set of element types.
using TypeSet = uint32_t;
constexpr TypeSet type_set(DType type) { return TypeSet{1} << static_cast<unsigned>(type); }
inline constexpr TypeSet kFloats = type_set(DType::kFloat32) | type_set(DType::kFloat64) | type_set(DType::kFloat16) |
                                   type_set(DType::kBFloat16);
inline constexpr TypeSet kIntegers = type_set(DType::kInt8) | type_set(DType::kInt16) | type_set(DType::kInt32) |
                                     type_set(DType::kInt64) | type_set(DType::kUint8) | type_set(DType::kUint16) |
                                     type_set(DType::kUint32) | type_set(DType::kUint64);
inline constexpr TypeSet kNumbers = kFloats | kIntegers;
inline constexpr TypeSet kBools = type_set(DType::kBool);
inline constexpr TypeSet kStrings = type_set(DType::kString);

/// Throws kModel when the type is known and not of the set.
void check_type(DType type, TypeSet allowed);

/// The type that inputs [first, last) share, or kUndefined when none is known; throws kModel when two differ or one
/// is not of the set.
DType common_type(const InferContext& c, size_t first, size_t last, TypeSet allowed);

/// The broadcast of the shapes of all inputs.
SymShape broadcast_inputs(const InferContext& c);

/// Output 0 is input 0's type and shape.
void infer_unary(InferContext& c, TypeSet allowed);

/// Output 0 is the broadcast of all inputs, of their type.
void infer_broadcast(InferContext& c, TypeSet allowed);

/// y[i] = f(a[i * step_a], b[i * step_b]) over wide elements; a step is 0 or 1. y may be a or b.
using BinaryLoop = void (*)(const void* a, const void* b, void* y, size_t n, size_t step_a, size_t step_b);

/// The loops of an operator of two operands. `kernel`, where set, stands in for `f32`. A loop with bool results writes
/// uint8_t and is told so by `to_bool`.
struct BinaryLoops {
  BinaryLoop f32 = nullptr, f64 = nullptr, i64 = nullptr, u64 = nullptr;
  std::optional<kernels::Binary> kernel = {};
  bool to_bool = false;
};

/// A loop from a function object type with a static template `R of(T, T)`.
template <class F, class T>
void binary_loop(const void* a, const void* b, void* y, size_t n, size_t step_a, size_t step_b) {
  const T* p = static_cast<const T*>(a);
  const T* q = static_cast<const T*>(b);
  using R = decltype(F::of(*p, *q));
  using Out = std::conditional_t<std::is_same_v<R, bool>, uint8_t, T>;
  for (size_t i = 0; i < n; ++i, p += step_a, q += step_b) static_cast<Out*>(y)[i] = static_cast<Out>(F::of(*p, *q));
}

/// y = f(a, b) by broadcasting: y's shape is given, a and b have one type.
void apply_binary(const BinaryLoops& loops, const Tensor& a, const Tensor& b, Tensor& y);

/// y[i] = f(x[i]) over wide elements, n <= kBlock; y may be x. `params` is the operator's own.
using UnaryLoop = void (*)(const void* params, const void* x, void* y, size_t n);

/// y = f(x) for tensors of one type and count, in blocks; y may be x.
void apply_unary(UnaryLoop loop, const void* params, const Tensor& x, Tensor& y);

}  // namespace kinglet::ops
