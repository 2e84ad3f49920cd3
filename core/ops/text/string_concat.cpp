// StringConcat (20): strings joined element by element, with broadcasting.

#include "ops/broadcast.hpp"
#include "ops/elementwise.hpp"

namespace kinglet::ops {
namespace {

struct StringConcat {};

StringConcat parse(const NodeView&) { return {}; }

void infer(const StringConcat&, InferContext& c) {
  c.in(1);
  infer_broadcast(c, kStrings);
}

void run(const StringConcat&, RunContext& c) {
  const auto *x = c.in(0).data<std::string>(), *y = c.in(1).data<std::string>();
  Tensor& out = c.out(0);
  for (Broadcast b(out.shape(), {&c.in(0).shape(), &c.in(1).shape()}); b.more(); b.next()) {
    for (size_t i = 0; i < b.run; ++i) {
      std::string& to = out.data<std::string>()[b.out_offset + i];
      to = x[b.offset[0] + i * b.step[0]];
      to += y[b.offset[1] + i * b.step[1]];
    }
  }
}

}  // namespace

KINGLET_OP(StringConcat, op<StringConcat, parse, infer, run>(since(20)));

}  // namespace kinglet::ops
