// QAttention of com.microsoft - Attention whose input and weights are 8 bit codes.

#include "ops/quantized/int8_matmul.hpp"
#include "ops/transformer/projected_attention.hpp"

namespace kinglet::ops {
namespace {

enum Input : size_t { kInput, kWeights, kBias, kScale, kWeightScale, kMask, kZero, kWeightZero, kPast };

struct QAttention : ProjectedAttention {
  Int8Weights weights;
};

QAttention parse(const NodeView& n) { return {parse_projected_attention(n), {}}; }

void infer(const QAttention& op, InferContext& c) {
  for (const size_t i : {kInput, kWeights, kZero, kWeightZero}) check_input(c, i, kBytes);
  for (const size_t i : {kBias, kScale, kWeightScale, kPast}) check_input(c, i, kFloats & ~type_set(DType::kFloat64));
  infer_projected_attention(op, c, c.dtype(kScale), kPast);
}

void prepare(QAttention& op, PrepareContext& c) { op.weights.prepare(c, kWeights); }

void run(const QAttention& op, RunContext& c) {
  const Tensor& x = c.in(kInput);
  const size_t width = product_columns(c, op.weights, kWeights), rows = x.shape().count(0, 2);
  const float scale = scale_of(c, kScale);
  const int32_t zero = zero_of(c, kZero);
  float* const projected = c.scratch<float>(rows, width);
  Int8Product product{.a = codes_of(x), .a_shape = x.shape(), .a_zeros = {&zero, 1}, .b_input = kWeights, .b_zeros = zeros_of(c, kWeightZero)};
  product.a_scales = {&scale, 1};
  product.b_scales = scales_of(c, kWeightScale);
  product.addend = addend_of(c, kBias, width);
  product.output = kernels::Int8Epilogue::Output::kFloat;
  multiply_codes(c, op.weights, product, projected);
  const auto optional = [&](size_t i) { return c.has(i) ? &c.in(i) : nullptr; };
  attend_projected(op, c, x.shape(), projected, width, optional(kMask), optional(kPast), nullptr);
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", QAttention,
              op<QAttention, parse, infer, run>(since(1)).with_prepare<QAttention, prepare>());

}  // namespace kinglet::ops
