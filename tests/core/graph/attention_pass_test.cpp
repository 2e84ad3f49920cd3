// fuse_attention.

#include "pass_cases.hpp"

using namespace kinglet;
using namespace kinglet::test;

namespace {

/// Attention of x [2, 5, 8] with two heads; `scores` makes "s" of the product "p", `weights` "w" of "e".
Strings attention_nodes(const Strings& scores, const Strings& weights = {}, const std::string& end = "c",
                        const std::string& key = "k", const Strings& more = {}) {
  Strings nodes;
  const auto by_head = [&](const std::string& name, const std::vector<int64_t>& perm) {
    nodes.push_back(node("Reshape", {"x", "split"}, {name + "r"}));
    nodes.push_back(node("Transpose", {name + "r"}, {name}, {ints_attribute("perm", perm)}));
  };
  by_head("q", {0, 2, 1, 3});
  by_head("k", {0, 2, 3, 1});
  by_head("v", {0, 2, 1, 3});
  nodes.insert(nodes.end(), more.begin(), more.end());
  nodes.push_back(node("MatMul", {"q", key}, {"p"}));
  nodes.insert(nodes.end(), scores.begin(), scores.end());
  nodes.push_back(node("Softmax", {"s"}, {"e"}));
  nodes.insert(nodes.end(), weights.begin(), weights.end());
  nodes.push_back(node("MatMul", {weights.empty() ? "e" : "w", "v"}, {"c"}));
  if (end == "c") {
    nodes.push_back(node("Transpose", {"c"}, {"t"}, {ints_attribute("perm", {0, 2, 1, 3})}));
    nodes.push_back(node("Reshape", {"t", "join"}, {"y"}));
  } else {
    nodes.push_back(node("Neg", {"c"}, {"y"}));
  }
  return nodes;
}

}  // namespace

TEST_CASE("fuse_attention", "[passes]") {
  const auto split_as = [](const std::vector<int64_t>& v) { return longs_tensor("split", {4}, v); };
  const auto join_as = [](const std::vector<int64_t>& v) { return longs_tensor("join", {3}, v); };
  const Bytes split = split_as({0, 0, 2, 4}), join = join_as({0, 0, 8});
  const Bytes some = split_as({2, -1, 2, 4}), flat = join_as({2, -1, 8});
  const Bytes half = scalar("half", 0.5f), two = scalar("two", 2), low = scalar("low", -1e9f);
  const Bytes mask = floats("m", {1, 1, 1, 5}, {0, -1, -2, 0.5f, -1e9f});
  const Bytes hides = raw_tensor("h", 9, {5, 5}, bytes_of(std::vector<uint8_t>{
      0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0}));
  const Strings dims = {"batch", "rows", "8"};
  const std::vector<int64_t> x = {2, 5, 8};
  check({
      {"a scale alone", attention_nodes({node("Mul", {"p", "half"}, {"s"})}), {split, join, half},
       "Attention", x, {"y"}, dims},
      {"division and a mask", attention_nodes({node("Div", {"p", "two"}, {"d"}), node("Add", {"m", "d"},
       {"s"})}),
       {split, join, two, mask}, "Attention", x, {"y"}, dims},
      {"sizes that are computed", attention_nodes({node("Mul", {"half", "p"}, {"s"})}), {some, flat, half},
       "Attention",
       x, {"y"}, {"2", "rows", "8"}},
      {"replaced scores", attention_nodes({node("Where", {"h", "low", "p"}, {"s"})}), {split, join, low,
       hides},
       "Attention", x, {"y"}, dims},
      {"replaced and added",
       attention_nodes({node("Where", {"h", "low", "p"}, {"a"}), node("Add", {"a", "m"}, {"s"})}),
       {split, join, low, hides, mask}, "Attention", x, {"y"}, dims},
      {"a mask of one key", attention_nodes({node("Add", {"p", "half"}, {"s"})}),
       {split, join, floats("half", {1, 1}, {0.5f})}, "Attention", x, {"y"}, dims},
      {"weights without NaN",
       attention_nodes({node("Mul", {"p", "half"}, {"s"})},
                       {node("IsNaN", {"e"}, {"n"}), node("Where", {"n", "zero", "e"}, {"w"})}),
       {split, join, half, scalar("zero", 0)}, "Attention", x, {"y"}, dims},
      {"scaled keys",
       attention_nodes({node("Add", {"p", "m"}, {"s"})}, {}, "c", "k2", {node("Mul", {"k", "half"},
       {"k2"})}),
       {split, join, half, mask}, "Attention", x, {"y"}, dims},
      {"results by head", attention_nodes({node("Mul", {"p", "half"}, {"s"})}, {}, "y"), {split, half},
       "Reshape Transpose Attention Neg", x, {"y"}, dims},
      {"weights that are read too", attention_nodes({node("Mul", {"p", "half"}, {"s"})}), {split, join,
       half},
       "Reshape Transpose Reshape Transpose Reshape Transpose MatMul Mul Softmax MatMul Transpose Reshape",
       x, {"y", "e"},
       dims},
      {"a mask that is no stronger than scores", attention_nodes({node("Where", {"h", "half", "p"},
       {"s"})}),
       {split, join, half, hides},
       "Reshape Transpose Reshape Transpose Reshape Transpose MatMul Where Softmax MatMul Transpose Reshape",
       x, {"y"},
       dims},
      {"a mask that adds batches", attention_nodes({node("Add", {"p", "m"}, {"s"})}),
       {split, longs_tensor("join", {3}, {-1, 5, 8}), floats("m", {2, 1, 1, 1}, {1, 2})},
       "Reshape Transpose Reshape Transpose Reshape Transpose MatMul Add Softmax MatMul Transpose Reshape",
       {1, 5, 8}},
  });
}
