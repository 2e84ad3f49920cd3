#include "model/builder.hpp"

#include <algorithm>

#include "model/decoder.hpp"

namespace kinglet::onnx {
namespace {

// A dim beyond this is no size of anything; it would only overflow what is computed from it.
constexpr int64_t kMaxDim = int64_t{1} << 40;
constexpr int64_t kMaxElements = int64_t{1} << 48;

/// Does a dim_param name a dim? Exporters write "?" for every dim that they do not know.
bool is_name(std::string_view param) {
  return std::any_of(param.begin(), param.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
  });
}

/// Throws kModel for a type that no value can have here.
ValueType value_type(const DecodedType& type) {
  using Kind = ValueType::Kind;
  ValueType out;
  switch (type.kind) {
    case DecodedType::Kind::kTensor: out.kind = Kind::kTensor; break;
    case DecodedType::Kind::kSequence: out.kind = Kind::kSequence; break;
    case DecodedType::Kind::kMap: out.kind = Kind::kMap; break;
    case DecodedType::Kind::kOptional: out.kind = Kind::kOptional; break;
    case DecodedType::Kind::kNone: throw_error(ErrorCode::kModel, "the type is missing");
    case DecodedType::Kind::kSparseTensor: throw_error(ErrorCode::kModel, "sparse tensors are supported as weights only");
    case DecodedType::Kind::kOpaque: throw_error(ErrorCode::kModel, "opaque types are not supported");
  }
  if (out.kind == Kind::kTensor || out.kind == Kind::kMap) out.dtype = element_type(type.elem_type);
  if (type.item != nullptr) out.item = std::make_shared<ValueType>(value_type(*type.item));
  return out;
}

}  // namespace

Graph Builder::build() {
  for (size_t i = 0; i < model_.functions.size(); ++i) {
    const DecodedFunction& f = model_.functions[i];
    if (!functions_.emplace(text("{}\n{}\n{}", f.domain, f.name, f.overload), i).second) {
      throw_error(ErrorCode::kModel, "function '{}' of domain '{}' is defined twice", f.name, f.domain);
    }
  }
  check_main_inputs(model_.graph);
  Graph graph;
  graph.symbols = symbol_names_;
  Scope scope{graph, nullptr, nullptr, nullptr, {}, {}};
  build_graph(model_.graph, scope);
  if (graph.outputs.empty()) throw_error(ErrorCode::kModel, "the model's graph has no outputs");
  return graph;
}

void Builder::build_graph(const DecodedGraph& decoded, Scope& scope) {
  scope.graph.name = decoded.name;
  add_constants_and_inputs(decoded, scope);
  // All names are known before any is used: nodes may come in any order, and a subgraph may use what comes
  // later.
  declare_outputs(decoded.nodes, scope);
  apply_types(decoded.inputs, scope);
  apply_types(decoded.outputs, scope);
  apply_types(decoded.value_infos, scope);
  build_nodes(decoded.nodes, scope);
  add_outputs(decoded, scope);
  scope.graph.sort_topologically();
}

void Builder::add_constants_and_inputs(const DecodedGraph& decoded, Scope& scope) {
  for (const DecodedInitializer& initializer : decoded.initializers) {
    if (initializer.name.empty()) throw_error(ErrorCode::kModel, "an initializer has no name");
    define(scope, initializer.name, initializer.tensor);
  }
  NameMap seen;
  for (const DecodedValue& input : decoded.inputs) {
    if (input.name.empty()) {
      throw_error(ErrorCode::kModel, "graph '{}' has an input without a name", decoded.name);
    }
    if (!seen.emplace(input.name, kNoValue).second) {
      throw_error(ErrorCode::kModel, "input '{}' is listed twice", input.name);
    }
    // An initializer that is listed as an input too (every one of them, before IR version 4) is its default
    // value.
    if (const auto found = scope.names.find(input.name); found != scope.names.end()) continue;
    scope.graph.inputs.push_back(define(scope, input.name));
  }
}

void Builder::check_main_inputs(const DecodedGraph& decoded) const {
  NameMap constants;
  for (const DecodedInitializer& initializer : decoded.initializers) constants.emplace(initializer.name, kNoValue);
  const auto check = [](std::string_view what, const DecodedValue& value) {
    try {
      value_type(value.type);
    } catch (Error& e) {
      e.message = text("{} '{}': {}", what, value.name, e.message);
      throw;
    }
  };
  for (const DecodedValue& input : decoded.inputs) {
    if (!constants.contains(input.name)) check("input", input);
  }
  NameMap seen;
  for (const DecodedValue& output : decoded.outputs) {
    if (!seen.emplace(output.name, kNoValue).second) {
      throw_error(ErrorCode::kModel, "output '{}' is listed twice", output.name);
    }
    const bool untyped = output.type.kind == DecodedType::Kind::kNone ||
                         (output.type.kind == DecodedType::Kind::kTensor && output.type.elem_type == 0);
    if (!untyped) check("output", output);
  }
}

void Builder::declare_outputs(const std::vector<DecodedNode>& nodes, Scope& scope) {
  for (const DecodedNode& node : nodes) {
    for (const std::string_view output : node.outputs) {
      if (!output.empty()) define(scope, output);
    }
  }
}

void Builder::apply_types(const std::vector<DecodedValue>& values, Scope& scope) {
  for (const DecodedValue& info : values) {
    const auto found = scope.names.find(info.name);
    if (found == scope.names.end() || found->second == kNoValue) continue;
    Value& value = scope.graph.value(found->second);
    if (value.dtype == DType::kUndefined) apply_type(value, info.type);
  }
}

void Builder::apply_type(Value& value, const DecodedType& type) {
  using Kind = DecodedType::Kind;
  if (type.kind == Kind::kSequence || type.kind == Kind::kMap || type.kind == Kind::kOptional) {
    value.declared = std::make_shared<ValueType>(value_type(type));
    value.dtype = value.declared->stored();
    return;
  }
  if (type.kind != Kind::kTensor) return;
  // A type that this build lacks is refused where it is an input, an output or a constant; in between, the
  // operators know what they make.
  value.dtype = dtype_from_onnx(type.elem_type).value_or(DType::kUndefined);
  if (!type.has_shape) return;
  std::vector<Dim> dims;
  int64_t product = 1;
  for (const DecodedType::Dim& d : type.dims) {
    if (d.value > kMaxDim || (d.value > 0 && product > kMaxElements / d.value)) {
      throw_error(ErrorCode::kModel, "value '{}': a shape with dim {} is too large", value.name, d.value);
    }
    if (d.value > 0) product *= d.value;
    if (!is_name(d.param)) {
      dims.push_back(Dim(d.value));  // exporters write -1 for an unknown dim
      continue;
    }
    const auto [place, is_new] = symbols_.emplace(d.param, static_cast<ValueId>(symbol_names_->size()));
    if (is_new) symbol_names_->emplace_back(d.param);
    const Dim symbol = Dim::symbol(static_cast<size_t>(place->second));
    // One name for two dims of a tensor is mostly an exporter's "dynamic": they need not be equal.
    const bool repeated = std::any_of(dims.begin(), dims.end(), [&](Dim other) { return other.same(symbol); });
    dims.push_back(repeated ? Dim() : symbol);
  }
  value.shape = SymShape(std::move(dims));
}

void Builder::build_nodes(const std::vector<DecodedNode>& nodes, Scope& scope) {
  for (size_t i = 0; i < nodes.size(); ++i) {
    const DecodedNode& decoded = nodes[i];
    const std::string name = scope.prefix + name_of(decoded, i);
    try {
      if (const DecodedFunction* function = function_for(decoded)) {
        inline_call(*function, decoded, name, scope);
      } else {
        build_node(decoded, name, scope);
      }
    } catch (Error& e) {
      if (e.node.empty()) {
        e.node = name;
        e.op = decoded.op_type;
        e.message = text("{} ({}): {}", name, decoded.op_type, e.message);
      }
      throw;
    }
  }
}

void Builder::build_node(const DecodedNode& decoded, const std::string& name, Scope& scope) {
  Node node;
  node.name = name;
  node.op_type = decoded.op_type;
  node.domain = decoded.domain;
  const auto version = opset(scope, decoded.domain);
  if (!version) {
    throw_error(ErrorCode::kModel, "the model imports no operator set of domain '{}'", decoded.domain);
  }
  node.opset = *version;
  for (const std::string_view input : decoded.inputs) {
    node.inputs.push_back(input.empty() ? kNoValue : use(scope, input));
  }
  // Optional inputs that are left out at the end are as good as not listed.
  while (!node.inputs.empty() && node.inputs.back() == kNoValue) node.inputs.pop_back();
  node.own_inputs = node.inputs.size();
  for (const std::string_view output : decoded.outputs) {
    node.outputs.push_back(output.empty() ? kNoValue : scope.names.at(output));
  }
  Site site{node, {}};
  for (const DecodedAttribute& attribute : decoded.attributes) build_attribute(attribute, site, scope);
  check_budget(node, scope);
  scope.graph.nodes.push_back(std::move(node));
}

void Builder::build_attribute(const DecodedAttribute& decoded, Site& site, Scope& scope) {
  const DecodedAttribute* source = resolve(decoded, scope);
  if (source == nullptr) return;  // refers to an attribute that the function's call leaves out
  Attribute attribute = source->value;
  attribute.name = decoded.value.name;
  for (const DecodedGraph& graph : source->graphs) {
    if (++depth_ > kMaxNesting) {
      throw_error(ErrorCode::kModel, "subgraphs nest more than {} deep", kMaxNesting);
    }
    auto subgraph = std::make_unique<Graph>();
    subgraph->is_subgraph = true;
    subgraph->symbols = scope.graph.symbols;
    Scope inner{*subgraph, &scope, &site, scope.call, scope.prefix, {}};
    build_graph(graph, inner);
    --depth_;
    attribute.subgraphs.push_back(site.node.subgraphs.size());
    site.node.subgraphs.push_back(std::move(subgraph));
  }
  site.node.attributes.push_back(std::move(attribute));
}

void Builder::add_outputs(const DecodedGraph& decoded, Scope& scope) {
  for (const DecodedValue& output : decoded.outputs) {
    const auto id = output.name.empty() ? std::nullopt : find(scope, output.name);
    if (!id || *id == kNoValue) {
      throw_error(ErrorCode::kModel, "output '{}' of graph '{}' is made by no node, input or initializer",
                  output.name, decoded.name);
    }
    scope.graph.outputs.push_back(*id);
  }
}

ValueId Builder::define(Scope& scope, std::string_view name, Tensor constant) {
  const auto [place, is_new] = scope.names.emplace(name, kNoValue);
  if (!is_new) throw_error(ErrorCode::kModel, "value '{}' is defined twice", name);
  std::string full = scope.prefix + std::string(name);
  place->second = constant.valid() ? scope.graph.add_constant(std::move(full), std::move(constant))
                                   : scope.graph.add_value(std::move(full));
  return place->second;
}

std::optional<ValueId> Builder::find(Scope& scope, std::string_view name) {
  if (const auto found = scope.names.find(name); found != scope.names.end()) return found->second;
  if (scope.parent == nullptr) return std::nullopt;
  const auto outer = find(*scope.parent, name);
  if (!outer || *outer == kNoValue) return outer;
  const Value& value = scope.parent->graph.value(*outer);
  ValueId inner = kNoValue;
  if (value.constant.valid()) {
    inner = scope.graph.add_constant(value.name, value.constant);
  } else {
    inner = scope.graph.add_value(value.name, value.dtype, value.shape);
    Node& node = scope.site->node;
    const auto [place, is_new] = scope.site->captured.emplace(*outer, node.inputs.size());
    if (is_new) node.inputs.push_back(*outer);
    scope.graph.captures.push_back({inner, place->second});
  }
  scope.names.emplace(name, inner);
  return inner;
}

ValueId Builder::use(Scope& scope, std::string_view name) {
  const auto id = find(scope, name);
  if (!id) throw_error(ErrorCode::kModel, "input '{}' is made by no node, input or initializer", name);
  return *id;
}

std::optional<int64_t> Builder::opset(const Scope& scope, std::string_view domain) const {
  const auto in = [&](const OpsetImports& imports) -> std::optional<int64_t> {
    for (const auto& [name, version] : imports) {
      if (name == domain) return version;
    }
    return std::nullopt;
  };
  if (scope.call != nullptr) {
    if (const auto version = in(scope.call->function->opsets)) return version;
  }
  return in(model_.opsets);
}

}  // namespace kinglet::onnx
