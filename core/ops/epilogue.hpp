#pragma once
// Activations fused into an operator, in the words of com.microsoft FusedConv: attributes `activation` (an ONNX operator's
// name) and `activation_params`.

#include "kernels/activation.hpp"
#include "ops/op.hpp"

namespace kinglet::ops {

/// The fused activation of a node, none when it has no `activation`. Throws kModel for an unknown name.
kernels::Activation parse_activation(const NodeView& n);

/// The activation that a kernel knows under this name with these parameters (missing ones get the ONNX defaults), or
/// nothing.
std::optional<kernels::Activation> activation_named(std::string_view name, std::span<const float> params);

}  // namespace kinglet::ops
