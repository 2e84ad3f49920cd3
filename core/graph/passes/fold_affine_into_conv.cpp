// Conv (or ConvTranspose) followed by a constant scale or shift per channel -> Conv: BatchNormalization, and Mul, Div,
// Add or Sub by a constant.
//
//   y = conv(x, W) + b;  y * s + t  =  conv(x, W * s) + (b * s + t)

#include <cmath>
#include <optional>

#include "base/inlining.hpp"
#include "graph/constant_memory.hpp"
#include "graph/inference.hpp"
#include "graph/passes/match.hpp"
#include "graph/passes/passes.hpp"
#include "kernels/elementwise.hpp"

namespace kinglet::passes {
namespace {

/// y * scale[c] + shift[c] per channel.
struct Affine {
  std::vector<double> scale, shift;
};

const Tensor* f32_constant(const Graph& graph, const Node& node, size_t input) {
  if (input >= node.inputs.size() || !graph.is_constant(node.inputs[input])) return nullptr;
  const Tensor& t = graph.value(node.inputs[input]).constant;
  return t.dtype() == DType::kFloat32 ? &t : nullptr;
}

std::optional<Affine> batch_normalization(const Graph& graph, const Node& node, size_t channels) {
  const Attribute *training = node.find("training_mode"), *tests = node.find("is_test"), *spatial = node.find("spatial");
  if (training != nullptr && training->i != 0) return std::nullopt;
  if (node.opset < 9 && ((tests != nullptr && tests->i == 0) || (spatial != nullptr && spatial->i == 0))) return std::nullopt;
  const Tensor* parameters[4];
  for (size_t i = 0; i < 4; ++i) {
    parameters[i] = f32_constant(graph, node, i + 1);
    if (parameters[i] == nullptr || parameters[i]->count() != channels) return std::nullopt;
  }
  const Attribute* epsilon = node.find("epsilon");
  const double e = epsilon != nullptr ? epsilon->f : 1e-5f;
  Affine out;
  for (size_t i = 0; i < channels; ++i) {
    out.scale.push_back(parameters[0]->data<float>()[i] / std::sqrt(parameters[3]->data<float>()[i] + e));
    out.shift.push_back(parameters[1]->data<float>()[i] - parameters[2]->data<float>()[i] * out.scale[i]);
  }
  return out;
}

/// Is a constant of this shape one value, or one a channel, of an image of this rank?
bool is_per_channel(const Shape& shape, size_t image_rank, size_t channels) {
  if (shape.count() == 1) return shape.rank() <= image_rank;
  if (shape.rank() > image_rank || shape.rank() < image_rank - 1 || shape.count() != channels) return false;
  return shape[shape.rank() - (image_rank - 1)] == static_cast<int64_t>(channels);
}

std::optional<Affine> arithmetic(const Graph& graph, const Node& node, ValueId image, size_t rank, size_t channels) {
  const bool first = node.inputs[0] == image;
  const Tensor* constant = f32_constant(graph, node, first ? 1 : 0);
  if (constant == nullptr || !is_per_channel(constant->shape(), rank, channels)) return std::nullopt;
  if (!first && (node.op_type == "Div" || node.op_type == "Sub")) return std::nullopt;
  Affine out;
  for (size_t i = 0; i < channels; ++i) {
    const double v = constant->data<float>()[constant->count() == 1 ? 0 : i];
    out.scale.push_back(node.op_type == "Mul" ? v : node.op_type == "Div" ? 1 / v : 1);
    out.shift.push_back(node.op_type == "Add" ? v : node.op_type == "Sub" ? -v : 0);
    if (!std::isfinite(out.scale.back())) return std::nullopt;
  }
  return out;
}

std::optional<Affine> affine_of(const Graph& graph, const Node& node, ValueId image, size_t rank, size_t channels) {
  if (is_op(node, "BatchNormalization", 5) && node.outputs.size() == 1) return batch_normalization(graph, node, channels);
  for (const std::string_view op : {"Mul", "Div", "Add", "Sub"}) {
    if (is_op(node, op, 2)) return arithmetic(graph, node, image, rank, channels);
  }
  return std::nullopt;
}

/// Output channel m of the weights times scale[m]: Conv has [M, C/g, k...], ConvTranspose [C, M, k...] (one group).
Tensor scale_weights(const Tensor& weights, bool transposed, const std::vector<double>& scale,
                     bool in_place) {
  Tensor out = in_place ? weights : Tensor(DType::kFloat32, weights.shape());
  const size_t inner = weights.shape().count(transposed ? 2 : 1, weights.rank()), count = weights.count();
  const float* from = weights.data<float>();
  float* to = out.data<float>();
  for (size_t i = 0, channel = 0; i < count; i += inner, channel = channel + 1 == scale.size() ? 0 : channel + 1) {
    kernels::binary_scalar(kernels::Binary::kMul, from + i, static_cast<float>(scale[channel]), to + i, inner);
  }
  return out;
}

/// Whether weights may be scaled where they lie.
class InPlace {
 public:
  InPlace(const Graph& graph, std::span<const uint32_t> uses) : graph_(graph), uses_(uses) {}

  bool may_change(ValueId weights) {
    // Who else reads them is not seen from inside of a subgraph.
    if (graph_.is_subgraph) return false;
    // Weights beyond the counted ones were made here, for one convolution.
    if (static_cast<size_t>(weights) < uses_.size() && !has_one_use(graph_, uses_, weights)) return false;
    if (!memory_) memory_.emplace(graph_);
    return memory_->is_alone(graph_.value(weights).constant);
  }

 private:
  const Graph& graph_;
  std::span<const uint32_t> uses_;
  std::optional<ConstantMemory> memory_;
};

KINGLET_APART bool fold(Graph& graph, Node& conv, Node& node, ValueId image, InPlace& in_place) {
  const Tensor* weights = f32_constant(graph, conv, 1);
  if (weights == nullptr || weights->rank() < 3) return false;
  const bool transposed = conv.op_type == "ConvTranspose";
  const Attribute* group = conv.find("group");
  if (transposed && group != nullptr && group->i != 1) return false;
  const auto channels = static_cast<size_t>(weights->dim(transposed ? 1 : 0));
  const bool has_bias = conv.own_inputs > 2 && conv.inputs[2] != kNoValue;
  const Tensor* bias = f32_constant(graph, conv, 2);
  if (has_bias && (bias == nullptr || bias->count() != channels)) return false;
  const std::optional<Affine> affine = affine_of(graph, node, image, weights->rank(), channels);
  if (!affine) return false;

  Tensor shift(DType::kFloat32, {static_cast<int64_t>(channels)});
  for (size_t i = 0; i < channels; ++i) {
    const double b = bias != nullptr ? bias->data<float>()[i] : 0.0;
    shift.data<float>()[i] = static_cast<float>(b * affine->scale[i] + affine->shift[i]);
  }
  const ValueId given = conv.inputs[1];
  const bool over_given = in_place.may_change(given);
  Tensor scaled = scale_weights(*weights, transposed, affine->scale, over_given);
  if (over_given) graph.value(given).constant = {};
  conv.inputs.resize(3, kNoValue);
  conv.own_inputs = 3;
  conv.inputs[1] = graph.add_constant(graph.value(given).name + " scaled", std::move(scaled));
  conv.inputs[2] = graph.add_constant(node.name + " shift", std::move(shift));
  conv.outputs[0] = node.outputs[0];
  node.outputs[0] = kNoValue;
  return true;
}

}  // namespace

bool fold_affine_into_conv(Graph& graph) {
  const std::vector<uint32_t> uses = graph.use_counts();
  std::vector<int32_t> producer = graph.producers();
  InPlace in_place(graph, uses);
  bool changed = false;
  for (Node& node : graph.nodes) {
    for (const ValueId id : node.inputs) {
      if (id == kNoValue || static_cast<size_t>(id) >= producer.size()) continue;
      const int32_t made_by = producer[static_cast<size_t>(id)];
      if (made_by < 0 || !has_one_use(graph, uses, id)) continue;
      Node& conv = graph.nodes[static_cast<size_t>(made_by)];
      if (!conv.domain.empty() || (conv.op_type != "Conv" && conv.op_type != "ConvTranspose")) continue;
      if (conv.outputs[0] != id || conv.own_inputs > 3 || conv.find("activation") != nullptr) continue;
      const ValueId out = node.outputs.empty() ? kNoValue : node.outputs[0];
      if (!fold(graph, conv, node, id, in_place)) continue;
      producer[static_cast<size_t>(out)] = made_by;  // the next of a chain folds into the same convolution
      changed = true;
      break;
    }
  }
  if (changed) drop_nodes_without_outputs(graph);
  return changed;
}

}  // namespace kinglet::passes
