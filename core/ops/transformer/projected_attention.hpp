#pragma once
// What Attention and QAttention of com.microsoft share: self-attention of rows that hold queries, keys and values side
// by side.

#include <optional>

#include "ops/op.hpp"

namespace kinglet::ops {

struct ProjectedAttention {
  int64_t heads;
  std::optional<float> scale;
  float hidden;  ///< what a padding mask adds to the scores of the keys it hides
  bool is_causal;
  std::vector<int64_t> sizes;  ///< of all queries, keys and values of a row; empty: thirds
};

ProjectedAttention parse_projected_attention(const NodeView& n);

/// Of input 0 [batch, rows, depth] and weights [depth, width]: the result and, as output 1, the cache.
void infer_projected_attention(const ProjectedAttention& op, InferContext& c, DType type, size_t past_input);

/// Outputs 0 and 1 from the projection [batch, rows, width] of an input of shape `x`. The tensors may be null.
void attend_projected(const ProjectedAttention& op, RunContext& c, const Shape& x, const float* projected, size_t width,
                      const Tensor* mask, const Tensor* past, const Tensor* bias);

}  // namespace kinglet::ops
