#pragma once
// Writes ONNX protobuf for tests. Each function returns the bytes of one message, to be nested in the next:
//   model_file({.graph = graph({.nodes = {node("Relu", {"x"}, {"y"})},
//                               .inputs = {value("x", 1, {"n", "3"})}, .outputs = {value("y")}})});

#include <catch2/catch_amalgamated.hpp>
#include <protozero/pbf_writer.hpp>

#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/onnx_proto.hpp"
#include "model/onnx_reader.hpp"

namespace kinglet::test {

namespace pb = onnx::field;
using Bytes = std::string;
using Strings = std::vector<std::string>;

template <class F>
Bytes message(F&& fill) {
  Bytes out;
  protozero::pbf_writer w(out);
  fill(w);
  return out;
}

inline void add_all(protozero::pbf_writer& w, uint32_t number, const Strings& values) {
  for (const std::string& v : values) w.add_bytes(number, v);
}

inline Bytes node(std::string_view op, const Strings& inputs, const Strings& outputs,
                  const Strings& attributes = {}, std::string_view name = "", std::string_view domain = "",
                  std::string_view overload = "") {
  return message([&](auto& w) {
    add_all(w, pb::node::kInput, inputs);
    add_all(w, pb::node::kOutput, outputs);
    if (!name.empty()) w.add_string(pb::node::kName, name.data(), name.size());
    if (!op.empty()) w.add_string(pb::node::kOpType, op.data(), op.size());
    add_all(w, pb::node::kAttribute, attributes);
    if (!domain.empty()) w.add_string(pb::node::kDomain, domain.data(), domain.size());
    if (!overload.empty()) w.add_string(pb::node::kOverload, overload.data(), overload.size());
  });
}

/// An attribute; `fill` writes its value's field.
template <class F>
Bytes attribute(const std::string& name, onnx::AttributeType type, F&& fill) {
  return message([&](auto& w) {
    w.add_string(pb::attribute::kName, name);
    fill(w);
    if (type != onnx::AttributeType::kUndefined) {
      w.add_int64(pb::attribute::kType, static_cast<int64_t>(type));
    }
  });
}
inline Bytes int_attribute(const std::string& name, int64_t v) {
  return attribute(name, onnx::AttributeType::kInt, [&](auto& w) { w.add_int64(pb::attribute::kInt, v); });
}
inline Bytes graph_attribute(const std::string& name, const Bytes& g) {
  return attribute(name, onnx::AttributeType::kGraph,
                   [&](auto& w) { w.add_message(pb::attribute::kGraph, g); });
}
inline Bytes tensor_attribute(const std::string& name, const Bytes& t) {
  return attribute(name, onnx::AttributeType::kTensor,
                   [&](auto& w) { w.add_message(pb::attribute::kTensor, t); });
}
/// An attribute that takes the enclosing function's attribute `reference`.
inline Bytes reference_attribute(const std::string& name, onnx::AttributeType type,
                                 const std::string& reference) {
  return attribute(name, type, [&](auto& w) { w.add_string(pb::attribute::kRefAttrName, reference); });
}

/// A TensorProto; `fill` writes its data.
template <class F>
Bytes tensor_with(const std::string& name, int64_t type, const std::vector<int64_t>& dims, F&& fill) {
  return message([&](auto& w) {
    w.add_packed_int64(pb::tensor::kDims, dims.begin(), dims.end());
    w.add_int64(pb::tensor::kDataType, type);
    if (!name.empty()) w.add_string(pb::tensor::kName, name);
    fill(w);
  });
}
inline Bytes raw_tensor(const std::string& name, int64_t type, const std::vector<int64_t>& dims,
                        const Bytes& raw) {
  return tensor_with(name, type, dims, [&](auto& w) { w.add_bytes(pb::tensor::kRawData, raw); });
}
template <class T>
Bytes bytes_of(const std::vector<T>& values) {
  return Bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}
inline Bytes float_tensor(const std::string& name, const std::vector<int64_t>& dims,
                          const std::vector<float>& values) {
  return raw_tensor(name, 1, dims, bytes_of(values));
}

/// A TypeProto of a tensor. A dim is a number, a name, or "?" for neither.
inline Bytes tensor_type(int64_t type, const Strings& dims, bool has_shape = true) {
  const Bytes shape = message([&](auto& w) {
    for (const std::string& d : dims) {
      w.add_message(pb::shape::kDim, message([&](auto& dim) {
                      char* end = nullptr;
                      const long long number = std::strtoll(d.c_str(), &end, 10);
                      if (*end == '\0') {
                        dim.add_int64(pb::dim::kValue, number);
                      } else if (d != "?") {
                        dim.add_string(pb::dim::kParam, d);
                      }
                    }));
    }
  });
  return message([&](auto& w) {
    w.add_message(pb::type::kTensor, message([&](auto& t) {
                    t.add_int64(pb::tensor_type::kElemType, type);
                    if (has_shape) t.add_message(pb::tensor_type::kShape, shape);
                  }));
  });
}
inline Bytes value_of_type(const std::string& name, const Bytes& type) {
  return message([&](auto& w) {
    w.add_string(pb::value_info::kName, name);
    if (!type.empty()) w.add_message(pb::value_info::kType, type);
  });
}
inline Bytes value(const std::string& name) { return value_of_type(name, {}); }
inline Bytes value(const std::string& name, int64_t type, const Strings& dims) {
  return value_of_type(name, tensor_type(type, dims));
}

struct GraphSpec {
  Strings nodes = {}, initializers = {}, inputs = {}, outputs = {}, value_infos = {},
          sparse_initializers = {};
  std::string name = "g";
};
inline Bytes graph(const GraphSpec& spec) {
  return message([&](auto& w) {
    add_all(w, pb::graph::kNode, spec.nodes);
    w.add_string(pb::graph::kName, spec.name);
    add_all(w, pb::graph::kInitializer, spec.initializers);
    add_all(w, pb::graph::kInput, spec.inputs);
    add_all(w, pb::graph::kOutput, spec.outputs);
    add_all(w, pb::graph::kValueInfo, spec.value_infos);
    add_all(w, pb::graph::kSparseInitializer, spec.sparse_initializers);
  });
}

using Opsets = std::vector<std::pair<std::string, int64_t>>;
inline void add_opsets(protozero::pbf_writer& w, uint32_t number, const Opsets& opsets) {
  for (const auto& [domain, version] : opsets) {
    w.add_message(number, message([&](auto& o) {
                    if (!domain.empty()) o.add_string(pb::opset::kDomain, domain);
                    o.add_int64(pb::opset::kVersion, version);
                  }));
  }
}

struct FunctionSpec {
  std::string name = "F", domain = "local", overload = "";
  Strings inputs = {}, outputs = {}, attributes = {}, defaults = {}, nodes = {};
  Opsets opsets = {};
};
inline Bytes function(const FunctionSpec& spec) {
  return message([&](auto& w) {
    w.add_string(pb::function::kName, spec.name);
    add_all(w, pb::function::kInput, spec.inputs);
    add_all(w, pb::function::kOutput, spec.outputs);
    add_all(w, pb::function::kAttribute, spec.attributes);
    add_all(w, pb::function::kNode, spec.nodes);
    add_opsets(w, pb::function::kOpsetImport, spec.opsets);
    w.add_string(pb::function::kDomain, spec.domain);
    add_all(w, pb::function::kAttributeProto, spec.defaults);
    if (!spec.overload.empty()) w.add_string(pb::function::kOverload, spec.overload);
  });
}

struct ModelSpec {
  Bytes graph;
  int64_t ir_version = 8;
  Opsets opsets = {{"", 17}};
  Strings functions = {};
};
inline Bytes model_file(const ModelSpec& spec) {
  return message([&](auto& w) {
    w.add_int64(pb::model::kIrVersion, spec.ir_version);
    w.add_string(pb::model::kProducerName, "test");
    w.add_message(pb::model::kGraph, spec.graph);
    add_opsets(w, pb::model::kOpsetImport, spec.opsets);
    add_all(w, pb::model::kFunctions, spec.functions);
  });
}

inline ModelBytes model_bytes(std::string_view file) {
  return ModelBytes::copy_of(std::as_bytes(std::span(file.data(), file.size())));
}
inline Model read(std::string_view file, const std::map<std::string, ModelBytes>& external = {}) {
  return read_onnx(model_bytes(file), external);
}

/// The message of the kModel error that reading gives; fails the test when there is none.
inline std::string read_error(std::string_view file, const std::map<std::string, ModelBytes>& external = {}) {
  try {
    read(file, external);
  } catch (const Error& e) {
    CHECK(e.code == ErrorCode::kModel);
    return e.message;
  }
  FAIL("the model was read");
  return {};
}

inline ValueId find_value(const Graph& g, std::string_view name) {
  for (size_t i = 0; i < g.values.size(); ++i) {
    if (g.values[i].name == name) return static_cast<ValueId>(i);
  }
  return kNoValue;
}
/// The constant of this name; fails the test when there is none.
inline const Tensor& constant(const Graph& g, std::string_view name) {
  const ValueId id = find_value(g, name);
  REQUIRE(g.is_constant(id));
  return g.value(id).constant;
}

/// A model of one initializer, "w", which is its output too.
inline Bytes weight_file(const Bytes& tensor) {
  return model_file({.graph = graph({.initializers = {tensor}, .outputs = {value("w")}})});
}

}  // namespace kinglet::test
