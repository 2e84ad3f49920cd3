// QLinearAdd and QLinearMul - a sum or product of codes with scales, as codes, with broadcasting (com.microsoft).
// Inputs: A, A_scale, A_zero_point?, B, B_scale, B_zero_point?, C_scale, C_zero_point?

#include "kernels/quantize.hpp"
#include "ops/broadcast.hpp"
#include "ops/quantized/quantization.hpp"

namespace kinglet::ops {
namespace {

struct QBinary {
  bool multiplies;
};

QBinary parse(const NodeView& n) { return {n.op_type() == "QLinearMul"}; }

void infer(const QBinary&, InferContext& c) {
  for (const size_t i : {0, 2, 3, 5, 7}) check_input(c, i, kBytes);
  for (const size_t i : {1, 4, 6}) check_input(c, i, kFloats);
  const DType a = c.dtype(0), b = c.dtype(3);
  c.require(a == DType::kUndefined || b == DType::kUndefined || a == b, "inputs have different types: {} and {}", a, b);
  c.out(0, a, broadcast(c.shape(0), c.shape(3)));
}

/// A run of codes, a repeated one written out.
const std::byte* codes_at(const Tensor& t, size_t offset, size_t step, size_t n, std::byte* repeated) {
  if (step != 0) return t.raw() + offset;
  std::fill_n(repeated, n, t.raw()[offset]);
  return repeated;
}

void run(const QBinary& op, RunContext& c) {
  const Tensor &a = c.in(0), &b = c.in(3);
  Tensor& y = c.out(0);
  const float a_scale = scale_of(c, 1), b_scale = scale_of(c, 4), y_scale = scale_of(c, 6);
  const int32_t a_zero = zero_of(c, 2), b_zero = zero_of(c, 5), y_zero = zero_of(c, 7);
  kernels::CodeArithmetic arithmetic{.is_signed = is_signed_byte(y.dtype()), .multiplies = op.multiplies, .a_zero = a_zero,
                                     .b_zero = b_zero, .offset = static_cast<float>(y_zero)};
  if (op.multiplies) {
    arithmetic.a_factor = a_scale * b_scale / y_scale;
  } else {
    arithmetic.a_factor = a_scale / y_scale;
    arithmetic.b_factor = b_scale / y_scale;
    arithmetic.offset -= arithmetic.a_factor * static_cast<float>(a_zero) + arithmetic.b_factor * static_cast<float>(b_zero);
  }
  std::byte repeated_a[kBlock], repeated_b[kBlock];
  for (Broadcast walk(y.shape(), {&a.shape(), &b.shape()}); walk.more(); walk.next()) {
    const bool whole = walk.step[0] != 0 && walk.step[1] != 0;
    const size_t at_once = whole ? std::max<size_t>(walk.run, 1) : kBlock;
    for (size_t start = 0; start < walk.run; start += at_once) {
      const size_t n = std::min(at_once, walk.run - start);
      kernels::code_arithmetic(arithmetic, codes_at(a, walk.offset[0] + start * walk.step[0], walk.step[0], n, repeated_a),
                               codes_at(b, walk.offset[1] + start * walk.step[1], walk.step[1], n, repeated_b),
                               y.raw() + walk.out_offset + start, n);
    }
  }
}

constexpr OpDef kQBinary = op<QBinary, parse, infer, run>(since(1)).with_traits(kPermutable);

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", QLinearAdd, kQBinary);
KINGLET_OP_IN(com_microsoft, "com.microsoft", QLinearMul, kQBinary);

}  // namespace kinglet::ops
