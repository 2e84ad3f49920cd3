#pragma once
// Gradient of ai.onnx.preview.training: nodes that compute derivatives, in place of the node that asks for them.

#include "graph/graph.hpp"

namespace kinglet {

/// Replaces every Gradient node of the main graph by reverse-mode differentiation of the nodes between its `xs` and its
/// `y`, before operators are resolved. Differentiates arithmetic, powers, common functions of one number, MatMul of
/// matrices, sums and means, and what only moves elements; throws kUnsupportedOperator for other nodes, kModel for names
/// that are no values.
void expand_gradients(Graph& graph);

}  // namespace kinglet
