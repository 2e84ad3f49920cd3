#pragma once
// An ONNX file as decoded from protobuf, before names are linked to values: one struct a message. The views
// point into the file's bytes.

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/graph.hpp"

namespace kinglet::onnx {

struct DecodedGraph;

/// Domain ("" is ai.onnx) and version.
using OpsetImports = std::vector<std::pair<std::string, int64_t>>;

/// A TypeProto.
struct DecodedType {
  enum class Kind : uint8_t { kNone, kTensor, kSparseTensor, kSequence, kMap, kOptional, kOpaque };
  struct Dim {
    int64_t value = -1;      ///< < 0: not said
    std::string_view param;  ///< a name, or ""
  };
  Kind kind = Kind::kNone;
  int64_t elem_type = 0;              ///< of a map: its keys' type
  std::shared_ptr<DecodedType> item;  ///< what a sequence, a map or an optional holds
  bool has_shape = false;
  std::vector<Dim> dims;
};

struct DecodedValue {
  std::string_view name;
  DecodedType type;
};

struct DecodedAttribute {
  Attribute value;                   ///< its `subgraphs` stay empty
  std::vector<DecodedGraph> graphs;  ///< kGraph: one; kGraphs: all
  bool typed = false;                ///< the file says the kind
  std::string_view reference;        ///< ref_attr_name: the value is that attribute of the enclosing function
};

struct DecodedNode {
  std::string_view name, op_type, domain, overload;
  std::vector<std::string_view> inputs, outputs;
  std::vector<DecodedAttribute> attributes;
};

struct DecodedInitializer {
  std::string_view name;
  Tensor tensor;
};

struct DecodedGraph {
  std::string_view name;
  std::vector<DecodedNode> nodes;
  std::vector<DecodedInitializer> initializers;
  std::vector<DecodedValue> inputs, outputs, value_infos;
};

struct DecodedFunction {
  std::string_view name, domain, overload;
  std::vector<std::string_view> inputs, outputs;
  std::vector<std::string_view> attributes;  ///< without default
  std::vector<DecodedAttribute> defaults;    ///< with
  OpsetImports opsets;
  std::vector<DecodedNode> nodes;
};

struct DecodedModel {
  int64_t ir_version = 0;
  std::string producer;
  OpsetImports opsets;
  DecodedGraph graph;
  std::vector<DecodedFunction> functions;
};

}  // namespace kinglet::onnx
