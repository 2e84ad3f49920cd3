#pragma once
// Protobuf bytes -> decoded.hpp.

#include "model/decoded.hpp"
#include "model/tensor_reader.hpp"

namespace kinglet::onnx {

/// Subgraphs and function calls may nest this deep, so that hostile bytes cannot exhaust the stack.
inline constexpr size_t kMaxNesting = 64;

/// Decodes a whole ModelProto and checks what needs no linking: versions, required fields, sizes of tensors.
/// Throws kModel.
DecodedModel decode_model(const WeightSources& sources);

// Parts of the decoder, each of one subject. `depth` counts enclosing graphs.
DecodedGraph decode_graph(Fields fields, const WeightSources& sources, size_t depth);
/// `index` is the node's place among its siblings: errors name a node without name by it.
DecodedNode decode_node(Fields fields, const WeightSources& sources, size_t depth, size_t index);
DecodedAttribute decode_attribute(Fields fields, const WeightSources& sources, size_t depth);
DecodedValue decode_value(Fields fields);
/// `depth` counts the types that hold this one.
DecodedType decode_type(Fields fields, size_t depth);
DecodedFunction decode_function(Fields fields, const WeightSources& sources);
void decode_opset(Fields fields, OpsetImports& out);

/// The node's name, or one made of its operator and place ("Conv_12") when it has none.
std::string name_of(const DecodedNode& node, size_t index);
/// "" for "ai.onnx", which is another spelling of it.
std::string_view normal_domain(std::string_view domain);

}  // namespace kinglet::onnx
