#pragma once
// What operators with subgraphs do with their results.

#include "ops/op.hpp"

namespace kinglet::ops {

/// Output i becomes a subgraph's result, copied where the subgraph's next run would overwrite it.
inline void pass_on(const RunContext& c, size_t i, const Tensor& result) {
  if (!c.wants(i)) return;
  if (is_container(result.dtype())) return c.give(i, result);
  c.out(i, result.dtype(), result.shape()).copy_from(result);
}

/// Stacks results of one shape along a new axis of output i, the last first when `backwards`.
/// Throws kShape when their shapes differ.
void stack(const RunContext& c, size_t i, std::span<const Tensor> parts, size_t axis, bool backwards);

}  // namespace kinglet::ops
