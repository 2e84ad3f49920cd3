// Tree ensembles by node ids; the expected values are those of ONNX Runtime. TreeEnsemble has official cases.

#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

constexpr const char* kMl = "ai.onnx.ml";
using Attributes = std::vector<Attribute>;

/// Two trees of five and three nodes over two features; their leaves are the nodes of kLeaves.
const Attributes kTrees = {
    attr_ints("nodes_treeids", {0, 0, 0, 0, 0, 1, 1, 1}),
    attr_ints("nodes_nodeids", {0, 1, 2, 3, 4, 0, 1, 2}),
    attr_ints("nodes_featureids", {0, 0, 1, 0, 0, 1, 0, 0}),
    attr_strings("nodes_modes",
                 {"BRANCH_LEQ", "LEAF", "BRANCH_GT", "LEAF", "LEAF", "BRANCH_LT", "LEAF", "LEAF"}),
    attr_floats("nodes_values", {.5f, 0, 1, 0, 0, 0, 0, 0}),
    attr_ints("nodes_truenodeids", {1, 0, 3, 0, 0, 1, 0, 0}),
    attr_ints("nodes_falsenodeids", {2, 0, 4, 0, 0, 2, 0, 0}),
};
const std::vector<int64_t> kLeafTrees = {0, 0, 0, 1, 1}, kLeaves = {1, 3, 4, 1, 2};
const std::vector<float> kWeights = {1, -2, .5f, .25f, -.75f};

const Tensor kX = f32({5, 2}, {0, 0, 1, 2, 1, .5f, 1, -1, kNaN, kNaN});

Attributes with(Attributes attributes, const Attributes& changes) {
  for (const Attribute& change : changes) {
    const auto same = [&](const Attribute& a) { return a.name == change.name; };
    attributes.erase(std::remove_if(attributes.begin(), attributes.end(), same), attributes.end());
    attributes.push_back(change);
  }
  return attributes;
}

Attributes votes(const std::string& prefix, std::vector<int64_t> ids, std::vector<float> weights = kWeights,
                 std::vector<int64_t> trees = kLeafTrees, std::vector<int64_t> nodes = kLeaves) {
  return with(
      kTrees,
      {attr_ints(prefix + "_ids", std::move(ids)), attr_floats(prefix + "_weights", std::move(weights)),
       attr_ints(prefix + "_treeids", std::move(trees)), attr_ints(prefix + "_nodeids", std::move(nodes))});
}

OpCall regressor(const Attributes& changes, Tensor x = kX) {
  return {.op = "TreeEnsembleRegressor",
          .opset = 3,
          .attributes = with(with(votes("target", {0, 0, 0, 0, 0}), {attr("n_targets", 1)}), changes),
          .inputs = {std::move(x)},
          .domain = kMl};
}

OpCall classifier(Attributes attributes, const Attributes& changes, Tensor x = kX) {
  return {.op = "TreeEnsembleClassifier",
          .opset = 3,
          .attributes = with(std::move(attributes), changes),
          .inputs = {std::move(x)},
          .outputs = 2,
          .domain = kMl};
}

}  // namespace

TEST_CASE("TreeEnsembleRegressor") {
  const Attribute base = attr_floats("base_values", {.125f});
  check_rows({
      {"the sum of the trees", regressor({base}), f32({5, 1}, {.375f, -2.625f, -.125f, .875f, -.125f})},
      {"AVERAGE", regressor({base, attr("aggregate_function", "AVERAGE")}),
       f32({5, 1}, {.25f, -1.25f, 0, .5f, 0})},
      {"MIN", regressor({base, attr("aggregate_function", "MIN")}),
       f32({5, 1}, {-.625f, -1.875f, -.625f, .375f, -.625f})},
      {"MAX", regressor({base, attr("aggregate_function", "MAX")}),
       f32({5, 1}, {1.125f, -.625f, .625f, .625f, .625f})},
      {"where NaN goes", regressor({attr_ints("nodes_missing_value_tracks_true", {1, 0, 1, 0, 0, 1, 0, 0})}),
       f32({5, 1}, {.25f, -2.75f, -.25f, .75f, 1.25f})},
      {"two targets, SOFTMAX",
       regressor({attr_ints("target_ids", {0, 1, 0, 1, 0}), attr("n_targets", 2),
                  attr("post_transform", "SOFTMAX")}),
       f32({5, 2}, {.56217653f, .4378235f, .77729988f, .22270015f, .4378235f, .56217653f, .56217653f,
                    .4378235f, .4378235f, .56217653f}),
       1e-6},
      {"thresholds and weights in double precision",
       regressor({attr("nodes_values_as_tensor", f64({8}, {.5, 0, 1, 0, 0, 0, 0, 0})),
                  attr("target_weights_as_tensor", f64({5}, {1, -2, .5, .25, -.75}))},
                 f64({1, 2}, {1, 2})),
       f32({1, 1}, {-2.75f})},
      {"integers", regressor({}, i32({2, 2}, {0, 0, 1, 2})), f32({2, 1}, {.25f, -2.75f})},
      {"a row without a batch", regressor({}, f32({2}, {1, 2})), f32({1, 1}, {-2.75f})},
      {"no rows", regressor({}, f32({0, 2}, {})), f32({0, 1}, {})},
  });
}

TEST_CASE("TreeEnsembleClassifier") {
  const Attribute labels = attr_ints("classlabels_int64s", {0, 1});
  const Attributes first = with(votes("class", {0, 0, 0, 0, 0}), {labels});
  const Attributes second =
      with(votes("class", {1, 1, 1, 1, 1}), {attr_strings("classlabels_strings", {"n", "p"})});
  const Attributes both = with(
      votes("class", {0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, {.75f, .25f, .5f, .5f, .125f, .875f, .25f, .75f, 1, 0},
            {0, 0, 0, 0, 0, 0, 1, 1, 1, 1}, {1, 1, 3, 3, 4, 4, 1, 1, 2, 2}),
      {labels});
  const Attributes many = with(votes("class", {0, 1, 2, 0, 2}), {attr_ints("classlabels_int64s", {7, 8, 9})});
  const Attribute logistic = attr("post_transform", "LOGISTIC"), base = attr_floats("base_values", {.25f});
  const Tensor signs = i64({5}, {1, 0, 0, 1, 0});
  check_rows({
      {"votes for one of two classes",
       classifier(first, {}),
       {signs, f32({5, 2}, {-.25f, .25f, 2.75f, -2.75f, .25f, -.25f, -.75f, .75f, .25f, -.25f})}},
      {"and a base value",
       classifier(first, {base}),
       {signs, f32({5, 2}, {-.5f, .5f, 2.5f, -2.5f, 0, 0, -1, 1, 0, 0})}},
      {"LOGISTIC of one score",
       classifier(first, {logistic}),
       {signs, f32({5, 2}, {.43782347f, .56217653f, .93991333f, .060086668f, .56217653f, .43782347f,
                            .32082129f, .67917871f, .56217653f, .43782347f})},
       1e-6},
      {"LOGISTIC with a base value",
       classifier(first, {logistic, base}),
       {signs, f32({5, 2}, {.37754065f, .62245935f, .92414182f, .075858176f, .5f, .5f, .2689414f, .7310586f,
                            .5f, .5f})},
       1e-6},
      {"positive votes for the second class",
       classifier(second, {attr_floats("class_weights", {.5f, 1, .25f, .125f, .375f})}),
       {strings({5}, {"p", "p", "p", "n", "p"}),
        f32({5, 2}, {0, .875f, 0, 1.375f, 0, .625f, 0, .375f, 0, .625f})}},
      {"two base values",
       classifier(second, {attr_floats("base_values", {.5f, .25f})}),
       {strings({5}, {"p", "p", "p", "p", "p"}), f32({5, 2}, {0, .25f, 0, .25f, 0, .25f, 0, .25f, 0, .25f})}},
      {"votes for both",
       classifier(both, {}),
       {i64({5}, {1, 1, 1, 1, 1}),
        f32({5, 2}, {1.75f, .25f, 1.5f, .5f, 1.125f, .875f, .375f, 1.625f, 1.125f, .875f})}},
      {"three classes",
       classifier(many, {attr("post_transform", "SOFTMAX"), attr_floats("base_values", {.5f, 0, -.5f})}),
       {i64({5}, {7, 7, 7, 7, 7}), f32({5, 3}, {.77696568f, .17336449f, .049669754f, .79626781f, .065361641f,
                                                .1383706f, .52825212f, .32040113f, .15134677f, .51420939f,
                                                .24289531f, .24289531f, .52825212f, .32040113f, .15134677f})},
       1e-6},
  });
}

TEST_CASE("Malformed trees") {
  const auto bad = [](const char* label, Attribute change, const char* message) {
    return BadRow{label, regressor({std::move(change)}), ErrorCode::kModel, message};
  };
  check_failures({
      bad("a node is its own child", attr_ints("nodes_truenodeids", {0, 0, 3, 0, 0, 1, 0, 0}), "cycle"),
      bad("a child is its parent's parent", attr_ints("nodes_falsenodeids", {2, 0, 0, 0, 0, 2, 0, 0}),
          "cycle"),
      bad("a child that is not there", attr_ints("nodes_truenodeids", {9, 0, 3, 0, 0, 1, 0, 0}), "no node 9"),
      bad("a negative child", attr_ints("nodes_truenodeids", {-1, 0, 3, 0, 0, 1, 0, 0}), "no node -1"),
      bad("a node twice", attr_ints("nodes_nodeids", {0, 1, 2, 3, 3, 0, 1, 2}), "twice"),
      bad("a tree in two parts", attr_ints("nodes_treeids", {0, 0, 0, 0, 0, 1, 1, 0}), ""),
      bad("lists of different lengths", attr_ints("nodes_featureids", {0, 0, 1}), "lengths"),
      bad("fewer thresholds", attr_floats("nodes_values", {1}), "lengths"),
      bad("a short list of what NaN does", attr_ints("nodes_missing_value_tracks_true", {1}), "lengths"),
      bad("fewer weights", attr_floats("target_weights", {1}), "lengths"),
      bad("a mode of no name",
          attr_strings("nodes_modes", {"A", "LEAF", "B", "LEAF", "LEAF", "C", "LEAF", "LEAF"}), "'A'"),
      bad("a negative feature", attr_ints("nodes_featureids", {-1, 0, 1, 0, 0, 1, 0, 0}), "out of range"),
      bad("a target beyond all", attr_ints("target_ids", {0, 0, 1, 0, 0}), "out of range"),
      bad("weights of a node that is not there", attr_ints("target_nodeids", {1, 3, 4, 1, 7}), "no node 7"),
      bad("no nodes", attr_ints("nodes_treeids", {}), ""),
      bad("base values of other targets", attr_floats("base_values", {1, 2}), ""),
      bad("an unknown aggregate", attr("aggregate_function", "MEDIAN"), "MEDIAN"),
      {"too few features", regressor({}, f32({1, 1}, {1})), ErrorCode::kShape, "1 features"},
      {"a feature far beyond", regressor({attr_ints("nodes_featureids", {2147483647, 0, 1, 0, 0, 1, 0, 0})}),
       ErrorCode::kShape},
  });

  // Two inner nodes and three leaves.
  const Attributes indexed = {attr_ints("tree_roots", {0}),
                              attr_ints("nodes_featureids", {0, 1}),
                              attr_ints("nodes_truenodeids", {1, 1}),
                              attr_ints("nodes_falsenodeids", {0, 2}),
                              attr_ints("nodes_trueleafs", {0, 1}),
                              attr_ints("nodes_falseleafs", {1, 1}),
                              attr("nodes_splits", f32({2}, {0, 1})),
                              attr("nodes_modes", u8({2}, {0, 6})),
                              attr_ints("leaf_targetids", {0, 0, 0}),
                              attr("leaf_weights", f32({3}, {1, 2, 3})),
                              attr("membership_values", f32({3}, {1, 4, kNaN}))};
  const auto ensemble = [&](const Attributes& changes) {
    return OpCall{.op = "TreeEnsemble",
                  .opset = 5,
                  .attributes = with(indexed, changes),
                  .inputs = {f32({3, 2}, {1, 1, 0, 4, -1, 2})},
                  .domain = kMl};
  };
  check_rows({{"membership", ensemble({}), f32({3, 1}, {1, 2, 3})},
              {"the last set without its NaN", ensemble({attr("membership_values", f32({2}, {1, 4}))}),
               f32({3, 1}, {1, 2, 3})}});
  check_failures({
      {"a cycle", ensemble({attr_ints("nodes_trueleafs", {0, 0})}), ErrorCode::kModel, "cycle"},
      {"a leaf that is not there", ensemble({attr_ints("nodes_falsenodeids", {3, 2})}), ErrorCode::kModel},
      {"a root that is not there", ensemble({attr_ints("tree_roots", {2})}), ErrorCode::kModel},
      {"no roots", ensemble({attr_ints("tree_roots", {})}), ErrorCode::kModel},
      {"fewer sets than nodes", ensemble({attr("nodes_modes", u8({2}, {6, 6}))}), ErrorCode::kModel,
       "membership"},
      {"a mode of no number", ensemble({attr("nodes_modes", u8({2}, {0, 7}))}), ErrorCode::kModel, "mode"},
      {"fewer leaf weights", ensemble({attr("leaf_weights", f32({1}, {1}))}), ErrorCode::kModel},
      {"a target beyond all", ensemble({attr_ints("leaf_targetids", {0, 0, 1})}), ErrorCode::kModel},
  });
}

}  // namespace kinglet::test
