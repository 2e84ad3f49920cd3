// Calls of model-local functions (ONNX IR specification, "Functions") are replaced by the functions' bodies.

#include <algorithm>

#include "model/builder.hpp"
#include "model/decoder.hpp"

namespace kinglet::onnx {
namespace {

// Functions that call functions grow exponentially: a kilobyte of file can stand for any number of nodes.
constexpr size_t kMaxInlinedBytes = size_t{64} << 20;

const DecodedAttribute* find_attribute(const std::vector<DecodedAttribute>& attributes,
                                       std::string_view name) {
  for (const DecodedAttribute& a : attributes) {
    if (a.value.name == name) return &a;
  }
  return nullptr;
}

size_t attribute_bytes(const Attribute& a) {
  size_t bytes = sizeof a + a.name.size() + a.s.size() + a.ints.size() * sizeof(int64_t) +
                 a.floats.size() * sizeof(float) + a.tensors.size() * sizeof(Tensor);
  for (const std::string& s : a.strings) bytes += sizeof s + s.size();
  return bytes;
}

}  // namespace

const DecodedFunction* Builder::function_for(const DecodedNode& node) {
  if (functions_.empty()) return nullptr;
  const auto found = functions_.find(text("{}\n{}\n{}", node.domain, node.op_type, node.overload));
  return found == functions_.end() ? nullptr : &model_.functions[found->second];
}

void Builder::check_budget(const Node& node, const Scope& scope) {
  if (scope.call == nullptr) return;
  inlined_bytes_ += sizeof node + node.name.size() + node.op_type.size() +
                    (node.inputs.size() + node.outputs.size()) * (sizeof(Value) + scope.prefix.size());
  for (const Attribute& a : node.attributes) inlined_bytes_ += attribute_bytes(a);
  if (inlined_bytes_ > kMaxInlinedBytes) {
    throw_error(ErrorCode::kModel,
                "function calls make the graph too large (they stand for more than {} bytes)",
                kMaxInlinedBytes);
  }
}

const DecodedAttribute* Builder::resolve(const DecodedAttribute& attribute, const Scope& scope) const {
  if (attribute.reference.empty()) return &attribute;
  if (scope.call == nullptr) {
    throw_error(ErrorCode::kModel,
                "attribute '{}' refers to a function's attribute '{}' outside of any function",
                attribute.value.name, attribute.reference);
  }
  for (const auto& [name, value] : scope.call->attributes) {
    if (name != attribute.reference) continue;
    if (value != nullptr && attribute.typed && attribute.value.kind != value->value.kind) {
      throw_error(ErrorCode::kModel, "attribute '{}' refers to '{}', which has another type",
                  attribute.value.name, name);
    }
    return value;
  }
  throw_error(ErrorCode::kModel, "attribute '{}' refers to '{}', which function '{}' does not declare",
              attribute.value.name, attribute.reference, scope.call->function->name);
}

Builder::Call Builder::make_call(const DecodedFunction& function, const DecodedNode& node,
                                 const Scope& scope) const {
  Call call{&function, {}};
  const auto given = [&](std::string_view name) -> const DecodedAttribute* {
    const DecodedAttribute* found = find_attribute(node.attributes, name);
    return found == nullptr ? nullptr : resolve(*found, scope);
  };
  for (const std::string_view name : function.attributes) call.attributes.emplace_back(name, given(name));
  for (const DecodedAttribute& otherwise : function.defaults) {
    const DecodedAttribute* value = given(otherwise.value.name);
    call.attributes.emplace_back(otherwise.value.name, value != nullptr ? value : &otherwise);
  }
  for (const auto& [name, value] : call.attributes) {
    // Its names would have to be looked up where the call stands, in the midst of the body's.
    if (value != nullptr && !value->graphs.empty()) {
      throw_error(ErrorCode::kModel, "attribute '{}': a graph given to a function is not supported", name);
    }
  }
  return call;
}

std::string Builder::unique_prefix(const std::string& name) {
  const size_t calls = ++prefixes_[name];
  return calls == 1 ? name + "/" : text("{}#{}/", name, calls);
}

void Builder::inline_call(const DecodedFunction& function, const DecodedNode& node, const std::string& name,
                          Scope& scope) {
  if (std::find(active_.begin(), active_.end(), &function) != active_.end()) {
    throw_error(ErrorCode::kModel, "function '{}' calls itself", function.name);
  }
  if (depth_ >= kMaxNesting) {
    throw_error(ErrorCode::kModel, "function calls nest more than {} deep", kMaxNesting);
  }
  if (node.inputs.size() > function.inputs.size() || node.outputs.size() > function.outputs.size()) {
    throw_error(ErrorCode::kModel, "{} inputs and {} outputs given, function '{}' has {} and {}",
                node.inputs.size(), node.outputs.size(), function.name, function.inputs.size(),
                function.outputs.size());
  }
  const Call call = make_call(function, node, scope);
  Scope body{scope.graph, nullptr, nullptr, &call, unique_prefix(name), {}};
  for (size_t i = 0; i < function.inputs.size(); ++i) {
    const bool given = i < node.inputs.size() && !node.inputs[i].empty();
    const ValueId id = given ? use(scope, node.inputs[i]) : kNoValue;
    if (!body.names.emplace(function.inputs[i], id).second) {
      throw_error(ErrorCode::kModel, "function '{}' has two inputs '{}'", function.name, function.inputs[i]);
    }
  }
  bind_outputs(function, node, scope, body);
  inlined_bytes_ += sizeof(Node) + body.prefix.size();
  active_.push_back(&function);
  ++depth_;
  build_nodes(function.nodes, body);
  --depth_;
  active_.pop_back();
}

void Builder::bind_outputs(const DecodedFunction& function, const DecodedNode& node, Scope& caller,
                           Scope& body) {
  // What the body calls by an output's name is the value that the call's output names; all else is new.
  NameMap bound;
  for (size_t i = 0; i < function.outputs.size(); ++i) {
    const bool wanted = i < node.outputs.size() && !node.outputs[i].empty();
    const ValueId id = wanted ? caller.names.at(node.outputs[i]) : kNoValue;
    if (!bound.emplace(function.outputs[i], id).second) {
      throw_error(ErrorCode::kModel, "function '{}' has two outputs '{}'", function.name,
                  function.outputs[i]);
    }
  }
  for (const DecodedNode& inner : function.nodes) {
    for (const std::string_view output : inner.outputs) {
      if (output.empty()) continue;
      const auto found = bound.find(output);
      if (found == bound.end() || found->second == kNoValue) {
        define(body, output);
      } else if (!body.names.emplace(output, found->second).second) {
        throw_error(ErrorCode::kModel, "value '{}' is defined twice in function '{}'", output, function.name);
      }
    }
  }
  for (const std::string_view output : function.outputs) {
    const ValueId id = bound.at(output);
    const auto found = body.names.find(output);
    if (found == body.names.end()) {
      throw_error(ErrorCode::kModel, "function '{}': its output '{}' is made by no node", function.name,
                  output);
    }
    if (id == kNoValue || found->second == id) continue;
    // The output is one of the inputs, passed through.
    if (found->second == kNoValue) {
      throw_error(ErrorCode::kModel, "function '{}' passes on input '{}', which the call leaves out",
                  function.name, output);
    }
    Node identity;
    identity.name = text("{}{}", body.prefix, output);
    identity.op_type = "Identity";
    identity.opset = opset(body, "").value_or(1);
    identity.inputs = {found->second};
    identity.own_inputs = 1;
    identity.outputs = {id};
    body.graph.nodes.push_back(std::move(identity));
  }
}

}  // namespace kinglet::onnx
