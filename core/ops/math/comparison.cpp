// Equal, Greater, Less, GreaterOrEqual and LessOrEqual with broadcasting: bool results. A NaN is equal to nothing.

#include "ops/broadcast.hpp"
#include "ops/elementwise.hpp"
#include "ops/legacy.hpp"

namespace kinglet::ops {
namespace {

struct EqualFunction {
  template <class T>
  static bool of(T a, T b) { return a == b; }
};

struct LessFunction {
  template <class T>
  static bool of(T a, T b) { return a < b; }
};

struct LessOrEqualFunction {
  template <class T>
  static bool of(T a, T b) { return a <= b; }
};

template <class F>
constexpr BinaryLoops kLoops = {binary_loop<F, float>,    binary_loop<F, double>, binary_loop<F, int64_t>,
                                binary_loop<F, uint64_t>, {},                     true};

void equal_strings(const Tensor& a, const Tensor& b, Tensor& y) {
  const std::string* p = a.data<std::string>();
  const std::string* q = b.data<std::string>();
  for (Broadcast walk(y.shape(), {&a.shape(), &b.shape()}); walk.more(); walk.next()) {
    for (size_t i = 0; i < walk.run; ++i) {
      y.data<bool>()[walk.out_offset + i] =
          p[walk.offset[0] + i * walk.step[0]] == q[walk.offset[1] + i * walk.step[1]];
    }
  }
}

struct Comparison {
  LegacyBroadcast broadcast;
};
Comparison parse(const NodeView& n) { return {LegacyBroadcast::of(n)}; }

template <TypeSet allowed>
void infer(const Comparison& op, InferContext& c) {
  common_type(c, 0, 2, allowed);
  c.out(0, DType::kBool, op.broadcast.infer(c));
}

/// a > b is b < a, which is right for NaN too.
template <class F, bool swapped>
void run(const Comparison& op, RunContext& c) {
  const Tensor& a = c.in(0);
  const Tensor b = op.broadcast.operand(c);
  if (a.dtype() == DType::kString) return equal_strings(a, b, c.out(0));
  apply_binary(kLoops<F>, swapped ? b : a, swapped ? a : b, c.out(0));
}

template <class F, bool swapped, TypeSet allowed = kNumbers>
constexpr OpDef comparison(int64_t first_opset) {
  return op<Comparison, parse, infer<allowed>, run<F, swapped>>(since(first_opset)).with_traits(kPermutable);
}

}  // namespace

KINGLET_OP(Equal, comparison<EqualFunction, false, kNumbers | kBools | kStrings>(1));
KINGLET_OP(Less, comparison<LessFunction, false>(1));
KINGLET_OP(Greater, comparison<LessFunction, true>(1));
KINGLET_OP(LessOrEqual, comparison<LessOrEqualFunction, false>(12));
KINGLET_OP(GreaterOrEqual, comparison<LessOrEqualFunction, true>(12));

}  // namespace kinglet::ops
