// GatedAdd of com.microsoft - x + y * gate, a gate a row.

#include "kernels/elementwise.hpp"
#include "ops/elementwise.hpp"
#include "ops/in_f32.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct GatedAdd {};
GatedAdd parse(const NodeView&) { return {}; }

void infer(const GatedAdd&, InferContext& c) {
  const DType type = common_type(c, 0, 3, kFloats & ~type_set(DType::kFloat64));
  const SymShape &x = c.shape(0), &y = c.shape(1), &gate = c.shape(2);
  if (x.has_rank() && y.has_rank() && gate.has_rank()) {
    c.require(x.rank() > 0 && y.rank() == x.rank() && gate.rank() == x.rank(), "{}, {} and a gate {} do not go together", x, y, gate);
    for (size_t i = 0; i < x.rank(); ++i) {
      unify(x[i], y[i]);
      unify(gate[i], i + 1 < x.rank() ? x[i] : Dim(1));
    }
  }
  c.out(0, type, x);
}

void run(const GatedAdd&, RunContext& c) {
  const Shape& shape = c.in(0).shape();
  if (shape.count() == 0) return;
  const auto columns = static_cast<size_t>(shape.back());
  const float *const x = as_f32(c, c.in(0)), *const y = as_f32(c, c.in(1)), *const gate = as_f32(c, c.in(2));
  F32Output out(c, c.out(0));
  float* const product = c.scratch<float>(columns);
  for (size_t at = 0; at < shape.count(); at += columns) {
    kernels::binary_scalar(kernels::Binary::kMul, y + at, gate[at / columns], product, columns);
    kernels::binary(kernels::Binary::kAdd, x + at, product, out.data() + at, columns);
  }
  out.store();
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", GatedAdd, op<GatedAdd, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
