#include "graph/passes/passes.hpp"

#include <algorithm>

#include "graph/inference.hpp"

namespace kinglet {
namespace {

// cmake/OpRegistry.cmake reads this table, a line for a pass: a build of some operators alone has a pass, and what it makes,
// where it has one of the operators that it starts from.
constexpr Pass kPasses[] = {
    {.name = "fold_constants", .run = passes::fold_constants},
    {.name = "widen_float16", .run = passes::widen_float16, .needs = {"Cast"}},
    {.name = "remove_identities", .run = passes::remove_identities, .keeps_shapes = true},
    {.name = "remove_dead_nodes", .run = passes::remove_dead_nodes, .keeps_shapes = true},
    {.name = "align_legacy_operands", .run = passes::align_legacy_operands, .from = {"Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Greater", "Less", "PRelu"}},
    {.name = "fuse_gated_activations", .run = passes::fuse_gated_activations, .from = {"Mul"}, .makes = {"Swish", "HardSwish"}, .keeps_shapes = true},
    {.name = "fuse_gelu", .run = passes::fuse_gelu, .from = {"Erf"}, .makes = {"Gelu"}, .keeps_shapes = true},
    {.name = "fuse_layer_normalization", .run = passes::fuse_layer_normalization, .from = {"ReduceMean"}, .makes = {"LayerNormalization"}, .keeps_shapes = true},
    {.name = "move_codes", .run = passes::move_codes, .from = {"QuantizeLinear"}, .makes = {"Clip"}},
    {.name = "fuse_qdq_products", .run = passes::fuse_qdq_products, .from = {"QuantizeLinear"}, .makes = {"QLinearConv", "QLinearMatMul", "com.microsoft.QGemm", "com.microsoft.MatMulIntegerToFloat"}},
    {.name = "fuse_qdq_elementwise", .run = passes::fuse_qdq_elementwise, .from = {"QuantizeLinear"}, .makes = {"com.microsoft.QLinearAdd", "com.microsoft.QLinearMul", "com.microsoft.QLinearAveragePool", "com.microsoft.QLinearGlobalAveragePool", "com.microsoft.QLinearSoftmax", "com.microsoft.QLinearSigmoid", "com.microsoft.QLinearLeakyRelu", "com.microsoft.QLinearConcat"}},
    {.name = "remove_dead_nodes", .run = passes::remove_dead_nodes, .keeps_shapes = true},
    {.name = "dequantize_constants", .run = passes::dequantize_constants, .from = {"DequantizeLinear"}},
    {.name = "fold_constants", .run = passes::fold_constants},
    {.name = "fold_affine_into_conv", .run = passes::fold_affine_into_conv, .from = {"Conv", "ConvTranspose"}, .keeps_shapes = true},
    {.name = "fuse_integer_matmul", .run = passes::fuse_integer_matmul, .from = {"MatMulInteger"}, .makes = {"com.microsoft.MatMulIntegerToFloat"}, .keeps_shapes = true},
    {.name = "fuse_attention", .run = passes::fuse_attention, .from = {"MatMul"}, .makes = {"Attention", "Add"}},
    {.name = "fuse_matmul_bias", .run = passes::fuse_matmul_bias, .from = {"MatMul", "com.microsoft.MatMulIntegerToFloat"}, .keeps_shapes = true},
    {.name = "remove_dead_nodes", .run = passes::remove_dead_nodes, .keeps_shapes = true},
    {.name = "axes_to_attribute", .run = passes::axes_to_attribute, .from = {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"}, .keeps_shapes = true},
    {.name = "channels_last", .run = passes::channels_last, .makes = {"Transpose"}},
    {.name = "merge_transposes", .run = passes::merge_transposes, .keeps_shapes = true},
    {.name = "fuse_activation", .run = passes::fuse_activation, .keeps_shapes = true},
    {.name = "fold_affine_into_activation", .run = passes::fold_affine_into_activation, .from = {"HardSwish"}, .keeps_shapes = true},
    {.name = "fold_constants", .run = passes::fold_constants},
    {.name = "remove_dead_nodes", .run = passes::remove_dead_nodes, .keeps_shapes = true},
    {.name = "choose_winograd", .run = passes::choose_winograd, .from = {"Conv", "com.microsoft.FusedConv"}, .keeps_shapes = true},
    {.name = "choose_strassen", .run = passes::choose_strassen, .from = {"MatMul", "Gemm", "Conv", "com.microsoft.FusedConv", "com.microsoft.FusedGemm"}, .keeps_shapes = true},
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

const ops::OpDef* find(std::string_view op) {
  const size_t dot = op.rfind('.');
  return dot == op.npos ? ops::find_op("", op) : ops::find_op(op.substr(0, dot), op.substr(dot + 1));
}

/// The operators that graphs and their subgraphs have had, each once: what was fused into another still is a place to start.
class Operators {
 public:
  void add(const Graph& graph) {
    for (const Node& node : graph.nodes) {
      if (node.def != nullptr && std::find(found_.begin(), found_.end(), node.def) == found_.end()) found_.push_back(node.def);
      for (const auto& body : node.subgraphs) add(*body);
    }
  }

  bool has_any(std::span<const char* const> names) const {
    return std::any_of(names.begin(), names.end(), [&](const char* name) {
      return name != nullptr && std::find(found_.begin(), found_.end(), find(name)) != found_.end();
    });
  }

 private:
  std::vector<const ops::OpDef*> found_;
};

bool has_what_it_makes(const Pass& pass) {
  const auto is_there = [](const char* op) { return op == nullptr || find(op) != nullptr; };
  return std::all_of(std::begin(pass.makes), std::end(pass.makes), is_there) &&
         std::all_of(std::begin(pass.needs), std::end(pass.needs), is_there);
}

}  // namespace

void optimize(Graph& graph, std::span<const std::string> without) {
  for (const std::string& name : without) {
    if (std::none_of(std::begin(kPasses), std::end(kPasses), [&](const Pass& pass) { return pass.name == name; })) {
      throw_error(ErrorCode::kInvalidArgument, "there is no pass '{}'", name);
    }
  }
  Operators operators;
  operators.add(graph);
  for (const Pass& pass : kPasses) {
    if (std::find(without.begin(), without.end(), pass.name) != without.end()) continue;
    if (pass.from[0] != nullptr && !operators.has_any(pass.from)) continue;
    if (!has_what_it_makes(pass) || !run_with_subgraphs(pass, graph)) continue;
    if (!pass.keeps_shapes) infer_shapes(graph);
    operators.add(graph);
  }
}

bool has_one_use(const Graph& graph, std::span<const uint32_t> use_counts, ValueId id) {
  return use_counts[static_cast<size_t>(id)] == 1 && !graph.is_output(id);
}

}  // namespace kinglet
