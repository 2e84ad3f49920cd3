#pragma once
// The masks of com.microsoft's Attention and MultiHeadAttention.

#include "ops/transformer/attention_core.hpp"

namespace kinglet::ops {

/// Gives a float32 call its mask: an attention bias that broadcasts to [batch, heads, queries, keys] (may be
/// null), plus `hidden` wherever the int32 padding mask (may be null) says so. That is 0 for hidden keys, as
/// [batch, keys] or [batch, queries, keys]; or where each batch's keys end, [batch], or end and begin, [2 *
/// batch].
void set_mask(RunContext& c, AttentionCall& call, const Tensor* padding, float hidden, const Tensor* bias);

}  // namespace kinglet::ops
