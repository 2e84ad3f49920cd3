#include "model/onnx_writer.hpp"

using namespace kinglet;
using namespace kinglet::test;
using Catch::Matchers::ContainsSubstring;

namespace {

const Bytes kX = value("x", 1, {"2"});

/// A model of one graph with input "x" and output "y".
Bytes one_graph(const Strings& nodes, const Strings& initializers = {}) {
  return model_file(
      {.graph =
           graph({.nodes = nodes, .initializers = initializers, .inputs = {kX}, .outputs = {value("y")}})});
}

/// The TypeProto of a sequence or optional of `item`.
Bytes holder(uint32_t kind, const Bytes& item) {
  const Bytes inner = message([&](auto& w) { w.add_message(pb::holder_type::kElemType, item); });
  return message([&](auto& w) { w.add_message(kind, inner); });
}

}  // namespace

TEST_CASE("a graph's nodes, values and versions", "[onnx]") {
  const Model m = read(model_file({
      .graph = graph({.nodes = {node("Conv", {"x", "w", ""}, {"c"}, {int_attribute("group", 2)}),
                                node("Relu", {"c"}, {"y"}, {}, "act", "ai.onnx"),
                                node("Gelu", {"c", "", "w"}, {"", "z"}, {}, "", "com.example")},
                      .initializers = {float_tensor("w", {2}, {1, 2})},
                      .inputs = {value("x", 1, {"batch", "3", "?", "-1"}), value("w", 1, {"2"})},
                      .outputs = {value("y", 1, {"batch", "7"}), value("z")},
                      .value_infos = {value("c", 10, {"batch"}), value("nowhere", 1, {})},
                      .name = "main"}),
      .opsets = {{"", 13}, {"com.example", 3}},
  }));
  const Graph& g = m.graph;
  CHECK(m.ir_version == 8);
  CHECK(m.producer == "test");
  CHECK(m.opsets == Opsets{{"", 13}, {"com.example", 3}});
  CHECK(g.name == "main");

  REQUIRE(g.nodes.size() == 3);
  CHECK(g.nodes[0].name == "Conv_0");
  CHECK(g.nodes[0].opset == 13);
  CHECK(g.nodes[0].inputs.size() == 2);  // what is left out at the end is not listed
  CHECK(g.nodes[0].own_inputs == 2);
  REQUIRE(g.nodes[0].find("group") != nullptr);
  CHECK(g.nodes[0].find("group")->i == 2);
  CHECK(g.nodes[1].name == "act");
  CHECK(g.nodes[1].domain == "");
  CHECK(g.nodes[2].domain == "com.example");
  CHECK(g.nodes[2].opset == 3);
  CHECK(g.nodes[2].inputs[1] == kNoValue);
  CHECK(g.nodes[2].outputs[0] == kNoValue);

  REQUIRE(g.inputs.size() == 1);  // the initializer is none, though it is listed
  const Value& x = g.value(g.inputs[0]);
  CHECK(x.name == "x");
  CHECK(x.dtype == DType::kFloat32);
  REQUIRE(x.shape.rank() == 4);
  REQUIRE(x.shape[0].is_symbol());
  CHECK((*g.symbols)[x.shape[0].symbol_index()] == "batch");
  CHECK(x.shape[1].value() == 3);
  for (const size_t d : {2, 3}) {
    CHECK_FALSE(x.shape[d].known());
    CHECK_FALSE(x.shape[d].is_symbol());
  }
  REQUIRE(g.outputs.size() == 2);
  CHECK(g.value(g.outputs[0]).name == "y");
  CHECK(g.value(g.outputs[0]).shape[0].same(x.shape[0]));
  CHECK(g.value(g.outputs[1]).dtype == DType::kUndefined);
  CHECK(g.value(find_value(g, "c")).dtype == DType::kFloat16);
  CHECK(g.is_constant(find_value(g, "w")));
}

TEST_CASE("values that are no tensors have the type that the file tells", "[onnx]") {
  const Bytes floats = tensor_type(1, {"2"});
  const Bytes map = message([&](auto& w) {
    w.add_message(pb::type::kMap, message([&](auto& m) {
                    m.add_int64(pb::map_type::kKeyType, 8);
                    m.add_message(pb::map_type::kValueType, floats);
                  }));
  });
  struct Row {
    Bytes type;
    const char* text;
  };
  const Row rows[] = {
      {holder(pb::type::kSequence, floats), "sequence(float32)"},
      {holder(pb::type::kOptional, holder(pb::type::kSequence, tensor_type(7, {}))), "optional(sequence(int64))"},
      {map, "map(string, float32)"},
      {holder(pb::type::kSequence, map), "sequence(map(string, float32))"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Model m = read(model_file({.graph = graph({.nodes = {node("Identity", {"x"}, {"y"})},
                                                     .inputs = {value_of_type("x", row.type)},
                                                     .outputs = {value("y")}})}));
    const Value& x = m.graph.value(m.graph.inputs.at(0));
    REQUIRE(x.declared != nullptr);
    CHECK(x.declared->text() == row.text);
  }
}

TEST_CASE("every kind of attribute is read", "[onnx]") {
  using Type = onnx::AttributeType;
  const std::vector<int64_t> ints = {1, -2};
  const std::vector<float> floats = {0.5f, -4};
  const Bytes t = float_tensor("", {1}, {9});
  const Strings attributes = {
      attribute("i", Type::kInt, [](auto& w) { w.add_int64(pb::attribute::kInt, -7); }),
      attribute("f", Type::kFloat, [](auto& w) { w.add_float(pb::attribute::kFloat, 1.5f); }),
      attribute("s", Type::kString,
                [](auto& w) {
                  w.add_bytes(pb::attribute::kString,
                              "\xff"
                              "bytes");
                }),
      attribute("t", Type::kTensor, [&](auto& w) { w.add_message(pb::attribute::kTensor, t); }),
      attribute("ints", Type::kInts,
                [&](auto& w) { w.add_packed_int64(pb::attribute::kInts, ints.begin(), ints.end()); }),
      attribute("ints1", Type::kInts,
                [&](auto& w) {
                  for (const int64_t v : ints) w.add_int64(pb::attribute::kInts, v);
                }),
      attribute("floats", Type::kFloats,
                [&](auto& w) { w.add_packed_float(pb::attribute::kFloats, floats.begin(), floats.end()); }),
      attribute("floats1", Type::kFloats,
                [&](auto& w) {
                  for (const float v : floats) w.add_float(pb::attribute::kFloats, v);
                }),
      attribute("strings", Type::kStrings, [](auto& w) { add_all(w, pb::attribute::kStrings, {"a", ""}); }),
      attribute("tensors", Type::kTensors, [&](auto& w) { add_all(w, pb::attribute::kTensors, {t, t}); }),
      attribute("none", Type::kInts, [](auto&) {}),
      attribute("zero", Type::kFloat, [](auto&) {}),
      attribute("untyped", Type::kUndefined, [](auto& w) { w.add_int64(pb::attribute::kInt, 3); }),
  };
  const Model m = read(one_graph({node("Op", {"x"}, {"y"}, attributes)}));
  const Node& n = m.graph.nodes[0];
  using Kind = Attribute::Kind;
  const auto get = [&](std::string_view name, Kind kind) -> const Attribute& {
    const Attribute* a = n.find(name);
    REQUIRE(a != nullptr);
    CHECK(a->kind == kind);
    return *a;
  };
  CHECK(get("i", Kind::kInt).i == -7);
  CHECK(get("f", Kind::kFloat).f == 1.5f);
  CHECK(get("s", Kind::kString).s ==
        "\xff"
        "bytes");
  CHECK(get("t", Kind::kTensor).tensors.at(0).data<float>()[0] == 9);
  CHECK(get("ints", Kind::kInts).ints == ints);
  CHECK(get("ints1", Kind::kInts).ints == ints);
  CHECK(get("floats", Kind::kFloats).floats == floats);
  CHECK(get("floats1", Kind::kFloats).floats == floats);
  CHECK(get("strings", Kind::kStrings).strings == Strings{"a", ""});
  CHECK(get("tensors", Kind::kTensors).tensors.size() == 2);
  CHECK(get("none", Kind::kInts).ints.empty());
  CHECK(get("zero", Kind::kFloat).f == 0);
  CHECK(get("untyped", Kind::kInt).i == 3);
}

TEST_CASE("nodes are sorted, and keep the file's order where it is legal", "[onnx]") {
  const Model m =
      read(one_graph({node("C", {"b"}, {"y"}), node("A", {"x"}, {"a"}), node("B", {"a"}, {"b"})}));
  Strings order;
  for (const Node& n : m.graph.nodes) order.push_back(n.op_type);
  CHECK(order == Strings{"A", "B", "C"});
}

TEST_CASE("a graph's output may be its input or a constant", "[onnx]") {
  const Model m = read(model_file({.graph = graph({.initializers = {float_tensor("w", {1}, {1})},
                                                   .inputs = {kX},
                                                   .outputs = {value("x"), value("w")}})}));
  CHECK(m.graph.outputs[0] == m.graph.inputs[0]);
  CHECK(m.graph.is_constant(m.graph.outputs[1]));
}

TEST_CASE("graphs that contradict themselves are refused", "[onnx]") {
  using Type = onnx::AttributeType;
  const Bytes relu = node("Relu", {"x"}, {"y"});
  const Bytes w = float_tensor("w", {1}, {1});
  const auto io = [](const Strings& inputs, const Strings& outputs) {
    return model_file(
        {.graph = graph({.nodes = {node("Relu", {"x"}, {"y"})}, .inputs = inputs, .outputs = outputs})});
  };
  const auto typed = [](uint32_t field) {
    return value_of_type("x", message([&](auto& t) { t.add_string(field, ""); }));
  };
  const Bytes sparse = message([](auto& t) { t.add_string(pb::type::kSparseTensor, ""); });
  const auto with_attributes = [](const Strings& attributes) {
    return one_graph({node("Op", {"x"}, {"y"}, attributes, "n")});
  };
  const auto opsets = [](const Opsets& list) {
    return model_file(
        {.graph =
             graph({.nodes = {node("Relu", {"x"}, {"y"}, {}, "n")}, .inputs = {kX}, .outputs = {value("y")}}),
         .opsets = list});
  };
  const auto ir = [&](int64_t version) {
    return model_file(
        {.graph = graph({.nodes = {relu}, .inputs = {kX}, .outputs = {value("y")}}), .ir_version = version});
  };
  const Bytes two_graphs = one_graph({relu}) + message([&](auto& m) { m.add_string(pb::model::kGraph, ""); });
  struct Row {
    const char* label;
    Bytes file;
    const char* message;
  };
  const Row rows[] = {
      {"unknown input", one_graph({node("Conv", {"x", "w"}, {"y"}, {}, "conv1")}),
       "conv1 (Conv): input 'w' is made by no node, input or initializer"},
      {"unknown input, no name", one_graph({node("Conv", {"x", "w"}, {"y"})}), "Conv_0 (Conv): input 'w'"},
      {"unknown output", one_graph({node("Relu", {"x"}, {"z"})}),
       "output 'y' of graph 'g' is made by no node"},
      {"nameless output", io({kX}, {value("")}), "output '' of graph 'g' is made by no node"},
      {"no outputs", io({kX}, {}), "the model's graph has no outputs"},
      {"same output twice", io({kX}, {value("y"), value("y")}), "output 'y' is listed twice"},
      {"same input twice", io({kX, kX}, {value("y")}), "input 'x' is listed twice"},
      {"nameless input", io({kX, value("", 1, {})}, {value("y")}), "graph 'g' has an input without a name"},
      {"value made twice", one_graph({relu, relu}), "value 'y' is defined twice"},
      {"input made by a node", one_graph({node("Relu", {"x"}, {"x"}), relu}), "value 'x' is defined twice"},
      {"initializer made by a node", one_graph({relu, node("Relu", {"x"}, {"w"})}, {w}),
       "value 'w' is defined twice"},
      {"initializer twice", one_graph({relu}, {w, w}), "value 'w' is defined twice"},
      {"cycle", one_graph({node("A", {"b"}, {"a"}), node("B", {"a"}, {"b"}), relu}),
       "has a cycle through node 'A_0' (A)"},
      {"a node on itself", one_graph({node("A", {"y"}, {"y"})}), "has a cycle"},
      {"no op_type", one_graph({node("", {"x"}, {"y"}, {}, "n")}), "n (?): the node has no op_type"},
      {"untyped input", io({value("x")}, {value("y")}), "input 'x': the type is missing"},
      {"sparse", io({typed(pb::type::kSparseTensor)}, {value("y")}), "input 'x': sparse tensors"},
      {"opaque", io({typed(pb::type::kOpaque)}, {value("y")}), "input 'x': opaque types"},
      {"a sequence of what cannot be", io({value_of_type("x", holder(pb::type::kSequence, sparse))}, {value("y")}),
       "input 'x': sparse tensors"},
      {"unknown input type", io({value("x", 27, {})}, {value("y")}), "input 'x': element type 27 is unknown"},
      {"unknown output type", io({kX}, {value("y", 31, {})}), "output 'y': element type 31 is unknown"},
      {"input of no element type", io({value("x", 0, {})}, {value("y")}),
       "input 'x': the element type is missing"},
      {"absurd dim", io({value("x", 1, {"4611686018427387904"})}, {value("y")}),
       "a shape with dim 4611686018427387904"},
      {"absurd product", io({value("x", 1, {"1099511627776", "1099511627776"})}, {value("y")}),
       "is too large"},
      {"rank", io({value("x", 1, Strings(17, "1"))}, {value("y")}), "a shape of more than 16 dims"},
      {"no operator set", opsets({}), "the model imports no operator set"},
      {"domain not imported", opsets({{"com.example", 1}}),
       "n (Relu): the model imports no operator set of domain ''"},
      {"opset 0", opsets({{"", 0}}), "operator set '' is imported in version 0"},
      {"opset -1", opsets({{"", -1}}), "operator set '' is imported in version -1"},
      {"absurd opset", opsets({{"", 1 << 30}}), "imported in version 1073741824"},
      {"two opsets", opsets({{"", 13}, {"ai.onnx", 14}}),
       "operator set '' is imported in versions 13 and 14"},
      {"old IR", ir(2), "the model's IR version is 2, expected 3 or later"},
      {"absurd IR", ir(int64_t{1} << 40), "IR version is 1099511627776"},
      {"negative IR", ir(-1), "IR version is -1"},
      {"two graphs", two_graphs, "the model has two graphs"},
      {"no graph", message([](auto& m) { m.add_int64(pb::model::kIrVersion, 8); }), "it holds no graph"},
      {"attribute twice", with_attributes({int_attribute("a", 1), int_attribute("a", 2)}),
       "n (Op): attribute 'a' is given twice"},
      {"nameless attribute", with_attributes({int_attribute("", 1)}), "the attribute has no name"},
      {"attribute of another type",
       with_attributes({attribute("a", Type::kInts, [](auto& a) { a.add_int64(pb::attribute::kInt, 1); })}),
       "n (Op): attribute 'a': an attribute of type INTS holds a value of type INT"},
      {"attribute without value", with_attributes({attribute("a", Type::kUndefined, [](auto&) {})}),
       "attribute 'a': the attribute has no type and no value"},
      {"attribute of two values",
       with_attributes({attribute("a", Type::kUndefined,
                                  [](auto& a) {
                                    a.add_int64(pb::attribute::kInt, 1);
                                    a.add_string(pb::attribute::kString, "s");
                                  })}),
       "attribute 'a': an attribute of type INT holds a value of type STRING"},
      {"tensor attribute without tensor", with_attributes({attribute("a", Type::kTensor, [](auto&) {})}),
       "holds 0 of them"},
      {"graph attribute without graph", with_attributes({attribute("a", Type::kGraph, [](auto&) {})}),
       "holds 0 of them"},
      {"unknown attribute type", with_attributes({attribute("a", static_cast<Type>(77), [](auto&) {})}),
       "attribute type 77 is unknown"},
      {"types attribute", with_attributes({attribute("a", Type::kTypeProtos, [](auto&) {})}),
       "lists of types are not supported"},
      {"type attribute without its type",
       with_attributes({attribute("a", Type::kTypeProto, [](auto& w) { w.add_int64(pb::attribute::kInt, 3); })}),
       "attribute 'a'"},
      {"bad tensor attribute", with_attributes({tensor_attribute("a", raw_tensor("", 1, {2}, "abcd"))}),
       "n (Op): attribute 'a': tensor: 4 bytes of raw_data for float32 [2], expected 8"},
      {"reference outside of a function", with_attributes({reference_attribute("a", Type::kInt, "b")}),
       "attribute 'a' refers to a function's attribute 'b' outside of any function"},
      {"invalid UTF-8", one_graph({node("Relu", {"x"}, {"y"}, {}, "\xff")}), "a name is not valid UTF-8"},
      {"NUL in a name", one_graph({node(std::string_view("Re\0lu", 5), {"x"}, {"y"})}),
       "a name holds a NUL byte"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.label);
    CHECK_THAT(read_error(row.file), ContainsSubstring(row.message));
  }
}

TEST_CASE("an error names the node in its fields too", "[onnx]") {
  try {
    read(one_graph({node("Conv", {"x", "w"}, {"y"}, {}, "conv1")}));
    FAIL("the model was read");
  } catch (const Error& e) {
    CHECK(e.node == "conv1");
    CHECK(e.op == "Conv");
  }
}

TEST_CASE("more attributes than any operator has are refused", "[onnx]") {
  Strings attributes;
  for (int i = 0; i < 1025; ++i) attributes.push_back(int_attribute(text("a{}", i), i));
  CHECK_THAT(read_error(one_graph({node("Op", {"x"}, {"y"}, attributes)})),
             ContainsSubstring("more than 1024 attributes"));
}

TEST_CASE("files of other kinds are recognised", "[onnx]") {
  using namespace std::string_literals;
  struct Row {
    std::string file;
    const char* message;
  };
  const Row rows[] = {
      {"", "this looks like an empty file"},
      {"<!DOCTYPE html><html>", "this looks like an HTML page, not an ONNX model: check the URL"},
      {"\n  <html>", "an HTML page"},
      {"\xef\xbb\xbf<html>", "an HTML page"},
      {"<?xml version=\"1.0\"?>", "an XML document"},
      {"version https://git-lfs.github.com/spec/v1\noid", "a git-lfs pointer"},
      {"PK\x03\x04rest", "a zip archive"},
      {"\x1f\x8b\x08rest", "a gzip-compressed file"},
      {"\x28\xb5\x2f\xfdrest", "a zstd-compressed file"},
      {"\xfd\x37zXZ", "an xz-compressed file"},
      {"\x89HDF\r\n", "an HDF5 file"},
      {"GGUF\x03", "a GGUF model"},
      {"\0asm\1\0\0\0"s, "a WebAssembly module"},
      {"\x80\x02}q", "a Python pickle"},
      {"\x93NUMPY\1", "a NumPy array"},
      {"\x89PNG\r\n", "a PNG picture"},
      {"\xff\xd8\xff\xe0", "a JPEG picture"},
      {"GIF89a", "a GIF picture"},
      {"%PDF-1.7", "a PDF document"},
      {"{\"error\": \"not found\"}", "JSON"},
      {"\x1c\0\0\0TFL3\0\0"s, "a TensorFlow Lite model"},
      {"\x08\0\0\0ORTM\0\0"s, "ONNX Runtime's own format"},
      {"\x40\0\0\0\0\0\0\0{\"w\":"s, "a safetensors file"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.message);
    CHECK_THAT(read_error(row.file), ContainsSubstring(row.message));
  }
}

TEST_CASE("a model whose bytes 4 to 8 spell another format's name is a model", "[onnx]") {
  Bytes file = one_graph({node("Relu", {"x"}, {"y"})});
  REQUIRE(file.substr(4, 4) == "test");  // the producer's name
  for (const char* name : {"TFL3", "ORTM"}) {
    file.replace(4, 4, name);
    CHECK(read(file).producer == name);
  }
}

TEST_CASE("names of dims that tell nothing", "[onnx]") {
  const Model m = read(model_file({
      .graph = graph({.nodes = {node("Relu", {"x"}, {"y"})},
                      .inputs = {value("x", 1, {"n", "dynamic", "dynamic", "*"})},
                      .outputs = {value("y", 1, {"n", "??"})}}),
      .opsets = {{"", 13}},
  }));
  const SymShape& x = m.graph.value(m.graph.inputs[0]).shape;
  REQUIRE(x.rank() == 4);
  CHECK(x[0].is_symbol());
  CHECK(x[1].is_symbol());
  CHECK_FALSE(x[2].is_symbol());  // need not be what x[1] is
  CHECK_FALSE(x[3].is_symbol());
  CHECK_FALSE(m.graph.value(m.graph.outputs[0]).shape[1].is_symbol());
}
