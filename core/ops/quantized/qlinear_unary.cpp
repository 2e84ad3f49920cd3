// QLinearSigmoid and QLinearLeakyRelu - a function of codes with scales, as codes (com.microsoft).
// Inputs: X, X_scale, X_zero_point?, Y_scale, Y_zero_point?

#include "ops/quantized/code_table.hpp"

namespace kinglet::ops {
namespace {

struct QUnary {
  bool sigmoid;
  float alpha;
};

QUnary parse(const NodeView& n) { return {n.op_type() == "QLinearSigmoid", n.attr_float("alpha", 0.01f)}; }

void infer(const QUnary&, InferContext& c) {
  for (const size_t i : {0, 2, 4}) check_input(c, i, kBytes);
  for (const size_t i : {1, 3}) check_input(c, i, kFloats);
  c.out(0, c.dtype(0), c.shape(0));
}

void run(const QUnary& op, RunContext& c) {
  const Tensor& x = c.in(0);
  const CodeTable table(code_scale(c, 1, x.dtype()), code_scale(c, 3, x.dtype()), [&](float v) {
    return op.sigmoid ? 1 / (1 + std::exp(-v)) : v < 0 ? v * op.alpha : v;
  });
  table.apply(x.raw(), c.out(0).raw(), x.count());
}

constexpr OpDef kQUnary = op<QUnary, parse, infer, run>(since(1)).with_traits(kPermutable | kInPlace);

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", QLinearSigmoid, kQUnary);
KINGLET_OP_IN(com_microsoft, "com.microsoft", QLinearLeakyRelu, kQUnary);

}  // namespace kinglet::ops
