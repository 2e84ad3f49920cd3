#include "graph/passes/qdq.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/inference.hpp"

namespace kinglet::passes {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

bool is_byte(DType type) { return type == DType::kInt8 || type == DType::kUint8; }

bool is_linear(const Node& node, std::string_view op_type) {
  return (node.domain.empty() || node.domain == "com.microsoft") && node.op_type == op_type && node.own_inputs >= 2 &&
         node.inputs[0] != kNoValue && node.inputs[1] != kNoValue && !node.outputs.empty() && node.outputs[0] != kNoValue;
}

int64_t attribute(const Node& node, std::string_view name, int64_t otherwise) {
  const Attribute* a = node.find(name);
  return a != nullptr ? a->i : otherwise;
}

const Node* dequantize_of(const Graph& graph, const Neighbours& near, ValueId id) {
  const int32_t n = near.producer(id);
  if (n < 0) return nullptr;
  const Node& node = graph.nodes[static_cast<size_t>(n)];
  if (!is_linear(node, "DequantizeLinear") || node.outputs[0] != id) return nullptr;
  const bool plain = attribute(node, "block_size", 0) == 0 && graph.value(id).dtype == DType::kFloat32;
  return plain && graph.is_constant(node.inputs[1]) && graph.value(node.inputs[1]).constant.dtype() == DType::kFloat32 ? &node : nullptr;
}

ValueId zero_input(const Node& node) { return node.own_inputs > 2 ? node.inputs[2] : kNoValue; }

bool has_one_element(const Graph& graph, ValueId id) { return graph.is_constant(id) && graph.value(id).constant.count() == 1; }

/// Scale and zero point of a node, when they are constants of one element.
std::optional<CodeParameters> parameters_of(const Graph& graph, const Node& node, DType type) {
  const ValueId scale = node.inputs[1], zero = zero_input(node);
  if (!is_byte(type) || !has_one_element(graph, scale) || graph.value(scale).constant.dtype() != DType::kFloat32) return std::nullopt;
  if (zero != kNoValue && (!has_one_element(graph, zero) || graph.value(zero).constant.dtype() != type)) return std::nullopt;
  if (!(graph.value(scale).constant.data<float>()[0] > 0)) return std::nullopt;
  return CodeParameters{type, scale, zero};
}

/// The bounds of a Relu or Clip of float32, or nothing.
std::optional<std::pair<float, float>> bounds_of(const Neighbours& near, const Node& node) {
  if (!node.domain.empty() || node.inputs.empty()) return std::nullopt;
  if (node.op_type == "Relu") return std::pair(0.0f, kInfinity);
  if (node.op_type != "Clip" || node.opset < 11) return std::nullopt;
  std::pair bounds(-kInfinity, kInfinity);
  for (size_t i = 1; i < node.inputs.size() && i < 3; ++i) {
    if (node.inputs[i] == kNoValue) continue;
    const std::optional<float> bound = near.scalar(node.inputs[i]);
    if (!bound || std::isnan(*bound)) return std::nullopt;
    (i == 1 ? bounds.first : bounds.second) = *bound;
  }
  if (bounds.first > bounds.second) return std::nullopt;
  return bounds;
}

ValueId code_constant(Graph& graph, std::string name, DType type, int32_t code) {
  Tensor t(type, Shape());
  *t.raw() = static_cast<std::byte>(code);
  return graph.add_constant(std::move(name), std::move(t));
}

}  // namespace

float scale_number(const Graph& graph, const CodeParameters& p) { return graph.value(p.scale).constant.data<float>()[0]; }

int32_t zero_number(const Graph& graph, const CodeParameters& p) {
  if (p.zero == kNoValue) return 0;
  const Tensor& t = graph.value(p.zero).constant;
  return p.type == DType::kInt8 ? t.data<int8_t>()[0] : t.data<uint8_t>()[0];
}

bool same_parameters(const Graph& graph, const CodeParameters& a, const CodeParameters& b) {
  return a.type == b.type && scale_number(graph, a) == scale_number(graph, b) && zero_number(graph, a) == zero_number(graph, b);
}

ValueId zero_value(Graph& graph, const CodeParameters& p) {
  return p.zero != kNoValue ? p.zero : code_constant(graph, "zero point", p.type, 0);
}

std::optional<CodesOf> dequantized(const Graph& graph, const Neighbours& near, ValueId id) {
  const Node* node = dequantize_of(graph, near, id);
  if (node == nullptr) return std::nullopt;
  const std::optional<CodeParameters> p = parameters_of(graph, *node, graph.value(node->inputs[0]).dtype);
  return p ? std::optional(CodesOf{*p, node->inputs[0]}) : std::nullopt;
}

std::optional<WeightCodes> dequantized_weights(const Graph& graph, const Neighbours& near, ValueId id, int64_t axis) {
  const Node* node = dequantize_of(graph, near, id);
  if (node == nullptr || !graph.is_constant(node->inputs[0])) return std::nullopt;
  const Tensor& codes = graph.value(node->inputs[0]).constant;
  const Tensor& scale = graph.value(node->inputs[1]).constant;
  if (!is_byte(codes.dtype()) || axis >= static_cast<int64_t>(codes.rank())) return std::nullopt;
  if (scale.count() != 1) {
    const int64_t node_axis = attribute(*node, "axis", 1), rank = static_cast<int64_t>(codes.rank());
    if ((node_axis < 0 ? node_axis + rank : node_axis) != axis || scale.rank() != 1) return std::nullopt;
  }
  const ValueId zero = zero_input(*node);
  if (zero != kNoValue && !graph.is_constant(zero)) return std::nullopt;
  return WeightCodes{node->inputs[0], node->inputs[1], zero};
}

std::optional<QuantizedOutput> quantized_output(Graph& graph, const Neighbours& near, Node& quantize) {
  if (!is_linear(quantize, "QuantizeLinear") || attribute(quantize, "precision", 1) != 1) return std::nullopt;
  if (graph.value(quantize.inputs[0]).dtype != DType::kFloat32) return std::nullopt;
  const std::optional<CodeParameters> p = parameters_of(graph, quantize, graph.value(quantize.outputs[0]).dtype);
  if (!p || !near.one_use(quantize.inputs[0]) || near.producer(quantize.inputs[0]) < 0) return std::nullopt;
  QuantizedOutput out{*p};
  out.quantize = &quantize;
  out.op = &graph.nodes[static_cast<size_t>(near.producer(quantize.inputs[0]))];
  if (out.op->outputs[0] != quantize.inputs[0]) return std::nullopt;
  const std::optional<std::pair<float, float>> bounds = bounds_of(near, *out.op);
  const int32_t before = bounds ? near.producer(out.op->inputs[0]) : -1;
  if (before >= 0 && near.one_use(out.op->inputs[0]) && !dequantized(graph, near, out.op->inputs[0])) {
    out.activation = out.op;
    std::tie(out.low, out.high) = *bounds;
    out.op = &graph.nodes[static_cast<size_t>(before)];
    if (out.op->outputs[0] != out.activation->inputs[0]) return std::nullopt;
  }
  return out;
}

namespace {

struct CodeBounds {
  int32_t low, high;
  bool cut_off = false;  ///< something of the range of codes
};

CodeBounds code_bounds(const Graph& graph, const CodeParameters& p, float least, float greatest) {
  const int32_t lowest = p.type == DType::kInt8 ? -128 : 0, zero = zero_number(graph, p);
  const float scale = scale_number(graph, p);
  const auto code = [&](float bound) {
    const float quotient = std::clamp(bound / scale, -512.0f, 512.0f);
    return std::clamp(static_cast<int32_t>(std::nearbyint(quotient)) + zero, lowest, lowest + 255);
  };
  CodeBounds bounds{code(least), code(greatest)};
  bounds.cut_off = bounds.low != lowest || bounds.high != lowest + 255;
  return bounds;
}

void make_clip(Graph& graph, Node& node, DType type, ValueId codes, const CodeBounds& bounds, ValueId result) {
  const ValueId low = code_constant(graph, "least code", type, bounds.low);
  const ValueId high = code_constant(graph, "greatest code", type, bounds.high);
  become(node, "Clip", {codes, low, high});
  node.opset = 13;
  node.outputs[0] = result;
  parse_node(node);
}

}  // namespace

void replace_quantized(Graph& graph, const QuantizedOutput& output) {
  const ValueId result = output.quantize->outputs[0];
  output.quantize->outputs[0] = kNoValue;
  if (output.activation == nullptr) {
    output.op->outputs[0] = result;
    return;
  }
  const CodeBounds bounds = code_bounds(graph, output, output.low, output.high);
  if (!bounds.cut_off) {
    output.op->outputs[0] = result;
    output.activation->outputs[0] = kNoValue;
    return;
  }
  const ValueId unbounded = graph.add_value(graph.value(result).name + " (unbounded)", output.type, graph.value(result).shape);
  output.op->outputs[0] = unbounded;
  make_clip(graph, *output.activation, output.type, unbounded, bounds, result);
}

bool become_clip(Graph& graph, const Neighbours& near, const QuantizedOutput& output, ValueId codes) {
  const std::optional<std::pair<float, float>> bounds = bounds_of(near, *output.op);
  if (!bounds) return false;
  const ValueId result = output.quantize->outputs[0];
  output.quantize->outputs[0] = kNoValue;
  make_clip(graph, *output.op, output.type, codes, code_bounds(graph, output, bounds->first, bounds->second), result);
  return true;
}

void retarget(Node& node, std::string_view domain, std::string_view op_type, std::vector<ValueId> inputs) {
  node.domain = domain;
  node.op_type = op_type;
  node.opset = domain.empty() ? std::max<int64_t>(node.opset, 10) : 1;
  node.own_inputs = inputs.size();
  node.inputs = std::move(inputs);
  parse_node(node);
}

std::optional<ValueId> bias_codes(Graph& graph, const Neighbours& near, ValueId bias, float x_scale, ValueId scale,
                                  size_t channels) {
  const Node* node = graph.is_constant(bias) ? nullptr : dequantize_of(graph, near, bias);
  const ValueId source = node != nullptr ? node->inputs[0] : bias;
  if (!graph.is_constant(source)) return std::nullopt;
  const Tensor& numbers = graph.value(source).constant;
  if (numbers.count() != channels || numbers.dtype() != (node != nullptr ? DType::kInt32 : DType::kFloat32)) return std::nullopt;
  const Tensor& w_scale = graph.value(scale).constant;
  const Tensor* own_scale = node != nullptr ? &graph.value(node->inputs[1]).constant : nullptr;
  if (own_scale != nullptr) {
    const ValueId zero = zero_input(*node);
    if (own_scale->count() != 1 && own_scale->count() != channels) return std::nullopt;
    if (zero != kNoValue && !graph.is_constant(zero)) return std::nullopt;
    if (zero != kNoValue) {
      for (const int32_t z : graph.value(zero).constant.values<int32_t>()) {
        if (z != 0) return std::nullopt;
      }
    }
  }
  const auto at = [](const Tensor& t, size_t i) { return static_cast<double>(t.data<float>()[t.count() == 1 ? 0 : i]); };
  Tensor codes(DType::kInt32, Shape{static_cast<int64_t>(channels)});
  for (size_t i = 0; i < channels; ++i) {
    const double number = own_scale != nullptr ? numbers.data<int32_t>()[i] * at(*own_scale, i) : at(numbers, i);
    const double code = std::nearbyint(number / (static_cast<double>(x_scale) * at(w_scale, i)));
    if (!(std::abs(code) < 0x1p31)) return std::nullopt;
    codes.data<int32_t>()[i] = static_cast<int32_t>(code);
  }
  return graph.add_constant(graph.value(bias).name + " (codes)", std::move(codes));
}

}  // namespace kinglet::passes
