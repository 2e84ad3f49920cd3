#include "graph/passes/passes.hpp"

#include <algorithm>

#include "graph/inference.hpp"

namespace kinglet {
namespace {

// cmake/OpRegistry.cmake reads this table: a build of some operators alone has a pass, and what it makes, where it has
// one of the operators after "from", or where that is missing.
constexpr Pass kPasses[] = {
    {"fold_constants", passes::fold_constants},
    {"remove_identities", passes::remove_identities, {}, true},
    {"remove_dead_nodes", passes::remove_dead_nodes, {}, true},
    {"align_legacy_operands", passes::align_legacy_operands},  // from Add Sub Mul Div Pow And Or Xor Equal Greater Less PRelu
    {"fuse_gated_activations", passes::fuse_gated_activations, {"Swish", "HardSwish"}},  // from Mul
    {"fuse_gelu", passes::fuse_gelu, {"Gelu"}},                                          // from Erf
    {"fuse_layer_normalization", passes::fuse_layer_normalization, {"LayerNormalization"}},  // from ReduceMean
    {"move_codes", passes::move_codes, {"Clip"}},  // from QuantizeLinear
    {"fuse_qdq_products", passes::fuse_qdq_products, {"QLinearConv", "QLinearMatMul", "com.microsoft.QGemm", "com.microsoft.MatMulIntegerToFloat"}},  // from QuantizeLinear
    {"fuse_qdq_elementwise", passes::fuse_qdq_elementwise, {"com.microsoft.QLinearAdd", "com.microsoft.QLinearMul", "com.microsoft.QLinearAveragePool", "com.microsoft.QLinearGlobalAveragePool", "com.microsoft.QLinearSoftmax", "com.microsoft.QLinearSigmoid", "com.microsoft.QLinearLeakyRelu", "com.microsoft.QLinearConcat"}},  // from QuantizeLinear
    {"remove_dead_nodes", passes::remove_dead_nodes, {}, true},
    {"dequantize_constants", passes::dequantize_constants},  // from DequantizeLinear
    {"fold_constants", passes::fold_constants},
    {"fold_affine_into_conv", passes::fold_affine_into_conv},  // from Conv ConvTranspose
    {"fuse_integer_matmul", passes::fuse_integer_matmul, {"com.microsoft.MatMulIntegerToFloat"}},  // from MatMulInteger
    {"fuse_attention", passes::fuse_attention, {"Attention", "Add"}},                       // from MatMul
    {"fuse_matmul_bias", passes::fuse_matmul_bias},  // from MatMul
    {"remove_dead_nodes", passes::remove_dead_nodes, {}, true},
    {"axes_to_attribute", passes::axes_to_attribute},  // from ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare
    {"channels_last", passes::channels_last, {"Transpose"}},
    {"merge_transposes", passes::merge_transposes},
    {"fuse_residual", passes::fuse_residual},  // from Add
    {"fuse_activation", passes::fuse_activation},
    {"fold_affine_into_activation", passes::fold_affine_into_activation},  // from HardSwish
    {"fold_constants", passes::fold_constants},
    {"remove_dead_nodes", passes::remove_dead_nodes, {}, true},
    {"choose_winograd", passes::choose_winograd},  // from Conv com.microsoft.FusedConv
    {"choose_strassen", passes::choose_strassen},  // from MatMul Gemm Conv com.microsoft.FusedConv com.microsoft.FusedGemm
};

}  // namespace

std::span<const Pass> all_passes() { return kPasses; }

namespace {

bool run_with_subgraphs(const Pass& pass, Graph& graph) {
  bool changed = pass.run(graph);
  for (const Node& node : graph.nodes) {
    for (const auto& body : node.subgraphs) changed = run_with_subgraphs(pass, *body) || changed;
  }
  return changed;
}

bool is_there(std::string_view op) {
  const size_t dot = op.rfind('.');
  return dot == op.npos ? ops::find_op("", op) != nullptr : ops::find_op(op.substr(0, dot), op.substr(dot + 1)) != nullptr;
}

bool has_what_it_makes(const Pass& pass) {
  return std::all_of(std::begin(pass.makes), std::end(pass.makes), [](const char* op) { return op == nullptr || is_there(op); });
}

}  // namespace

void optimize(Graph& graph, std::span<const std::string> without) {
  for (const std::string& name : without) {
    if (std::none_of(std::begin(kPasses), std::end(kPasses), [&](const Pass& pass) { return pass.name == name; })) {
      throw_error(ErrorCode::kInvalidArgument, "there is no pass '{}'", name);
    }
  }
  for (const Pass& pass : kPasses) {
    if (std::find(without.begin(), without.end(), pass.name) != without.end()) continue;
    if (has_what_it_makes(pass) && run_with_subgraphs(pass, graph) && !pass.only_removes) infer_shapes(graph);
  }
}

bool has_one_use(const Graph& graph, std::span<const uint32_t> use_counts, ValueId id) {
  return use_counts[static_cast<size_t>(id)] == 1 && !graph.is_output(id);
}

}  // namespace kinglet
