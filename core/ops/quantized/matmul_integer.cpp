// MatMulInteger - (A - a_zero_point) * (B - b_zero_point) of 8 bit codes, as int32 (ONNX MatMulInteger 10).
// MatMulIntegerToFloat - the same times both scales, plus a bias (com.microsoft), and an activation that passes fuse in.
// DynamicQuantizeMatMul - a float A quantized by its own range first (com.microsoft).

#include "ops/epilogue.hpp"
#include "ops/in_f32.hpp"
#include "ops/matrix_product.hpp"
#include "ops/quantized/dynamic_quantization.hpp"
#include "ops/quantized/int8_matmul.hpp"

namespace kinglet::ops {
namespace {

using Output = kernels::Int8Epilogue::Output;

struct IntegerMatMul {
  kernels::Activation activation;  ///< of MatMulIntegerToFloat
  Int8Weights b;
};

IntegerMatMul parse(const NodeView&) { return {}; }
IntegerMatMul parse_to_float(const NodeView& n) { return {parse_activation(n), {}}; }

void prepare(IntegerMatMul& op, PrepareContext& c) { op.b.prepare(c, 1); }

void infer(const IntegerMatMul&, InferContext& c) {
  for (size_t i = 0; i < 4; ++i) check_input(c, i, kBytes);
  c.out(0, DType::kInt32, product_shape(c.shape(0), c.shape(1)));
}

void run(const IntegerMatMul& op, RunContext& c) {
  const Tensor& a = c.in(0);
  Int8Product product{.a = codes_of(a), .a_shape = a.shape(), .a_zeros = zeros_of(c, 2), .b_input = 1, .b_zeros = zeros_of(c, 3)};
  multiply_codes(c, op.b, product, c.out(0).data<int32_t>());
}

// ---- with scales: A, B, a_scale, b_scale, a_zero_point?, b_zero_point?, bias? ----

void infer_to_float(const IntegerMatMul&, InferContext& c) {
  for (const size_t i : {0, 1, 4, 5}) check_input(c, i, kBytes);
  check_input(c, 2, kFloats);
  check_input(c, 3, kFloats);
  check_input(c, 6, kFloats);
  c.out(0, c.dtype(2), product_shape(c.shape(0), c.shape(1)));
}

void run_to_float(const IntegerMatMul& op, RunContext& c) {
  const Tensor& a = c.in(0);
  Int8Product product{.a = codes_of(a), .a_shape = a.shape(), .a_zeros = zeros_of(c, 4), .b_input = 1, .b_zeros = zeros_of(c, 5)};
  product.a_scales = scales_of(c, 2);
  product.b_scales = scales_of(c, 3);
  product.addend = addend_of(c, 6, product_columns(c, op.b, 1));
  product.activation = op.activation;
  product.output = Output::kFloat;
  F32Output output(c, c.out(0));
  multiply_codes(c, op.b, product, output.data());
  output.store();
}

// ---- from float: A, B, b_scale, b_zero_point?, bias? ----

void infer_dynamic(const IntegerMatMul&, InferContext& c) {
  for (const size_t i : {0, 2, 4}) check_input(c, i, type_set(DType::kFloat32));
  check_input(c, 1, kBytes);
  check_input(c, 3, kBytes);
  c.out(0, DType::kFloat32, product_shape(c.shape(0), c.shape(1)));
}

void run_dynamic(const IntegerMatMul& op, RunContext& c) {
  const Tensor& a = c.in(0);
  const DynamicRange range = dynamic_range(a.data<float>(), a.count());
  uint8_t* codes = c.scratch<uint8_t>(a.count());
  quantize(range, a.data<float>(), a.count(), codes);
  const int32_t zero = range.zero;
  Int8Product product{.a = {codes, false}, .a_shape = a.shape(), .a_zeros = {&zero, 1}, .b_input = 1, .b_zeros = zeros_of(c, 3)};
  product.a_scales = {&range.scale, 1};
  product.b_scales = scales_of(c, 2);
  product.addend = addend_of(c, 4, product_columns(c, op.b, 1));
  product.output = Output::kFloat;
  multiply_codes(c, op.b, product, c.out(0).data<float>());
}

}  // namespace

KINGLET_OP(MatMulInteger, op<IntegerMatMul, parse, infer, run>(since(10)).with_prepare<IntegerMatMul, prepare>());
KINGLET_OP_IN(com_microsoft, "com.microsoft", MatMulIntegerToFloat,
              op<IntegerMatMul, parse_to_float, infer_to_float, run_to_float>(since(1)).with_prepare<IntegerMatMul, prepare>());
KINGLET_OP_IN(com_microsoft, "com.microsoft", DynamicQuantizeMatMul,
              op<IntegerMatMul, parse, infer_dynamic, run_dynamic>(since(1)).with_prepare<IntegerMatMul, prepare>());

}  // namespace kinglet::ops
