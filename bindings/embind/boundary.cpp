#include "boundary.hpp"

#include <array>

namespace kinglet::binding {
namespace {

const char* code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kModel: return "model";
    case ErrorCode::kUnsupportedOperator: return "unsupported-operator";
    case ErrorCode::kShape: return "shape";
    case ErrorCode::kOutOfMemory: return "out-of-memory";
    case ErrorCode::kInvalidArgument: return "invalid-argument";
    case ErrorCode::kAborted: return "aborted";
    case ErrorCode::kInternal: return "internal";
  }
  return "internal";
}

// val::u8string reads the characters where they lie: no copy in the wasm heap.
void set(val& object, const char* key, const char* text) {
  object.set(val::u8string(key), val::u8string(text));
}
void set(val& object, const char* key, const std::string& text) { set(object, key, text.c_str()); }
void set(val& object, const char* key, uint64_t number) {
  object.set(val::u8string(key), val(static_cast<double>(number)));
}

val wrap(const val& error) {
  val result = val::object();
  result.set(val::u8string("error"), error);
  return result;
}

val missing_to_js(const std::vector<MissingOperator>& missing) {
  val list = val::array();
  for (size_t i = 0; i < missing.size(); ++i) {
    val entry = val::object();
    set(entry, "op", missing[i].op);
    set(entry, "domain", missing[i].domain);
    set(entry, "opset", static_cast<uint64_t>(missing[i].opset));
    val nodes = val::array();
    for (size_t n = 0; n < missing[i].nodes.size(); ++n) {
      nodes.set(n, val::u8string(missing[i].nodes[n].c_str()));
    }
    entry.set(val::u8string("nodes"), nodes);
    list.set(i, entry);
  }
  return list;
}

}  // namespace

val to_js(const Error& error) {
  val object = val::object();
  set(object, "code", code_name(error.code));
  set(object, "message", error.message);
  set(object, "node", error.node);
  set(object, "op", error.op);
  set(object, "input", error.input);
  set(object, "expected", error.expected);
  set(object, "actual", error.actual);
  set(object, "location", error.location);
  object.set(val::u8string("missing"), missing_to_js(error.missing));
  set(object, "requestedBytes", error.requested_bytes);
  set(object, "limitBytes", error.limit_bytes);
  return wrap(object);
}

val out_of_memory_to_js() {
  val object = val::object();
  set(object, "code", code_name(ErrorCode::kOutOfMemory));
  set(object, "message", "out of memory: a small allocation failed");
  return wrap(object);
}

val internal_error_to_js(const char* what) {
  val object = val::object();
  set(object, "code", code_name(ErrorCode::kInternal));
  set(object, "message", what);
  return wrap(object);
}

size_t bytes_from_js(double bytes) {
  if (!(bytes <= static_cast<double>(SIZE_MAX))) throw_out_of_memory(static_cast<uint64_t>(bytes));
  return static_cast<size_t>(bytes);
}

val to_js(const Shape& shape) {
  val dims = val::array();
  for (size_t i = 0; i < shape.rank(); ++i) dims.set(i, static_cast<double>(shape[i]));
  return dims;
}

Shape shape_from_js(const val& dims) {
  const auto rank = dims["length"].as<size_t>();
  if (rank > kMaxRank) throw_error(ErrorCode::kShape, "rank {} is above the limit of {}", rank, kMaxRank);
  Shape shape;
  for (size_t i = 0; i < rank; ++i) shape.push_back(static_cast<int64_t>(dims[i].as<double>()));
  return shape;
}

}  // namespace kinglet::binding
