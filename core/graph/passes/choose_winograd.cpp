// Conv and FusedConv of 3x3 filters -> the same with the attribute `winograd`: it goes by minimal filtering, which multiplies less and rounds
// more (core/kernels/winograd.hpp).

#include "graph/inference.hpp"
#include "graph/passes/passes.hpp"
#include "kernels/winograd.hpp"
#include "ops/conv_shape.hpp"

namespace kinglet::passes {
namespace {

bool is_convolution(const Node& node) {
  return node.domain.empty() ? node.op_type == "Conv" : node.domain == "com.microsoft" && node.op_type == "FusedConv";
}

}  // namespace

bool choose_winograd(Graph& graph) {
  for (Node& node : graph.nodes) {
    if (!is_convolution(node) || !graph.is_constant(node.inputs[1])) continue;
    const Shape& weights = graph.value(node.inputs[1]).constant.shape();
    if (weights.rank() != 4) continue;
    const ops::NodeView view(node);
    const ops::Spatial spatial = ops::with_kernel(ops::parse_spatial(view), 2, weights.dims().subspan(2));
    if (!kernels::prefers_winograd(ops::conv_shape_for_packing(spatial, view.attr_int("group", 1), weights))) continue;
    node.set_int("winograd", 1);
    parse_node(node);
  }
  return false;
}

}  // namespace kinglet::passes
