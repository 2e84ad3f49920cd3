// Damaged files: each reads, or throws an Error of code kModel, and nothing else. Run under the sanitizers.

#include "model/sample_files.hpp"
#include "model/wire.hpp"

using namespace kinglet;
using namespace kinglet::test;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

/// Reads; true when that gave a model, false when it gave a kModel error with a message.
bool reads(std::string_view file) {
  try {
    read(file, sample_external_data());
    return true;
  } catch (const Error& e) {
    if (e.code != ErrorCode::kModel || e.message.empty()) FAIL("error of another kind: " << e.message);
    return false;
  }
}

}  // namespace

TEST_CASE("the sample files are whole", "[onnx]") {
  for (const auto& [label, file] : sample_files()) {
    CAPTURE(label);
    CHECK_NOTHROW(read(file, sample_external_data()));
  }
}

TEST_CASE("a file cut off at any byte", "[onnx]") {
  for (const auto& [label, file] : sample_files()) {
    CAPTURE(label);
    size_t refused = 0;
    for (size_t size = 0; size < file.size(); ++size) {
      refused += !reads(std::string_view(file).substr(0, size));
    }
    // What is cut off behind the graph and the operator sets may be missed; all else is not.
    CHECK(refused > file.size() / 2);
  }
}

TEST_CASE("any single bit flipped", "[onnx]") {
  for (const auto& [label, original] : sample_files()) {
    CAPTURE(label);
    Bytes file = original;
    size_t refused = 0;
    for (size_t bit = 0; bit < file.size() * 8; ++bit) {
      const char mask = static_cast<char>(1u << (bit % 8));
      file[bit / 8] ^= mask;
      refused += !reads(file);
      file[bit / 8] ^= mask;
    }
    CHECK(refused > file.size());
  }
}

TEST_CASE("every field with every wire type", "[onnx]") {
  // A message of one field, put in each place of a model; most are of the wrong wire type there.
  const std::string payloads[] = {std::string("\x96\x01", 2),
                                  std::string(8, '\x01'),
                                  std::string("\x03"
                                              "abc"),
                                  "",
                                  "",
                                  std::string(4, '\x01')};
  for (uint32_t number = 1; number <= 30; ++number) {
    for (uint32_t type = 0; type < 8; ++type) {
      const uint32_t key = number << 3 | type;
      Bytes field;
      if (key >= 0x80) field += static_cast<char>((key & 0x7f) | 0x80);
      field += static_cast<char>(key >= 0x80 ? key >> 7 : key);
      if (type < 6) field += payloads[type];
      CAPTURE(number, type);
      reads(
          model_file({.graph = graph({.nodes = {node("Op", {}, {"y"}) + field}, .outputs = {value("y")}})}));
      reads(
          model_file({.graph = graph({.nodes = {node("Op", {}, {"y"}, {field})}, .outputs = {value("y")}})}));
      reads(model_file({.graph = graph({.initializers = {field}, .outputs = {value("y")}})}));
      reads(
          model_file({.graph = graph({.inputs = {field}, .outputs = {value_of_type("x", field)}}) + field}) +
          field);
      reads(model_file(
          {.graph = graph({.outputs = {value("y")}, .sparse_initializers = {field}}), .functions = {field}}));
    }
  }
}

TEST_CASE("malformed protobuf is said with its place", "[onnx]") {
  struct Row {
    const char* label;
    Bytes file;
    const char* message;
  };
  using namespace std::string_literals;
  const Row rows[] = {
      {"length beyond the end",
       "\x08\x08\x3a\x7f"
       "abc"s,
       "at byte 2: field 7: 127 bytes long, but only 3 are left"},
      {"length of 2^31",
       "\x08\x08\x3a\x80\x80\x80\x80\x08"
       "abc"s,
       "2147483648 bytes long, but only 3 are left"},
      {"length of 2^64-1", "\x08\x08\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s,
       "18446744073709551615 bytes long"},
      {"skipped length beyond the end",
       "\x08\x08\x32\x7f"
       "abc"s,
       "field 6: 127 bytes long"},
      {"varint cut", "\x08\x88"s, "at byte 0: field 1: malformed number"},
      {"varint of 11 bytes", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s,
       "field 1: malformed number"},
      {"field 0", "\x08\x08\x02\x00"s, "at byte 2: impossible field number"},
      {"group", "\x08\x08\x3b"s, "at byte 2: unknown wire type"},
      {"wrong wire type", "\x08\x08\x38\x01"s, "at byte 2: field 7: wire type 0, expected 2"},
      {"fixed number cut", "\x08\x08\x35\x01"s, "field 6: the bytes end within a field"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.label);
    CHECK_THAT(read_error(row.file), ContainsSubstring(row.message));
  }
}

TEST_CASE("bytes that break before a version was read are said to be no model", "[onnx]") {
  CHECK_THAT(read_error("Notes of the meeting"), StartsWith("this is text, not an ONNX model: malformed protobuf at byte 0: "));
  CHECK_THAT(read_error(std::string("\x08\x7f\x3a\x7f", 4)), StartsWith("this is not an ONNX model: "));
  CHECK_THAT(read_error("\x08\x08\x3a\x7f"), StartsWith("malformed protobuf at byte 2: "));
}

TEST_CASE("messages nested a hundred thousand deep", "[onnx]") {
  // Lengths are written as 5-byte varints, so that each level adds the same bytes.
  const auto nest = [](const std::vector<uint32_t>& path, size_t levels) {
    std::vector<uint32_t> fields;
    for (size_t i = 0; i < levels; ++i) fields.push_back(path[i % path.size()]);
    Bytes out;
    for (size_t i = 0; i < levels; ++i) {
      const size_t length = (levels - 1 - i) * 6;
      out += static_cast<char>(fields[i] << 3 | 2);
      for (int b = 0; b < 5; ++b) out += static_cast<char>((length >> (7 * b) & 0x7f) | (b < 4 ? 0x80 : 0));
    }
    return out;
  };
  const std::vector<uint32_t> subgraphs = {pb::graph::kNode, pb::node::kAttribute, pb::attribute::kGraph};
  CHECK_THAT(read_error("\x08\x08\x3a\x80\x80\x80\x80\x00" + nest(subgraphs, 3)),
             ContainsSubstring("malformed"));
  const Bytes deep = nest(subgraphs, 100000);
  CHECK_THAT(read_error(message([&](auto& w) { w.add_message(pb::model::kGraph, deep); })),
             ContainsSubstring("nested more than 64 deep"));
  const Bytes types = nest({pb::type::kSequence, 1}, 100000);
  CHECK_THAT(read_error(model_file(
                 {.graph = graph({.inputs = {value_of_type("x", types)}, .outputs = {value("x")}})})),
             ContainsSubstring("value 'x': types are nested more than 64 deep"));
}

TEST_CASE("many of everything is read in linear time", "[onnx]") {
  // 20,000 of each: what is quadratic would take minutes here.
  Strings nodes, inputs, infos;
  for (int i = 0; i < 20000; ++i) {
    nodes.push_back(node("Op", {i == 0 ? std::string("x") : text("v{}", i - 1)}, {text("v{}", i)}));
    inputs.push_back(value(text("in{}", i), 1, {text("dim{}", i)}));
    infos.push_back(value(text("v{}", i), 1, {text("dim{}", i + 10000)}));
  }
  inputs.push_back(value("x", 1, {}));
  const Model m = read(model_file(
      {.graph =
           graph({.nodes = nodes, .inputs = inputs, .outputs = {value("v19999")}, .value_infos = infos})}));
  CHECK(m.graph.nodes.size() == 20000);
  CHECK(m.graph.symbols->size() == 30000);
}

TEST_CASE("model bytes are aligned and copied whole", "[onnx]") {
  CHECK(ModelBytes::allocate(0).size == 0);
  const ModelBytes bytes = model_bytes("abc");
  CHECK(bytes.size == 3);
  CHECK(std::memcmp(bytes.data.get(), "abc", 3) == 0);
  CHECK(reinterpret_cast<uintptr_t>(bytes.data.get()) % kAlignment == 0);
}
