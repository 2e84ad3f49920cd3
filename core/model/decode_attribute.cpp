#include <optional>

#include "base/inlining.hpp"
#include "model/decoder.hpp"
#include "model/onnx_proto.hpp"

namespace kinglet::onnx {
namespace {

using Kind = Attribute::Kind;

/// The kind that AttributeProto.type says, or nothing when it says none. Throws kModel for types that no
/// supported operator has.
std::optional<Kind> stated_kind(int64_t type) {
  switch (static_cast<AttributeType>(type)) {
    case AttributeType::kUndefined: return std::nullopt;
    case AttributeType::kFloat: return Kind::kFloat;
    case AttributeType::kInt: return Kind::kInt;
    case AttributeType::kString: return Kind::kString;
    case AttributeType::kTensor:
    case AttributeType::kSparseTensor: return Kind::kTensor;
    case AttributeType::kGraph: return Kind::kGraph;
    case AttributeType::kFloats: return Kind::kFloats;
    case AttributeType::kInts: return Kind::kInts;
    case AttributeType::kStrings: return Kind::kStrings;
    case AttributeType::kTensors:
    case AttributeType::kSparseTensors: return Kind::kTensors;
    case AttributeType::kGraphs: return Kind::kGraphs;
    case AttributeType::kTypeProto: return Kind::kType;
    case AttributeType::kTypeProtos: throw_error(ErrorCode::kModel, "lists of types are not supported");
  }
  throw_error(ErrorCode::kModel, "attribute type {} is unknown", type);
}

std::string_view kind_name(Kind kind) {
  static constexpr std::string_view kNames[] = {"INT",  "FLOAT",  "STRING",  "TENSOR",  "GRAPH",
                                                "INTS", "FLOATS", "STRINGS", "TENSORS", "GRAPHS", "TYPE_PROTO"};
  return kNames[static_cast<size_t>(kind)];
}

/// The kind whose field this is.
std::optional<Kind> kind_of_field(uint32_t number) {
  switch (number) {
    case field::attribute::kFloat: return Kind::kFloat;
    case field::attribute::kInt: return Kind::kInt;
    case field::attribute::kString: return Kind::kString;
    case field::attribute::kTensor:
    case field::attribute::kSparseTensor: return Kind::kTensor;
    case field::attribute::kGraph: return Kind::kGraph;
    case field::attribute::kFloats: return Kind::kFloats;
    case field::attribute::kInts: return Kind::kInts;
    case field::attribute::kStrings: return Kind::kStrings;
    case field::attribute::kTensors:
    case field::attribute::kSparseTensors: return Kind::kTensors;
    case field::attribute::kGraphs: return Kind::kGraphs;
    case field::attribute::kTypeProto: return Kind::kType;
    default: return std::nullopt;
  }
}

/// Attributes hold no tensor or graph twice where one is wanted, and not none.
void check_single(Kind kind, size_t count) {
  if (count != 1) {
    throw_error(ErrorCode::kModel, "an attribute of type {} holds {} of them", kind_name(kind), count);
  }
}

void settle_kind(DecodedAttribute& out, std::optional<Kind> stated, uint32_t found_kinds) {
  Attribute& a = out.value;
  if (!out.reference.empty()) {
    if (found_kinds != 0) throw_error(ErrorCode::kModel, "it has a value and refers to '{}'", out.reference);
    out.typed = stated.has_value();
    if (stated) a.kind = *stated;
    return;
  }
  for (uint32_t k = 0; k <= static_cast<uint32_t>(Kind::kType); ++k) {
    if ((found_kinds >> k & 1) == 0) continue;
    const Kind kind = static_cast<Kind>(k);
    if (!stated) stated = kind;  // files older than IR version 2 do not say the type
    if (*stated != kind) {
      throw_error(ErrorCode::kModel, "an attribute of type {} holds a value of type {}", kind_name(*stated),
                  kind_name(kind));
    }
  }
  if (!stated) throw_error(ErrorCode::kModel, "the attribute has no type and no value");
  out.typed = true;
  a.kind = *stated;
  if (a.kind == Kind::kTensor) check_single(a.kind, a.tensors.size());
  if (a.kind == Kind::kGraph) check_single(a.kind, out.graphs.size());
}

// What few attributes have is apart from what reads all of them.

KINGLET_APART void add_tensor(Attribute& a, NamedTensor read) { a.tensors.push_back(std::move(read.tensor)); }

KINGLET_APART void add_graph(DecodedAttribute& out, DecodedGraph graph) { out.graphs.push_back(std::move(graph)); }

KINGLET_APART void add_string(Attribute& a, std::string_view s) { a.strings.emplace_back(s); }

}  // namespace

DecodedAttribute decode_attribute(Fields fields, const WeightSources& sources, size_t depth) {
  DecodedAttribute out;
  Attribute& a = out.value;
  std::optional<Kind> stated;
  uint32_t found_kinds = 0;  // bit k: a field of Kind k was there
  try {
    while (fields.next()) {
      const uint32_t number = fields.number();
      if (const auto kind = kind_of_field(number)) found_kinds |= 1u << static_cast<uint32_t>(*kind);
      switch (number) {
        case field::attribute::kName: a.name = fields.name(); break;
        case field::attribute::kType: stated = stated_kind(fields.integer()); break;
        case field::attribute::kRefAttrName: out.reference = fields.name(); break;
        case field::attribute::kFloat: a.f = fields.float32(); break;
        case field::attribute::kInt: a.i = fields.integer(); break;
        case field::attribute::kString: a.s = fields.bytes(); break;
        case field::attribute::kFloats: fields.floats(a.floats); break;
        case field::attribute::kInts: fields.integers(a.ints); break;
        case field::attribute::kStrings: add_string(a, fields.bytes()); break;
        case field::attribute::kTensor:
        case field::attribute::kTensors:
          add_tensor(a, read_tensor(fields.message(), sources, "tensor"));
          break;
        case field::attribute::kSparseTensor:
        case field::attribute::kSparseTensors:
          add_tensor(a, read_sparse_tensor(fields.message(), sources, "sparse tensor"));
          break;
        case field::attribute::kGraph:
        case field::attribute::kGraphs:
          add_graph(out, decode_graph(fields.message(), sources, depth + 1));
          break;
        // An operator's inputs say the type themselves; it is checked and dropped.
        case field::attribute::kTypeProto: decode_type(fields.message(), 0); break;
        default: fields.skip();
      }
    }
    if (a.name.empty()) throw_error(ErrorCode::kModel, "the attribute has no name");
    settle_kind(out, stated, found_kinds);
  } catch (Error& e) {
    // What is wrong inside a subgraph is said by the subgraph's node.
    if (!a.name.empty() && e.node.empty()) e.message = text("attribute '{}': {}", a.name, e.message);
    throw;
  }
  return out;
}

}  // namespace kinglet::onnx
