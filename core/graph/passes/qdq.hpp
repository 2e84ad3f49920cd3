#pragma once
// What the passes share that turn float operators between DequantizeLinear and QuantizeLinear ("QDQ") into operators on
// 8 bit codes.

#include <optional>

#include "graph/passes/match.hpp"

namespace kinglet::passes {

/// How 8 bit codes stand for numbers: constants of one element. The zero point may be kNoValue, which is 0.
struct CodeParameters {
  DType type = DType::kUndefined;
  ValueId scale = kNoValue, zero = kNoValue;
};

struct CodesOf : CodeParameters {
  ValueId codes = kNoValue;
};

float scale_number(const Graph& graph, const CodeParameters& p);
int32_t zero_number(const Graph& graph, const CodeParameters& p);
bool same_parameters(const Graph& graph, const CodeParameters& a, const CodeParameters& b);
/// The zero point as a value that is there.
ValueId zero_value(Graph& graph, const CodeParameters& p);

/// The codes that `id` is made of by a DequantizeLinear with one scale for all, or nothing.
std::optional<CodesOf> dequantized(const Graph& graph, const Neighbours& near, ValueId id);

/// Constant 8 bit codes that `id` is made of by a DequantizeLinear.
struct WeightCodes {
  ValueId codes = kNoValue, scale = kNoValue, zero = kNoValue;  ///< scales and zero points: one, or one along an axis
};
std::optional<WeightCodes> dequantized_weights(const Graph& graph, const Neighbours& near, ValueId id, int64_t axis);

/// A float operator whose only reader, maybe through an activation that cuts off, is a QuantizeLinear.
struct QuantizedOutput : CodeParameters {
  Node* op = nullptr;
  Node* activation = nullptr;  ///< Relu or Clip, or null
  float low = 0, high = 0;     ///< of the activation
  Node* quantize = nullptr;
};

/// Of a node that is a QuantizeLinear to 8 bit codes with one scale for all.
std::optional<QuantizedOutput> quantized_output(Graph& graph, const Neighbours& near, Node& quantize);

/// Makes output.op, which now computes codes, give what the QuantizeLinear gave; an activation becomes a Clip of codes
/// where their range does not cut off by itself.
void replace_quantized(Graph& graph, const QuantizedOutput& output);

/// Turns a Relu or Clip of what `codes` stand for, which `output` quantizes under the same scale, into a Clip of codes.
/// False when it is none.
bool become_clip(Graph& graph, const Neighbours& near, const QuantizedOutput& output, ValueId codes);

/// Turns `node` into `domain`.`op_type` over `inputs` with the attributes that it has.
void retarget(Node& node, std::string_view domain, std::string_view op_type, std::vector<ValueId> inputs);

/// The nearest codes for a scale of x_scale * weight scale, or nothing where one does not fit: `bias` is a constant of
/// float32, or the DequantizeLinear of one of int32; one number a channel. `scale` has one number or `channels`.
std::optional<ValueId> bias_codes(Graph& graph, const Neighbours& near, ValueId bias, float x_scale, ValueId scale,
                                  size_t channels);

}  // namespace kinglet::passes
