// MatMulInteger, its sums as floats times the product of the scales (onnxruntime's quantize_dynamic writes this)
// -> MatMulIntegerToFloat of com.microsoft:
//   Cast(MatMulInteger(A, B, A_zero, B_zero)) * (A_scale * B_scale)

#include "graph/inference.hpp"
#include "graph/passes/match.hpp"
#include "graph/passes/passes.hpp"

namespace kinglet::passes {
namespace {

bool is_one_number(const Graph& graph, ValueId id) {
  const SymShape& shape = graph.value(id).shape;
  return shape.is_concrete() && shape.rank() <= 1 && shape.concrete().count() == 1;
}

/// One number, or one a column.
bool fits_columns(const Graph& graph, ValueId id, Dim columns) {
  const SymShape& shape = graph.value(id).shape;
  return is_one_number(graph, id) || (shape.has_rank() && shape.rank() == 1 && shape[0].same(columns));
}

/// The MatMulInteger behind a Cast to float32 that only `id` stands for, or null.
Node* product_of(const Graph& graph, const Neighbours& near, ValueId id) {
  const Node* cast = near.made_by(id, "Cast");
  if (cast == nullptr || !near.one_use(id) || graph.value(id).dtype != DType::kFloat32) return nullptr;
  Node* product = near.made_by(cast->inputs[0], "MatMulInteger");
  return product != nullptr && near.one_use(cast->inputs[0]) && product->own_inputs >= 2 ? product : nullptr;
}

/// Whether A's zero points are one for all: a row's own would need a scale of its own.
bool has_one_zero(const Graph& graph, const Node& product) {
  return product.own_inputs < 3 || product.inputs[2] == kNoValue || is_one_number(graph, product.inputs[2]);
}

}  // namespace

bool fuse_integer_matmul(Graph& graph) {
  const Neighbours near(graph);
  bool changed = false;
  for (Node& mul : graph.nodes) {
    if (!is_op(mul, "Mul", 2)) continue;
    for (size_t i = 0; i < 2; ++i) {
      Node* const product = product_of(graph, near, mul.inputs[i]);
      const Node* const scales = near.made_by(mul.inputs[1 - i], "Mul");
      if (product == nullptr || scales == nullptr || !has_one_zero(graph, *product)) continue;
      const SymShape &left = graph.value(product->inputs[0]).shape, &right = graph.value(product->inputs[1]).shape;
      if (!left.has_rank() || !right.has_rank() || left.rank() < 2 || right.rank() != 2) continue;
      const size_t of_a = is_one_number(graph, scales->inputs[0]) ? 0 : 1;
      const ValueId a_scale = scales->inputs[of_a], b_scale = scales->inputs[1 - of_a];
      if (!is_one_number(graph, a_scale) || !fits_columns(graph, b_scale, right[1])) continue;
      const std::vector<ValueId> in = product->inputs;
      const auto zero = [&](size_t at) { return at < in.size() ? in[at] : kNoValue; };
      // The scales may be computed after the product: the product moves to where the last factor was.
      become(mul, "MatMulIntegerToFloat", {in[0], in[1], a_scale, b_scale, zero(2), zero(3)});
      mul.domain = "com.microsoft";
      mul.opset = 1;
      parse_node(mul);
      changed = true;
      break;
    }
  }
  return changed;
}

}  // namespace kinglet::passes
