// And, Or, Xor, Not over bool, and their bitwise cousins over integers.

#include "ops/elementwise.hpp"
#include "ops/legacy.hpp"

namespace kinglet::ops {
namespace {

struct AndFunction {
  static uint64_t of(uint64_t a, uint64_t b) { return a & b; }
};

struct OrFunction {
  static uint64_t of(uint64_t a, uint64_t b) { return a | b; }
};

struct XorFunction {
  static uint64_t of(uint64_t a, uint64_t b) { return a ^ b; }
};

template <class F>
constexpr BinaryLoops kLoops = {nullptr, nullptr, binary_loop<F, uint64_t>, binary_loop<F, uint64_t>};

struct Logic {
  LegacyBroadcast broadcast;
};
Logic parse(const NodeView& n) { return {LegacyBroadcast::of(n)}; }

template <TypeSet allowed>
void infer(const Logic& op, InferContext& c) {
  const DType type = common_type(c, 0, 2, allowed);
  c.out(0, allowed == kBools ? DType::kBool : type, op.broadcast.infer(c));
}

template <class F>
void run(const Logic& op, RunContext& c) {
  apply_binary(kLoops<F>, c.in(0), op.broadcast.operand(c), c.out(0));
}

template <class F, TypeSet allowed>
constexpr OpDef logic(int64_t first_opset) {
  return op<Logic, parse, infer<allowed>, run<F>>(since(first_opset)).with_traits(kInPlace | kPermutable);
}

/// The bits that Not turns: one of a bool, all of an integer.
template <TypeSet allowed>
void infer_not(const Logic&, InferContext& c) {
  infer_unary(c, allowed);
  if (allowed == kBools) c.out(0, DType::kBool, c.shape(0));
}

template <uint64_t mask>
void run_not(const Logic&, RunContext& c) {
  const UnaryLoop loop = [](const void*, const void* x, void* y, size_t n) {
    for (size_t i = 0; i < n; ++i) static_cast<uint64_t*>(y)[i] = static_cast<const uint64_t*>(x)[i] ^ mask;
  };
  apply_unary(loop, nullptr, c.in(0), c.out(0));
}

template <uint64_t mask, TypeSet allowed>
constexpr OpDef negation(int64_t first_opset) {
  return op<Logic, parse, infer_not<allowed>, run_not<mask>>(since(first_opset)).with_traits(kInPlace | kPermutable);
}

}  // namespace

KINGLET_OP(And, logic<AndFunction, kBools>(1));
KINGLET_OP(Or, logic<OrFunction, kBools>(1));
KINGLET_OP(Xor, logic<XorFunction, kBools>(1));
KINGLET_OP(Not, negation<1, kBools>(1));
KINGLET_OP(BitwiseAnd, logic<AndFunction, kIntegers>(18));
KINGLET_OP(BitwiseOr, logic<OrFunction, kIntegers>(18));
KINGLET_OP(BitwiseXor, logic<XorFunction, kIntegers>(18));
KINGLET_OP(BitwiseNot, negation<UINT64_MAX, kIntegers>(18));

}  // namespace kinglet::ops
