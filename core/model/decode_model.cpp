#include "model/decoder.hpp"
#include "model/file_kind.hpp"
#include "model/onnx_proto.hpp"

namespace kinglet::onnx {
namespace {

constexpr int64_t kMinIrVersion = 3;    // the first with operator sets
constexpr int64_t kMaxIrVersion = 100;  // 12 is today's; what is far above is no version but garbage
constexpr int64_t kMaxOpset = 10000;
constexpr size_t kMaxImports = 1024;  // they are searched one by one

bool is_ir_version(int64_t version) { return version >= kMinIrVersion && version <= kMaxIrVersion; }

void check_function(const DecodedFunction& f) {
  if (f.name.empty()) throw_error(ErrorCode::kModel, "a function has no name");
  if (f.attributes.size() + f.defaults.size() > kMaxImports) {
    throw_error(ErrorCode::kModel, "function '{}' has more than {} attributes", f.name, kMaxImports);
  }
}

void check_model(const DecodedModel& model, bool has_graph) {
  if (!has_graph) {
    throw_error(ErrorCode::kModel, "this is not an ONNX model: it holds no graph (is the file cut off?)");
  }
  if (!is_ir_version(model.ir_version)) {
    throw_error(ErrorCode::kModel, "the model's IR version is {}, expected {} or later", model.ir_version,
                kMinIrVersion);
  }
  if (model.opsets.empty()) {
    throw_error(ErrorCode::kModel, "the model imports no operator set (is the file cut off?)");
  }
}

}  // namespace

void decode_opset(Fields fields, OpsetImports& out) {
  std::string_view domain;
  int64_t version = 0;
  while (fields.next()) {
    switch (fields.number()) {
      case field::opset::kDomain: domain = normal_domain(fields.name()); break;
      case field::opset::kVersion: version = fields.integer(); break;
      default: fields.skip();
    }
  }
  if (version < 1 || version > kMaxOpset) {
    throw_error(ErrorCode::kModel, "operator set '{}' is imported in version {}", domain, version);
  }
  for (const auto& [other, other_version] : out) {
    if (other != domain) continue;
    if (other_version == version) return;
    throw_error(ErrorCode::kModel, "operator set '{}' is imported in versions {} and {}", domain,
                other_version, version);
  }
  if (out.size() == kMaxImports) throw_error(ErrorCode::kModel, "more than {} operator sets", kMaxImports);
  out.emplace_back(domain, version);
}

DecodedFunction decode_function(Fields fields, const WeightSources& sources) {
  DecodedFunction out;
  try {
    while (fields.next()) {
      switch (fields.number()) {
        case field::function::kName: out.name = fields.name(); break;
        case field::function::kDomain: out.domain = normal_domain(fields.name()); break;
        case field::function::kOverload: out.overload = fields.name(); break;
        case field::function::kInput: out.inputs.push_back(fields.name()); break;
        case field::function::kOutput: out.outputs.push_back(fields.name()); break;
        case field::function::kAttribute: out.attributes.push_back(fields.name()); break;
        case field::function::kAttributeProto:
          out.defaults.push_back(decode_attribute(fields.message(), sources, 0));
          break;
        case field::function::kOpsetImport: decode_opset(fields.message(), out.opsets); break;
        case field::function::kNode:
          out.nodes.push_back(decode_node(fields.message(), sources, 0, out.nodes.size()));
          break;
        default: fields.skip();
      }
    }
  } catch (Error& e) {
    if (!out.name.empty()) e.message = text("function '{}': {}", out.name, e.message);
    throw;
  }
  check_function(out);
  return out;
}

namespace {

/// Fields of the ModelProto into `out`; returns whether one was the graph.
bool decode_fields(const WeightSources& sources, DecodedModel& out) {
  Fields fields(sources.file(), sources.file().data());
  std::string_view producer, producer_version;
  bool has_graph = false;
  while (fields.next()) {
    switch (fields.number()) {
      case field::model::kIrVersion: out.ir_version = fields.integer(); break;
      case field::model::kProducerName: producer = fields.name(); break;
      case field::model::kProducerVersion: producer_version = fields.name(); break;
      case field::model::kOpsetImport: decode_opset(fields.message(), out.opsets); break;
      case field::model::kFunctions:
        out.functions.push_back(decode_function(fields.message(), sources));
        break;
      case field::model::kGraph:
        if (has_graph) fields.fail("the model has two graphs");
        has_graph = true;
        out.graph = decode_graph(fields.message(), sources, 0);
        break;
      default: fields.skip();
    }
  }
  out.producer = producer;
  if (!producer_version.empty()) out.producer += text(" {}", producer_version);
  return has_graph;
}

}  // namespace

DecodedModel decode_model(const WeightSources& sources) {
  DecodedModel out;
  bool has_graph = false;
  try {
    has_graph = decode_fields(sources, out);
  } catch (Error& e) {
    // Writers begin with the version: bytes that show none before they break are something else.
    if (!is_ir_version(out.ir_version)) {
      e.message = text("this is {}: {}", is_text(sources.file()) ? "text, not an ONNX model" : "not an ONNX model", e.message);
    }
    throw;
  }
  check_model(out, has_graph);
  return out;
}

}  // namespace kinglet::onnx
