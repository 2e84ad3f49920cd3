#pragma once
// Running one node on known inputs, outside of any session: constant folding and shape arithmetic.

#include "graph/graph.hpp"
#include "ops/op.hpp"

namespace kinglet {

/// Can this node be computed now, when its inputs are these? Not when it is random, has subgraphs, or (unless it
/// reads shapes only) an input's elements are not known.
bool can_evaluate(const Node& node, std::span<const ops::ValueInfo* const> inputs);

/// Computes the node's outputs, as tensors of their own but for what a Constant has written. `inferred` is what infer_node() said; outputs that it could
/// not size are sized by the run.
std::vector<Tensor> evaluate(const Node& node, std::span<const ops::ValueInfo* const> inputs,
                             std::span<const ops::ValueInfo> inferred);

}  // namespace kinglet
