// BiasGelu and FastGelu of com.microsoft - Gelu, exact or by tanh, of x and an optional bias, one value for
// each position of the last axis.

#include <algorithm>

#include "kernels/activation.hpp"
#include "kernels/elementwise.hpp"
#include "ops/elementwise.hpp"
#include "ops/in_f32.hpp"

namespace kinglet::ops {
namespace {

struct BiasGelu {
  kernels::Activation::Kind kind;
};

BiasGelu parse(const NodeView& n) {
  return {n.op_type() == "FastGelu" ? kernels::Activation::Kind::kGeluTanh
                                    : kernels::Activation::Kind::kGelu};
}

void infer(const BiasGelu&, InferContext& c) { c.out(0, common_type(c, 0, c.inputs(), kFloats), c.shape(0)); }

void run(const BiasGelu& op, RunContext& c) {
  const Tensor& x = c.in(0);
  const float* const from = as_f32(c, x);
  F32Output out(c, c.out(0));
  if (c.has(1)) {
    const auto columns = static_cast<size_t>(x.rank() == 0 ? 1 : x.shape().back());
    c.require(c.in(1).count() == columns, "expected a bias of {}, got {}", columns, c.in(1).shape());
    if (x.count() != 0)
      kernels::binary_row(kernels::Binary::kAdd, from, as_f32(c, c.in(1)), out.data(), x.count() / columns,
                          columns);
    kernels::apply({op.kind}, out.data(), x.count());
  } else {
    kernels::apply({op.kind}, from, out.data(), x.count());
  }
  out.store();
}

constexpr OpDef kBiasGelu = op<BiasGelu, parse, infer, run>(since(1));

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", BiasGelu, kBiasGelu);
KINGLET_OP_IN(com_microsoft, "com.microsoft", FastGelu, kBiasGelu);

}  // namespace kinglet::ops
