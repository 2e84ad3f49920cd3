#include "ops/epilogue.hpp"

#include <limits>

namespace kinglet::ops {

using kernels::Activation;

std::optional<Activation> activation_named(std::string_view name, std::span<const float> params) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  struct Row {
    std::string_view name;
    Activation::Kind kind;
    float alpha, beta;  // defaults
  };
  static constexpr Row kRows[] = {
      {"Relu", Activation::Kind::kRelu, 0, 0},           {"Clip", Activation::Kind::kClip, -kInf, kInf},
      {"LeakyRelu", Activation::Kind::kLeakyRelu, 0.01f, 0}, {"Elu", Activation::Kind::kElu, 1, 0},
      {"HardSigmoid", Activation::Kind::kHardSigmoid, 0.2f, 0.5f}, {"HardSwish", Activation::Kind::kHardSwish, 1, 0},
      {"Sigmoid", Activation::Kind::kSigmoid, 0, 0},     {"Swish", Activation::Kind::kSilu, 0, 0},
      {"Tanh", Activation::Kind::kTanh, 0, 0},           {"Gelu", Activation::Kind::kGelu, 0, 0},
      {"GeluTanh", Activation::Kind::kGeluTanh, 0, 0},
  };
  for (const Row& row : kRows) {
    if (row.name != name) continue;
    return Activation{row.kind, params.size() > 0 ? params[0] : row.alpha, params.size() > 1 ? params[1] : row.beta};
  }
  return std::nullopt;
}

Activation parse_activation(const NodeView& n) {
  if (!n.has("activation")) return {};
  const std::string name = n.attr_string("activation");
  std::vector<float> params = n.attr_floats("activation_params", {});
  // FusedGemm names them one by one.
  if (n.has("activation_alpha")) params = {n.attr_float("activation_alpha")};
  if (n.has("activation_alpha") && n.has("activation_beta")) params.push_back(n.attr_float("activation_beta"));
  const std::optional<Activation> activation = activation_named(name, params);
  if (!activation) throw_error(ErrorCode::kModel, "attribute 'activation' is '{}'", name);
  return *activation;
}

}  // namespace kinglet::ops
