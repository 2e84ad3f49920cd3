// Conv, MatMul and Gemm between DequantizeLinear and QuantizeLinear -> QLinearConv, QLinearMatMul and QGemm:
//
//   DequantizeLinear(x), DequantizeLinear(w), b -> Conv -> Relu -> QuantizeLinear    becomes    x, w -> QLinearConv
//
// A MatMul of two dequantized matrices whose result stays float becomes MatMulIntegerToFloat.

#include "graph/inference.hpp"
#include "graph/passes/passes.hpp"
#include "graph/passes/qdq.hpp"

namespace kinglet::passes {
namespace {

float float_attribute(const Node& node, std::string_view name, float otherwise) {
  const Attribute* a = node.find(name);
  return a != nullptr ? a->f : otherwise;
}

bool fits_channels(const Graph& graph, const WeightCodes& w, size_t channels) {
  const auto fits = [&](ValueId id) {
    const size_t count = id == kNoValue ? 1 : graph.value(id).constant.count();
    return count == 1 || count == channels;
  };
  return fits(w.scale) && fits(w.zero);
}

/// The zero points of weights as a value that is there.
ValueId weight_zero(Graph& graph, const WeightCodes& w) {
  if (w.zero != kNoValue) return w.zero;
  return zero_value(graph, {graph.value(w.codes).dtype, w.scale, kNoValue});
}

bool fuse_conv(Graph& graph, const Neighbours& near, const QuantizedOutput& y) {
  Node& conv = *y.op;
  if (conv.own_inputs < 2 || conv.own_inputs > 3 || conv.find("activation") != nullptr) return false;
  const std::optional<CodesOf> x = dequantized(graph, near, conv.inputs[0]);
  const std::optional<WeightCodes> w = dequantized_weights(graph, near, conv.inputs[1], 0);
  if (!x || !w || graph.value(w->codes).constant.rank() < 3) return false;
  const auto channels = static_cast<size_t>(graph.value(w->codes).constant.dim(0));
  if (!fits_channels(graph, *w, channels)) return false;
  std::vector<ValueId> inputs = {x->codes, x->scale, zero_value(graph, *x), w->codes, w->scale, weight_zero(graph, *w),
                                 y.scale, zero_value(graph, y)};
  if (conv.own_inputs == 3 && conv.inputs[2] != kNoValue) {
    const std::optional<ValueId> bias = bias_codes(graph, near, conv.inputs[2], scale_number(graph, *x), w->scale, channels);
    if (!bias) return false;
    inputs.push_back(*bias);
  }
  retarget(conv, "", "QLinearConv", std::move(inputs));
  replace_quantized(graph, y);
  return true;
}

/// Operand B of a product: constant weights with scales along `axis`, or any codes with one scale.
std::optional<WeightCodes> second_operand(Graph& graph, const Neighbours& near, ValueId id, int64_t axis) {
  if (const std::optional<WeightCodes> w = dequantized_weights(graph, near, id, axis)) {
    return graph.value(w->codes).constant.rank() == 2 ? w : std::nullopt;
  }
  const std::optional<CodesOf> b = dequantized(graph, near, id);
  return b ? std::optional(WeightCodes{b->codes, b->scale, b->zero}) : std::nullopt;
}

bool is_matrices(const Graph& graph, ValueId id) {
  const SymShape& shape = graph.value(id).shape;
  return shape.has_rank() && shape.rank() >= 2;
}

struct Operands {
  CodesOf a;
  WeightCodes b;
  std::vector<ValueId> first;  ///< the inputs that QLinearMatMul and QGemm begin with
};

std::optional<Operands> operands_of(Graph& graph, const Neighbours& near, const Node& product, int64_t axis) {
  const std::optional<CodesOf> a = dequantized(graph, near, product.inputs[0]);
  const std::optional<WeightCodes> b = second_operand(graph, near, product.inputs[1], axis);
  if (!a || !b || !is_matrices(graph, a->codes) || !is_matrices(graph, b->codes)) return std::nullopt;
  return Operands{*a, *b, {a->codes, a->scale, zero_value(graph, *a), b->codes, b->scale, weight_zero(graph, *b)}};
}

/// Columns of a constant matrix B, or 0.
size_t columns_of(const Graph& graph, const WeightCodes& b, size_t axis) {
  if (!graph.is_constant(b.codes)) return 0;
  const Tensor& codes = graph.value(b.codes).constant;
  return codes.rank() == 2 ? static_cast<size_t>(codes.dim(axis)) : 0;
}

bool is_vector(const Graph& graph, ValueId id) {
  const SymShape& shape = graph.value(id).shape;
  return shape.has_rank() && shape.rank() == 1;
}

bool fuse_matmul(Graph& graph, const Neighbours& near, QuantizedOutput y) {
  ValueId bias = kNoValue;
  Node* const add = y.op->op_type == "Add" && y.op->inputs.size() == 2 ? y.op : nullptr;
  if (add != nullptr) {
    for (size_t i = 0; i < 2 && bias == kNoValue; ++i) {
      Node* matmul = near.made_by(add->inputs[i], "MatMul");
      if (matmul == nullptr || !near.one_use(add->inputs[i])) continue;
      y.op = matmul;
      bias = add->inputs[1 - i];
    }
  }
  Node& matmul = *y.op;
  if (matmul.op_type != "MatMul" || matmul.own_inputs != 2) return false;
  std::optional<Operands> operands = operands_of(graph, near, matmul, 1);
  if (!operands) return false;
  const size_t columns = columns_of(graph, operands->b, 1);
  if (columns != 0 && !fits_channels(graph, operands->b, columns)) return false;
  std::vector<ValueId> inputs = operands->first;
  inputs.insert(inputs.end(), {y.scale, zero_value(graph, y)});
  if (bias != kNoValue) {
    if (columns == 0 || !is_vector(graph, bias)) return false;
    const std::optional<ValueId> codes = bias_codes(graph, near, bias, scale_number(graph, operands->a), operands->b.scale, columns);
    if (!codes) return false;
    inputs.push_back(*codes);
    add->outputs[0] = kNoValue;
  }
  matmul.attributes.clear();
  retarget(matmul, "", "QLinearMatMul", std::move(inputs));
  replace_quantized(graph, y);
  return true;
}

bool fuse_gemm(Graph& graph, const Neighbours& near, const QuantizedOutput& y) {
  Node& gemm = *y.op;
  if (gemm.own_inputs < 2 || gemm.find("activation") != nullptr || gemm.opset < 7) return false;
  if (float_attribute(gemm, "alpha", 1) != 1 || float_attribute(gemm, "beta", 1) != 1) return false;
  const Attribute* trans_b = gemm.find("transB");
  const int64_t axis = trans_b != nullptr && trans_b->i != 0 ? 0 : 1;
  std::optional<Operands> operands = operands_of(graph, near, gemm, axis);
  if (!operands) return false;
  const size_t columns = columns_of(graph, operands->b, static_cast<size_t>(axis));
  if (columns == 0 || !fits_channels(graph, operands->b, columns)) return false;
  std::vector<ValueId> inputs = operands->first;
  inputs.push_back(kNoValue);
  if (gemm.own_inputs > 2 && gemm.inputs[2] != kNoValue) {
    if (!is_vector(graph, gemm.inputs[2])) return false;
    const std::optional<ValueId> bias =
        bias_codes(graph, near, gemm.inputs[2], scale_number(graph, operands->a), operands->b.scale, columns);
    if (!bias) return false;
    inputs.back() = *bias;
  }
  inputs.insert(inputs.end(), {y.scale, zero_value(graph, y)});
  gemm.erase("beta");
  retarget(gemm, "com.microsoft", "QGemm", std::move(inputs));
  replace_quantized(graph, y);
  return true;
}

bool fuse_to_float(Graph& graph, const Neighbours& near, Node& matmul) {
  if (!is_op(matmul, "MatMul", 2) || matmul.find("activation") != nullptr) return false;
  const std::optional<Operands> operands = operands_of(graph, near, matmul, 1);
  if (!operands) return false;
  const size_t columns = columns_of(graph, operands->b, 1);
  if (columns == 0 || !fits_channels(graph, operands->b, columns)) return false;
  const std::vector<ValueId>& in = operands->first;
  retarget(matmul, "com.microsoft", "MatMulIntegerToFloat", {in[0], in[3], in[1], in[4], in[2], in[5]});
  return true;
}

}  // namespace

bool fuse_qdq_products(Graph& graph) {
  const Neighbours near(graph);
  bool changed = false;
  for (Node& node : graph.nodes) {
    const std::optional<QuantizedOutput> y = quantized_output(graph, near, node);
    if (!y || !y->op->domain.empty()) continue;
    const std::string& type = y->op->op_type;
    if (type == "Conv") changed = fuse_conv(graph, near, *y) || changed;
    if (type == "MatMul" || type == "Add") changed = fuse_matmul(graph, near, *y) || changed;
    if (type == "Gemm") changed = fuse_gemm(graph, near, *y) || changed;
  }
  for (Node& node : graph.nodes) changed = fuse_to_float(graph, near, node) || changed;
  if (changed) drop_nodes_without_outputs(graph);
  return changed;
}

}  // namespace kinglet::passes
