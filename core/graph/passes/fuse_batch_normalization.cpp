// Conv (or ConvTranspose) + BatchNormalization -> Conv: scale goes into the weights, shift into the bias.
//
//   y = (conv(x, W) + b - mean) * s + B  with  s = scale / sqrt(var + epsilon)
//     = conv(x, W * s) + (b - mean) * s + B

#include <cmath>

#include "graph/inference.hpp"
#include "graph/passes/passes.hpp"

namespace kinglet::passes {
namespace {

const Tensor* f32_constant(const Graph& graph, const Node& node, size_t input) {
  if (input >= node.inputs.size() || !graph.is_constant(node.inputs[input])) return nullptr;
  const Tensor& t = graph.value(node.inputs[input]).constant;
  return t.dtype() == DType::kFloat32 ? &t : nullptr;
}

bool has_bias(const Node& conv) { return conv.own_inputs > 2 && conv.inputs[2] != kNoValue; }

/// Scales output channel m of the weights by scale[m].
Tensor scale_weights(const Node& conv, const Tensor& weights, std::span<const double> scale) {
  Tensor out(DType::kFloat32, weights.shape());
  const size_t channels = scale.size();
  const float* from = weights.data<float>();
  float* to = out.data<float>();
  // Conv has [M, C/g, k...]; ConvTranspose [C, M/g, k...] without groups here.
  const bool transposed = conv.op_type == "ConvTranspose";
  const size_t inner = weights.shape().count(transposed ? 2 : 1, weights.rank());
  for (size_t i = 0; i < weights.count(); ++i) to[i] = static_cast<float>(from[i] * scale[i / inner % channels]);
  return out;
}

bool fuse(Graph& graph, Node& conv, Node& norm) {
  const Tensor* weights = f32_constant(graph, conv, 1);
  const Tensor* parameters[4];
  for (size_t i = 0; i < 4; ++i) {
    parameters[i] = f32_constant(graph, norm, i + 1);
    if (parameters[i] == nullptr) return false;
  }
  if (weights == nullptr || weights->rank() < 3) return false;
  const Attribute* group = conv.find("group");
  const bool transposed = conv.op_type == "ConvTranspose";
  if (transposed && group != nullptr && group->i != 1) return false;
  const auto channels = static_cast<size_t>(weights->dim(transposed ? 1 : 0));
  for (const Tensor* p : parameters) {
    if (p->count() != channels) return false;
  }
  const Tensor* bias = f32_constant(graph, conv, 2);
  if (has_bias(conv) && (bias == nullptr || bias->count() != channels)) return false;

  const Attribute* epsilon = norm.find("epsilon");
  const double e = epsilon != nullptr ? epsilon->f : 1e-5f;
  std::vector<double> scale(channels);
  Tensor shift(DType::kFloat32, {static_cast<int64_t>(channels)});
  for (size_t i = 0; i < channels; ++i) {
    scale[i] = parameters[0]->data<float>()[i] / std::sqrt(parameters[3]->data<float>()[i] + e);
    const double b = bias != nullptr ? bias->data<float>()[i] : 0.0;
    shift.data<float>()[i] = static_cast<float>((b - parameters[2]->data<float>()[i]) * scale[i] + parameters[1]->data<float>()[i]);
  }
  Tensor scaled = scale_weights(conv, *weights, scale);
  conv.inputs.resize(std::max<size_t>(3, conv.inputs.size()), kNoValue);
  conv.own_inputs = std::max<size_t>(3, conv.own_inputs);
  conv.inputs[1] = graph.add_constant(graph.value(conv.inputs[1]).name + " * " + norm.name, std::move(scaled));
  conv.inputs[2] = graph.add_constant(norm.name + " shift", std::move(shift));
  conv.outputs[0] = norm.outputs[0];
  norm.outputs[0] = kNoValue;
  return true;
}

}  // namespace

bool fuse_batch_normalization(Graph& graph) {
  const std::vector<int32_t> producer = graph.producers();
  const std::vector<uint32_t> uses = graph.use_counts();
  bool changed = false;
  for (Node& norm : graph.nodes) {
    if (!norm.domain.empty() || norm.op_type != "BatchNormalization") continue;
    if (norm.outputs.size() != 1 || norm.inputs.size() != 5) continue;
    const Attribute* training = norm.find("training_mode");
    if (training != nullptr && training->i != 0) continue;
    const int32_t made_by = producer[static_cast<size_t>(norm.inputs[0])];
    if (made_by < 0 || !has_one_use(graph, uses, norm.inputs[0])) continue;
    Node& conv = graph.nodes[static_cast<size_t>(made_by)];
    if (!conv.domain.empty() || (conv.op_type != "Conv" && conv.op_type != "ConvTranspose")) continue;
    changed = fuse(graph, conv, norm) || changed;
  }
  if (changed) {
    std::erase_if(graph.nodes, [](const Node& n) { return n.outputs.size() == 1 && n.outputs[0] == kNoValue; });
    graph.sort_topologically();
  }
  return changed;
}

}  // namespace kinglet::passes
