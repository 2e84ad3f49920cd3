// Weights that several nodes read in the same way are packed once, in one graph and in the branches of an If.

#include "models.hpp"

namespace kinglet::test {
namespace {

constexpr size_t kWeights = 2 * 64 * 128 * sizeof(float);

Bytes up(const std::string& x, const std::string& y) { return node("MatMul", {x, "u"}, {y}); }
Bytes down(const std::string& x, const std::string& y) { return node("MatMul", {x, "d"}, {y}); }

Bytes file_of(const Strings& nodes, const Strings& more_inputs = {}) {
  Strings inputs = {value("x", 1, {"n", "64"})};
  inputs.insert(inputs.end(), more_inputs.begin(), more_inputs.end());
  return model_file({.graph = graph({.nodes = nodes, .initializers = {weights_tensor("u", {64, 128}), weights_tensor("d", {128, 64}, -0.5f)}, .inputs = inputs, .outputs = {value("y")}}),
                     .opsets = {{"", 17}}});
}

Tensor rows(float first) {
  Tensor x(DType::kFloat32, Shape({3, 64}));
  for (size_t i = 0; i < x.count(); ++i) x.data<float>()[i] = first + static_cast<float>(i % 13) / 64;
  return x;
}

/// A file of twins computes what it does with all weights fed, and holds its weights once.
void check(const Bytes& file, const std::vector<Feed>& feeds, const Bytes& expanded, const std::vector<Feed>& expanded_feeds) {
  Session session = load(file);
  INFO(session.describe());
  for (int round = 0; round < 2; ++round) {
    Session reference = load(expanded, false);
    const std::vector<Tensor> got = run(session, feeds), want = run(reference, expanded_feeds);
    CHECK(difference(got[0], want[0], 1e-5 * scale_of(want[0])) == "");
  }
  CHECK(session.memory().weights >= kWeights);
  CHECK(session.memory().weights < kWeights + 4096);
}

TEST_CASE("layers that share their weights hold them once", "[runtime]") {
  const Bytes copies = model_file({.graph = graph({.nodes = {up("x", "a"), down("a", "b"), node("MatMul", {"b", "u2"}, {"c"}), node("MatMul", {"c", "d2"}, {"y"})},
                                                   .initializers = {weights_tensor("u", {64, 128}), weights_tensor("d", {128, 64}, -0.5f), weights_tensor("u2", {64, 128}),
                                                                    weights_tensor("d2", {128, 64}, -0.5f)},
                                                   .inputs = {value("x", 1, {"n", "64"})},
                                                   .outputs = {value("y")}}),
                                   .opsets = {{"", 17}}});
  check(file_of({up("x", "a"), down("a", "b"), up("b", "c"), down("c", "y")}), {{"x", rows(0)}}, copies, {{"x", rows(0)}});
}

TEST_CASE("the branches of an If hold weights that both read once", "[runtime]") {
  // Between the products they differ.
  const auto branch = [](const std::string& op) {
    const std::string p = op + "_";
    return graph({.nodes = {up("x", p + "a"), node(op, {p + "a"}, {p + "b"}), down(p + "b", p + "c")}, .outputs = {value(p + "c")}});
  };
  const Bytes file = file_of({node("If", {"which"}, {"y"}, {graph_attribute("then_branch", branch("Neg")), graph_attribute("else_branch", branch("Abs"))})}, {value("which", 9, {})});
  for (const bool which : {true, false}) {
    Tensor condition(DType::kBool, Shape());
    condition.data<bool>()[0] = which;
    check(file, {{"x", rows(-0.1f)}, {"which", condition}}, file_of({up("x", "a"), node(which ? "Neg" : "Abs", {"a"}, {"b"}), down("b", "y")}), {{"x", rows(-0.1f)}});
  }
}

TEST_CASE("nodes that read the same weights in another way are no twins", "[runtime]") {
  const Bytes transposed = node("Gemm", {"a", "u"}, {"b"}, {int_attribute("transB", 1)}), scaled = node("Gemm", {"b", "u"}, {"y"}, {float_attribute("alpha", 2)});
  const Bytes file = file_of({up("x", "a"), transposed, scaled});
  const std::vector<Tensor> want = run_both(file, {{"x", rows(0)}});
  // The same product with u as an input, which nothing packs.
  Session reading = load(model_file({.graph = graph({.nodes = {node("Identity", {"u"}, {"y"})}, .initializers = {weights_tensor("u", {64, 128})}, .outputs = {value("y")}}), .opsets = {{"", 17}}}));
  Session fed = load(model_file({.graph = graph({.nodes = {up("x", "a"), transposed, scaled}, .inputs = {value("x", 1, {"n", "64"}), value("u", 1, {"64", "128"})}, .outputs = {value("y")}}), .opsets = {{"", 17}}}));
  const std::vector<Tensor> got = run(fed, {{"x", rows(0)}, {"u", run(reading, {})[0]}});
  CHECK(difference(got[0], want[0], 1e-5 * scale_of(want[0])) == "");
}

}  // namespace
}  // namespace kinglet::test
