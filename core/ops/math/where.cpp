// Where: elements of one input or the other by a condition, with broadcasting of all three.

#include "ops/broadcast.hpp"
#include "ops/elementwise.hpp"

namespace kinglet::ops {
namespace {

struct Where {};
Where parse(const NodeView&) { return {}; }

void infer(const Where&, InferContext& c) {
  check_type(c.dtype(0), kBools);
  c.out(0, common_type(c, 1, 3, ~TypeSet{0}), broadcast_inputs(c));
}

void run(const Where&, RunContext& c) {
  const Tensor &condition = c.in(0), &a = c.in(1), &b = c.in(2);
  Tensor& y = c.out(0);
  const bool* chosen = condition.data<bool>();
  dispatch_width(y.dtype(), [&]<class T>() {
    const T* p = reinterpret_cast<const T*>(a.raw());
    const T* q = reinterpret_cast<const T*>(b.raw());
    T* out = reinterpret_cast<T*>(y.raw());
    for (Broadcast walk(y.shape(), {&condition.shape(), &a.shape(), &b.shape()}); walk.more(); walk.next()) {
      for (size_t i = 0; i < walk.run; ++i) {
        out[walk.out_offset + i] = chosen[walk.offset[0] + i * walk.step[0]] ? p[walk.offset[1] + i * walk.step[1]]
                                                                             : q[walk.offset[2] + i * walk.step[2]];
      }
    }
  });
}

}  // namespace

KINGLET_OP(Where, op<Where, parse, infer, run>(since(9)).with_traits(kInPlace | kPermutable));

}  // namespace kinglet::ops
