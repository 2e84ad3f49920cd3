#pragma once
// Gradient of ai.onnx.preview.training: nodes that compute derivatives, in place of the node that asks for them.

#include "graph/graph.hpp"

namespace kinglet {

/// Replaces every Gradient node of the main graph by reverse-mode differentiation of the nodes between its `xs` and its
/// `y`, before operators are resolved; a derivative by what has no influence is 0, and that of a tensor `y` is the sum of
/// its elements' derivatives. Where gradient_rules.cpp has no rule for an operator on the way, a node "Gradient of X" is
/// left for resolve_operators() to report. MatMul of a vector needs its rank to be known at load. Throws kModel for names
/// that are no values, and what resolve_operators() and infer_shapes() throw.
void expand_gradients(Graph& graph);

/// That function, or null in a build of some operators without Gradient. cmake/OpRegistry.cmake defines it.
extern void (*const kExpandGradients)(Graph& graph);

}  // namespace kinglet
