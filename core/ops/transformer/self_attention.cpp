// Attention of com.microsoft - self-attention with the projection of queries, keys and values, padding masks,
// and a cache of keys and values in one tensor.

#include "ops/elementwise.hpp"
#include "ops/in_f32.hpp"
#include "ops/packed_matrix.hpp"
#include "ops/transformer/projected_attention.hpp"

namespace kinglet::ops {
namespace {

enum Input : size_t { kInput, kWeights, kBias, kMask, kPast, kAttentionBias, kPastLength };

struct SelfAttention : ProjectedAttention {
  PackedMatrix constant;  // of the weights
};

SelfAttention parse(const NodeView& n) {
  if (n.has_input(kPastLength)) throw_error(ErrorCode::kModel, "input past_sequence_length is not supported");
  return {parse_projected_attention(n), {}};
}

void infer(const SelfAttention& op, InferContext& c) {
  const TypeSet types = kFloats & ~type_set(DType::kFloat64);
  for (const size_t i : {kInput, kWeights, kBias, kPast, kAttentionBias}) {
    if (c.has(i)) check_type(c.dtype(i), types);
  }
  infer_projected_attention(op, c, c.dtype(kInput), kPast);
}

void prepare(SelfAttention& op, PrepareContext& c) {
  const Tensor* w = c.constant(kWeights);
  if (w != nullptr && w->rank() == 2) op.constant = PackedMatrix(c, kWeights);
}

void run(const SelfAttention& op, RunContext& c) {
  const Tensor& x = c.in(kInput);
  const auto depth = static_cast<size_t>(x.dim(2));
  const size_t width = op.constant ? op.constant.n() : static_cast<size_t>(c.in(kWeights).dim(1));
  c.require(!c.has(kBias) || c.in(kBias).count() == width, "expected a bias of {}, got {}", width,
            c.has(kBias) ? c.in(kBias).shape() : Shape());
  const size_t rows = x.shape().count(0, 2);
  float* const projected = c.scratch<float>(rows, width);
  const kernels::Epilogue epilogue{.bias = c.has(kBias) ? as_f32(c, c.in(kBias)) : nullptr};
  const auto lda = static_cast<ptrdiff_t>(depth), ldy = static_cast<ptrdiff_t>(width);
  if (op.constant) {
    op.constant.multiply(c, rows, as_f32(c, x), lda, projected, ldy, epilogue, false);
  } else {
    float* const fresh = c.scratch<float>(kernels::packed_b_size(depth, width));
    kernels::pack_b(fresh, depth, width, as_f32(c, c.in(kWeights)), ldy, 1);
    Product(c, rows, width, depth, false)(as_f32(c, x), lda, fresh, projected, ldy, epilogue);
  }
  const auto optional = [&](size_t i) { return c.has(i) ? &c.in(i) : nullptr; };
  attend_projected(op, c, x.shape(), projected, width, optional(kMask), optional(kPast), optional(kAttentionBias));
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", Attention,
              op<SelfAttention, parse, infer, run>(since(1)).with_prepare<SelfAttention, prepare>());

}  // namespace kinglet::ops
