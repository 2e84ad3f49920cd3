// align_legacy_operands, and that no pass reads an operand of opsets 1 to 6 by NumPy's rules.

#include "pass_probe.hpp"

namespace kinglet::test {
namespace {

struct Row {
  std::string label;
  Strings nodes, initializers;
  std::string node;  ///< a line that describe() has
  std::vector<int64_t> x = {1, 4, 4, 4};
};

/// x[1, 4, 4, 4] is square on purpose: an operand at the wrong dim fits as well.
void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    INFO(row.label);
    Strings dims;
    for (const int64_t d : row.x) dims.push_back(std::to_string(d));
    const Bytes file = model_file({.graph = graph({.nodes = row.nodes,
                                                   .initializers = row.initializers,
                                                   .inputs = {value("x", 1, dims)},
                                                   .outputs = {value("y")}}),
                                   .opsets = {{"", 6}}});
    const std::string description = load(file).describe();
    INFO(description);
    CHECK(description.find(row.node) != std::string::npos);
    run_both(file, {{"x", unlike_neighbours(row.x)}});
  }
}

TEST_CASE("operands of opsets 1 to 6 among the passes", "[passes]") {
  const Bytes w = weights_tensor("w", {4, 4, 3, 3}), b = float_tensor("b", {4}, {1, -1, 2, 0.5f}),
              m = float_tensor("m", {4, 4}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
  const Bytes conv = node("Conv", {"x", "w"}, {"c"}, {ints_attribute("pads", {1, 1, 1, 1})});
  const auto add = [](int64_t axis, const std::string& by, const std::string& op = "Add") {
    return node(op, {"c", by}, {"y"}, {int_attribute("broadcast", 1), int_attribute("axis", axis)});
  };
  const Strings constants = {w, b, m};
  check({
      {"a channel's bias goes into the convolution", {conv, add(1, "b")}, constants, "Conv("},
      {"a factor of rows", {conv, add(2, "b", "Mul")}, constants, "Mul("},
      {"of columns", {conv, add(3, "b", "Mul")}, constants, "Mul("},
      {"of columns by default",
       {conv, node("Mul", {"c", "b"}, {"y"}, {int_attribute("broadcast", 1)})},
       constants,
       "Mul("},
      {"of channels and rows", {conv, add(1, "m", "Mul")}, constants, "Mul("},
      {"a slope a channel", {conv, node("PRelu", {"c", "b"}, {"y"})}, constants, "PRelu("},
      {"an operand that is computed",
       {conv, node("Exp", {"b"}, {"e"}), add(1, "e", "Mul")},
       constants,
       "Conv("},
      {"that comes from the input",
       {conv,
        node("ReduceMax", {"x"}, {"e"}, {ints_attribute("axes", {0, 2, 3}), int_attribute("keepdims", 0)}),
        add(1, "e", "Mul")},
       constants,
       "Mul("},
      {"a bias of rows behind a product",
       {node("MatMul", {"x", "m"}, {"c"}), add(0, "b")},
       constants,
       "Add(",
       {4, 4}},
  });
  const Bytes file = model_file({.graph = graph({.nodes = {conv, add(1, "b")},
                                                 .initializers = {w, b},
                                                 .inputs = {value("x", 1, {"1", "4", "4", "4"})},
                                                 .outputs = {value("y")}}),
                                 .opsets = {{"", 6}}});
  CHECK(load(file).describe().find("Add(") == std::string::npos);
}

TEST_CASE("normalisation of groups follows a channels-last convolution", "[passes]") {
  const Bytes w = weights_tensor("w", {4, 4, 1, 1}), b = float_tensor("b", {4}, {1, -1, 2, 0.5f});
  for (const char* op : {"GroupNormalization", "InstanceNormalization"}) {
    Strings attributes;
    if (std::string_view(op) == "GroupNormalization") attributes.push_back(int_attribute("num_groups", 2));
    const Bytes file = model_file({.graph = graph({.nodes = {node("Conv", {"x", "w"}, {"c"}),
                                                             node(op, {"c", "b", "b"}, {"n"}, attributes),
                                                             node("Conv", {"n", "w"}, {"y"})},
                                                   .initializers = {w, b},
                                                   .inputs = {value("x", 1, {"2", "4", "3", "5"})},
                                                   .outputs = {value("y")}}),
                                   .opsets = {{"", 21}}});
    const std::string description = load(file).describe();
    INFO(description);
    size_t transposes = 0;
    for (size_t at = 0; (at = description.find("Transpose(", at)) != std::string::npos; ++at) ++transposes;
    CHECK(transposes == 2);
    run_both(file, {{"x", unlike_neighbours({2, 4, 3, 5})}});
  }
}

}  // namespace
}  // namespace kinglet::test
