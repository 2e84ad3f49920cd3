#pragma once
// Small models that between them use every field that the reader knows; they are damaged by tests and
// fuzzers.

#include "model/onnx_writer.hpp"

namespace kinglet::test {

inline std::map<std::string, ModelBytes> sample_external_data() {
  return {{"w.bin", model_bytes(Bytes(64, 'w'))}};
}

struct SampleFile {
  const char* label;
  Bytes file;
};

inline Bytes sample_weights() {
  const std::vector<int64_t> ints = {1, 2, 3};
  const std::vector<float> floats = {1, 2, 3};
  const std::vector<double> doubles = {1, 2, 3};
  Strings all = {
      float_tensor("raw", {2, 20}, std::vector<float>(40, 0.5f)),
      raw_tensor("bools", 9, {3}, Bytes("\x00\x01\x02", 3)),
      tensor_with("floats", 1, {3},
                  [&](auto& w) { w.add_packed_float(pb::tensor::kFloatData, floats.begin(), floats.end()); }),
      tensor_with("doubles", 11, {3},
                  [&](auto& w) {
                    for (const double v : doubles) w.add_double(pb::tensor::kDoubleData, v);
                  }),
      tensor_with("bytes", 2, {3},
                  [&](auto& w) { w.add_packed_int64(pb::tensor::kInt32Data, ints.begin(), ints.end()); }),
      tensor_with("longs", 7, {3},
                  [&](auto& w) {
                    for (const int64_t v : ints) w.add_int64(pb::tensor::kInt64Data, v);
                  }),
      tensor_with("unsigned", 13, {3},
                  [&](auto& w) { w.add_packed_int64(pb::tensor::kUint64Data, ints.begin(), ints.end()); }),
      tensor_with("strings", 8, {2}, [&](auto& w) { add_all(w, pb::tensor::kStringData, {"a", "bc"}); }),
      tensor_with("external", 1, {2},
                  [&](auto& w) {
                    for (const auto& [key, text] : {std::pair("location", "w.bin"), std::pair("offset", "8"),
                                                    std::pair("length", "8")}) {
                      w.add_message(pb::tensor::kExternalData, message([&](auto& e) {
                                      e.add_string(pb::string_entry::kKey, key);
                                      e.add_string(pb::string_entry::kValue, text);
                                    }));
                    }
                    w.add_int64(pb::tensor::kDataLocation, 1);
                  }),
  };
  const Bytes sparse = message([&](auto& w) {
    w.add_message(pb::sparse_tensor::kValues, float_tensor("sparse", {2}, {5, 7}));
    w.add_message(pb::sparse_tensor::kIndices,
                  raw_tensor("", 7, {2, 2}, bytes_of(std::vector<int64_t>{0, 1, 1, 0})));
    const std::vector<int64_t> dims = {2, 2};
    w.add_packed_int64(pb::sparse_tensor::kDims, dims.begin(), dims.end());
  });
  return model_file({.graph = graph({.nodes = {node("Add", {"raw", "sparse"}, {"y"})},
                                     .initializers = all,
                                     .outputs = {value("y", 1, {"2", "20"})},
                                     .sparse_initializers = {sparse}})});
}

inline Bytes sample_subgraphs() {
  const Bytes then_branch =
      graph({.nodes = {node("Add", {"r", "w"}, {"t"})}, .outputs = {value("t")}, .name = "then"});
  const Bytes else_branch =
      graph({.nodes = {node("Neg", {"r"}, {"e"})}, .outputs = {value("e")}, .name = "else"});
  const Bytes body = graph(
      {.nodes = {node("Identity", {"i_c"}, {"o_c"}), node("If", {"c"}, {"o"},
                                                          {graph_attribute("then_branch", then_branch),
                                                           graph_attribute("else_branch", else_branch)})},
       .inputs = {value("i_n", 7, {}), value("i_c", 9, {}), value("r", 1, {"n"})},
       .outputs = {value("o_c"), value("o")},
       .name = "body"});
  return model_file(
      {.graph = graph({.nodes = {node("Relu", {"x"}, {"a"}, {}, "relu"),
                                 node("Loop", {"", "c", "a"}, {"y"}, {graph_attribute("body", body)})},
                       .initializers = {float_tensor("w", {1}, {2})},
                       .inputs = {value("x", 1, {"n"}), value("c", 9, {})},
                       .outputs = {value("y", 1, {"n"})},
                       .value_infos = {value("a", 1, {"n"})}})});
}

inline Bytes sample_functions() {
  using Type = onnx::AttributeType;
  const std::vector<int64_t> ints = {1, 2};
  const Bytes inner = function({.name = "Inner",
                                .inputs = {"a", "b"},
                                .outputs = {"r"},
                                .attributes = {"alpha"},
                                .defaults = {int_attribute("axis", 1)},
                                .nodes = {node("Op", {"a", "b"}, {"r"},
                                               {reference_attribute("alpha", Type::kFloat, "alpha"),
                                                reference_attribute("axis", Type::kInt, "axis")})},
                                .opsets = {{"", 14}}});
  const Bytes outer =
      function({.name = "Outer",
                .inputs = {"a"},
                .outputs = {"r", "a"},
                .nodes = {node("Inner", {"a"}, {"m"}, {int_attribute("axis", 2)}, "i", "local"),
                          node("Inner", {"m", "a"}, {"r"}, {}, "j", "local")}});
  const Strings attributes = {
      attribute("f", Type::kFloat, [](auto& w) { w.add_float(pb::attribute::kFloat, 1.5f); }),
      attribute("s", Type::kString, [](auto& w) { w.add_string(pb::attribute::kString, "text"); }),
      attribute("is", Type::kInts,
                [&](auto& w) { w.add_packed_int64(pb::attribute::kInts, ints.begin(), ints.end()); }),
      attribute("fs", Type::kFloats, [](auto& w) { w.add_float(pb::attribute::kFloats, 2); }),
      attribute("ss", Type::kStrings, [](auto& w) { w.add_string(pb::attribute::kStrings, "u"); }),
      tensor_attribute("t", float_tensor("", {2}, {1, 2})),
  };
  return model_file({.graph = graph({.nodes = {node("Outer", {"x"}, {"m", "n"}, {}, "call", "local"),
                                               node("Op", {"m", "n"}, {"y"}, attributes)},
                                     .inputs = {value("x", 1, {"2"})},
                                     .outputs = {value("y")}}),
                     .opsets = {{"", 17}, {"local", 1}},
                     .functions = {inner, outer}});
}

inline std::vector<SampleFile> sample_files() {
  return {
      {"weights", sample_weights()}, {"subgraphs", sample_subgraphs()}, {"functions", sample_functions()}};
}

}  // namespace kinglet::test
