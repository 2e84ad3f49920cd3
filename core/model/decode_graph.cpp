#include "model/decoder.hpp"
#include "model/onnx_proto.hpp"

namespace kinglet::onnx {
namespace {

// Attributes are searched one by one; no operator has more than a few dozen.
constexpr size_t kMaxAttributes = 1024;

void add_attribute(DecodedNode& node, DecodedAttribute attribute) {
  if (node.attributes.size() == kMaxAttributes) {
    throw_error(ErrorCode::kModel, "more than {} attributes", kMaxAttributes);
  }
  for (const DecodedAttribute& other : node.attributes) {
    if (other.value.name == attribute.value.name) {
      throw_error(ErrorCode::kModel, "attribute '{}' is given twice", attribute.value.name);
    }
  }
  node.attributes.push_back(std::move(attribute));
}

void decode_dim(Fields fields, DecodedType& out) {
  DecodedType::Dim dim;
  while (fields.next()) {
    switch (fields.number()) {
      case field::dim::kValue: dim.value = fields.integer(); break;
      case field::dim::kParam: dim.param = fields.name(); break;
      default: fields.skip();
    }
  }
  if (out.dims.size() == kMaxRank) throw_error(ErrorCode::kModel, "a shape of more than {} dims", kMaxRank);
  out.dims.push_back(dim);
}

void decode_shape(Fields fields, DecodedType& out) {
  out.has_shape = true;
  out.dims.clear();
  while (fields.next()) {
    if (fields.number() == field::shape::kDim) {
      decode_dim(fields.message(), out);
    } else {
      fields.skip();
    }
  }
}

void decode_tensor_type(Fields fields, DecodedType& out) {
  out.kind = DecodedType::Kind::kTensor;
  while (fields.next()) {
    switch (fields.number()) {
      case field::tensor_type::kElemType: out.elem_type = fields.integer(); break;
      case field::tensor_type::kShape: decode_shape(fields.message(), out); break;
      default: fields.skip();
    }
  }
}

/// A sequence's, an optional's or a map's own type; `item` is the field that says what it holds.
void decode_holder(Fields fields, DecodedType& out, uint32_t item, size_t depth) {
  while (fields.next()) {
    if (fields.number() == item) {
      out.item = std::make_shared<DecodedType>(decode_type(fields.message(), depth + 1));
    } else if (out.kind == DecodedType::Kind::kMap && fields.number() == field::map_type::kKeyType) {
      out.elem_type = fields.integer();
    } else {
      fields.skip();
    }
  }
}

}  // namespace

DecodedType decode_type(Fields fields, size_t depth) {
  using Kind = DecodedType::Kind;
  if (depth >= kMaxNesting) throw_error(ErrorCode::kModel, "types are nested more than {} deep", kMaxNesting);
  DecodedType out;
  const auto holder = [&](Kind kind, uint32_t item) {
    out.kind = kind;
    decode_holder(fields.message(), out, item, depth);
  };
  while (fields.next()) {
    switch (fields.number()) {
      case field::type::kTensor: decode_tensor_type(fields.message(), out); continue;
      case field::type::kSequence: holder(Kind::kSequence, field::holder_type::kElemType); continue;
      case field::type::kMap: holder(Kind::kMap, field::map_type::kValueType); continue;
      case field::type::kOptional: holder(Kind::kOptional, field::holder_type::kElemType); continue;
      case field::type::kOpaque: out.kind = Kind::kOpaque; break;
      case field::type::kSparseTensor: out.kind = Kind::kSparseTensor; break;
      default: break;
    }
    fields.skip();
  }
  return out;
}

std::string_view normal_domain(std::string_view domain) { return domain == "ai.onnx" ? "" : domain; }

DecodedValue decode_value(Fields fields) {
  DecodedValue out;
  try {
    while (fields.next()) {
      switch (fields.number()) {
        case field::value_info::kName: out.name = fields.name(); break;
        case field::value_info::kType: out.type = decode_type(fields.message(), 0); break;
        default: fields.skip();
      }
    }
  } catch (Error& e) {
    e.message = text("value '{}': {}", out.name, e.message);
    throw;
  }
  return out;
}

std::string name_of(const DecodedNode& node, size_t index) {
  if (!node.name.empty()) return std::string(node.name);
  return text("{}_{}", node.op_type.empty() ? "node" : node.op_type, index);
}

DecodedNode decode_node(Fields fields, const WeightSources& sources, size_t depth, size_t index) {
  DecodedNode node;
  try {
    while (fields.next()) {
      switch (fields.number()) {
        case field::node::kInput: node.inputs.push_back(fields.name()); break;
        case field::node::kOutput: node.outputs.push_back(fields.name()); break;
        case field::node::kName: node.name = fields.name(); break;
        case field::node::kOpType: node.op_type = fields.name(); break;
        case field::node::kAttribute:
          add_attribute(node, decode_attribute(fields.message(), sources, depth));
          break;
        case field::node::kDomain: node.domain = normal_domain(fields.name()); break;
        case field::node::kOverload: node.overload = fields.name(); break;
        default: fields.skip();
      }
    }
    if (node.op_type.empty()) throw_error(ErrorCode::kModel, "the node has no op_type");
  } catch (Error& e) {
    if (e.node.empty()) {
      e.node = name_of(node, index);
      e.op = node.op_type;
      e.message = text("{} ({}): {}", e.node, node.op_type.empty() ? "?" : node.op_type, e.message);
    }
    throw;
  }
  return node;
}

DecodedGraph decode_graph(Fields fields, const WeightSources& sources, size_t depth) {
  if (depth >= kMaxNesting) {
    throw_error(ErrorCode::kModel, "subgraphs are nested more than {} deep", kMaxNesting);
  }
  DecodedGraph graph;
  while (fields.next()) {
    switch (fields.number()) {
      case field::graph::kNode:
        graph.nodes.push_back(decode_node(fields.message(), sources, depth, graph.nodes.size()));
        break;
      case field::graph::kName: graph.name = fields.name(); break;
      case field::graph::kInitializer: {
        NamedTensor t = read_tensor(fields.message(), sources, "initializer");
        graph.initializers.push_back({t.name, std::move(t.tensor)});
        break;
      }
      case field::graph::kSparseInitializer: {
        NamedTensor t = read_sparse_tensor(fields.message(), sources, "sparse initializer");
        graph.initializers.push_back({t.name, std::move(t.tensor)});
        break;
      }
      case field::graph::kInput: graph.inputs.push_back(decode_value(fields.message())); break;
      case field::graph::kOutput: graph.outputs.push_back(decode_value(fields.message())); break;
      case field::graph::kValueInfo: graph.value_infos.push_back(decode_value(fields.message())); break;
      default: fields.skip();
    }
  }
  return graph;
}

}  // namespace kinglet::onnx
