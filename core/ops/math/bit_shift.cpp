// BitShift (ONNX 11, 28) with broadcasting. Shifts by as many bits as the type has, or more, or by a negative
// number, leave nothing but copies of the sign.

#include "ops/elementwise.hpp"

namespace kinglet::ops {
namespace {

struct BitShift {
  bool left;
};

BitShift parse(const NodeView& n) {
  const std::string direction = n.attr_string("direction");
  if (direction != "LEFT" && direction != "RIGHT")
    throw_error(ErrorCode::kModel, "direction '{}' is not known", direction);
  return {direction == "LEFT"};
}

void infer(const BitShift&, InferContext& c) { infer_broadcast(c, kIntegers); }

/// Of wide elements: narrower results keep the low bits. A negative count is a large one without its sign.
struct Left {
  static uint64_t of(uint64_t x, uint64_t count) { return count < 64 ? x << count : 0; }
};

struct Right {
  static uint64_t of(uint64_t x, uint64_t count) { return count < 64 ? x >> count : 0; }
  static int64_t of(int64_t x, int64_t count) { return x >> (count >= 0 && count < 64 ? count : 63); }
};

constexpr BinaryLoop kLeft = binary_loop<Left, uint64_t>;
constexpr BinaryLoops kLeftLoops = {nullptr, nullptr, kLeft, kLeft};
constexpr BinaryLoops kRightLoops = {nullptr, nullptr, binary_loop<Right, int64_t>,
                                     binary_loop<Right, uint64_t>};

void run(const BitShift& op, RunContext& c) {
  apply_binary(op.left ? kLeftLoops : kRightLoops, c.in(0), c.in(1), c.out(0));
}

}  // namespace

KINGLET_OP(BitShift, op<BitShift, parse, infer, run>(since(11)).with_traits(kInPlace | kPermutable));

}  // namespace kinglet::ops
