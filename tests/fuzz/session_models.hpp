#pragma once
// Small models as data, so that a fuzzer can change any number, name or type in them before they are written
// as ONNX.

#include <variant>

#include "model/onnx_writer.hpp"

namespace kinglet::test {

struct FuzzGraph;

struct FuzzAttribute {
  using Ints = std::vector<int64_t>;
  using Floats = std::vector<float>;
  std::string name;
  std::variant<int64_t, float, std::string, Ints, Floats, Strings, std::shared_ptr<FuzzGraph>> value;
};

struct FuzzNode {
  std::string op;
  Strings inputs, outputs;
  std::vector<FuzzAttribute> attributes = {};
};

/// Elements are given as floats or int64; other types are made from the integers.
struct FuzzConstant {
  std::string name;
  int64_t type = 1;
  std::vector<int64_t> dims;
  std::vector<int64_t> values = {};  ///< of a float constant: multiples of 1/8
};

struct FuzzInput {
  std::string name;
  int64_t type = 1;
  Strings dims;
};

struct FuzzGraph {
  std::vector<FuzzNode> nodes;
  std::vector<FuzzConstant> constants = {};
  std::vector<FuzzInput> inputs = {};
  Strings outputs = {};
  int64_t opset = 18;
};

/// A float constant of this shape whose elements repeat 1, -2, 3, -4, 5 eighths.
inline FuzzConstant weights(const std::string& name, std::vector<int64_t> dims) {
  FuzzConstant c{name, 1, std::move(dims), {}};
  int64_t count = 1;
  for (const int64_t d : c.dims) count *= d;
  for (int64_t i = 0; i < count; ++i) c.values.push_back((i % 2 == 0 ? 1 : -1) * (i % 5 + 1));
  return c;
}
inline FuzzConstant longs(const std::string& name, std::vector<int64_t> values) {
  const auto count = static_cast<int64_t>(values.size());
  return {name, 7, {count}, std::move(values)};
}
inline FuzzConstant long_scalar(const std::string& name, int64_t value) { return {name, 7, {}, {value}}; }

/// Bytes of `count` elements of an ONNX type, from integers that repeat when there are too few.
inline Bytes constant_bytes(const FuzzConstant& c, size_t count) {
  Bytes out;
  const auto put = [&](auto v) { out.append(reinterpret_cast<const char*>(&v), sizeof v); };
  for (size_t i = 0; i < count; ++i) {
    const int64_t v = c.values.empty() ? 0 : c.values[i % c.values.size()];
    switch (c.type) {
      case 1:
        put(static_cast<float>(v) / 8);
        break;
      case 6:
        put(static_cast<int32_t>(v));
        break;
      case 9:
        put(static_cast<uint8_t>(v != 0));
        break;
      case 10:
        put(Float16(static_cast<float>(v) / 8));
        break;
      case 11:
        put(static_cast<double>(v) / 8);
        break;
      case 2:
      case 3:
        put(static_cast<int8_t>(v));
        break;
      default:
        put(v);
    }
  }
  return out;
}

inline Bytes write_graph(const FuzzGraph& g);

inline Bytes write_attribute(const FuzzAttribute& a) {
  using Type = onnx::AttributeType;
  struct Visitor {
    const std::string& name;
    Bytes operator()(int64_t v) const { return int_attribute(name, v); }
    Bytes operator()(float v) const {
      return attribute(name, Type::kFloat, [&](auto& w) { w.add_float(pb::attribute::kFloat, v); });
    }
    Bytes operator()(const std::string& v) const {
      return attribute(name, Type::kString, [&](auto& w) { w.add_string(pb::attribute::kString, v); });
    }
    Bytes operator()(const FuzzAttribute::Ints& v) const {
      return attribute(name, Type::kInts,
                       [&](auto& w) { w.add_packed_int64(pb::attribute::kInts, v.begin(), v.end()); });
    }
    Bytes operator()(const FuzzAttribute::Floats& v) const {
      return attribute(name, Type::kFloats,
                       [&](auto& w) { w.add_packed_float(pb::attribute::kFloats, v.begin(), v.end()); });
    }
    Bytes operator()(const Strings& v) const {
      return attribute(name, Type::kStrings, [&](auto& w) { add_all(w, pb::attribute::kStrings, v); });
    }
    Bytes operator()(const std::shared_ptr<FuzzGraph>& v) const {
      return graph_attribute(name, write_graph(*v));
    }
  };
  return std::visit(Visitor{a.name}, a.value);
}

inline Bytes write_graph(const FuzzGraph& g) {
  GraphSpec spec;
  for (const FuzzNode& n : g.nodes) {
    Strings attributes;
    for (const FuzzAttribute& a : n.attributes) attributes.push_back(write_attribute(a));
    spec.nodes.push_back(node(n.op, n.inputs, n.outputs, attributes));
  }
  for (const FuzzConstant& c : g.constants) {
    int64_t count = 1;
    for (const int64_t d : c.dims) count = d < 0 || d > 4096 || count > 4096 ? 0 : count * d;
    spec.initializers.push_back(
        raw_tensor(c.name, c.type, c.dims, constant_bytes(c, static_cast<size_t>(count))));
  }
  for (const FuzzInput& i : g.inputs) spec.inputs.push_back(value(i.name, i.type, i.dims));
  for (const std::string& o : g.outputs) spec.outputs.push_back(value(o));
  return graph(spec);
}

inline Bytes write_model(const FuzzGraph& g) {
  return model_file({.graph = write_graph(g), .opsets = {{"", g.opset}}});
}

/// Models that between them use most operators, each a few nodes on tensors of a few elements.
std::vector<FuzzGraph> fuzz_models();

}  // namespace kinglet::test
