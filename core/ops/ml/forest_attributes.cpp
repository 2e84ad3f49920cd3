// The two ways in which attributes spell a Forest.

#include <algorithm>
#include <cmath>

#include "ops/ml/forest.hpp"

namespace kinglet::ops::ml {
namespace {

using Mode = Forest::Mode;

uint32_t small_index(int64_t value, size_t bound) {
  check_attributes(value >= 0 && static_cast<uint64_t>(value) < bound, "an index is out of range");
  return static_cast<uint32_t>(value);
}

Mode parse_mode(std::string_view name) {
  static constexpr std::string_view kNames[] = {"BRANCH_LEQ", "BRANCH_LT",  "BRANCH_GTE",    "BRANCH_GT",
                                                "BRANCH_EQ",  "BRANCH_NEQ", "BRANCH_MEMBER", "LEAF"};
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (name == kNames[i] && static_cast<Mode>(i) != Mode::kMember) return static_cast<Mode>(i);
  }
  throw_error(ErrorCode::kModel, "node mode '{}' is not known", name);
}

/// Nodes by the ids of their tree and of their own.
class NodeIds {
 public:
  NodeIds(const std::vector<int64_t>& trees, const std::vector<int64_t>& nodes) {
    for (size_t i = 0; i < trees.size(); ++i) {
      entries_.push_back({trees[i], nodes[i], static_cast<uint32_t>(i)});
    }
    std::sort(entries_.begin(), entries_.end(), before);
    const auto same = [](const Entry& a, const Entry& b) { return a.tree == b.tree && a.node == b.node; };
    check_attributes(std::adjacent_find(entries_.begin(), entries_.end(), same) == entries_.end(),
                     "a node is there twice");
  }

  uint32_t find(int64_t tree, int64_t node) const {
    const Entry wanted{tree, node, 0};
    const auto at = std::lower_bound(entries_.begin(), entries_.end(), wanted, before);
    if (at == entries_.end() || before(wanted, *at)) {
      throw_error(ErrorCode::kModel, "tree {} has no node {}", tree, node);
    }
    return at->index;
  }

 private:
  struct Entry {
    int64_t tree, node;
    uint32_t index;
  };
  static bool before(const Entry& a, const Entry& b) {
    return a.tree != b.tree ? a.tree < b.tree : a.node < b.node;
  }
  std::vector<Entry> entries_;
};

constexpr size_t kMaxIndex = uint64_t{1} << 31;

}  // namespace

Forest Forest::from_node_ids(const NodeView& n, const std::string& prefix, size_t targets) {
  const std::vector<int64_t> trees = n.attr_ints("nodes_treeids", {}), ids = n.attr_ints("nodes_nodeids", {}),
                             features = n.attr_ints("nodes_featureids", {}),
                             yes = n.attr_ints("nodes_truenodeids", {}),
                             no = n.attr_ints("nodes_falsenodeids", {}),
                             nan_is_yes = n.attr_ints("nodes_missing_value_tracks_true", {});
  const std::vector<std::string> modes = n.attr_strings("nodes_modes", {});
  const std::vector<double> values = floats_or_tensor(n, "nodes_values");
  const size_t count = trees.size();
  check_attributes(count > 0 && count < kMaxIndex && targets < kMaxIndex, "no nodes, or too many");
  for (const size_t size : {ids.size(), features.size(), yes.size(), no.size(), modes.size(), values.size(),
                            nan_is_yes.empty() ? count : nan_is_yes.size()}) {
    check_attributes(size == count, "the lists nodes_* have different lengths");
  }

  const NodeIds nodes(trees, ids);
  Forest forest;
  forest.nodes_.resize(count);
  std::vector<int64_t> trees_seen;
  for (size_t i = 0; i < count; ++i) {
    Node& node = forest.nodes_[i];
    if (i == 0 || trees[i] != trees[i - 1]) {
      trees_seen.push_back(trees[i]);
      forest.roots_.push_back(static_cast<uint32_t>(i));
    }
    node.mode = parse_mode(modes[i]);
    if (node.mode == Mode::kLeaf) continue;
    node.value = values[i];
    node.feature = small_index(features[i], kMaxIndex);
    node.yes = nodes.find(trees[i], yes[i]);
    node.no = nodes.find(trees[i], no[i]);
    node.nan_is_yes = !nan_is_yes.empty() && nan_is_yes[i] != 0;
  }
  std::sort(trees_seen.begin(), trees_seen.end());
  check_attributes(std::adjacent_find(trees_seen.begin(), trees_seen.end()) == trees_seen.end(),
                   "the nodes of a tree do not stand together");

  const std::vector<int64_t> weight_trees = n.attr_ints(prefix + "_treeids", {}),
                             weight_nodes = n.attr_ints(prefix + "_nodeids", {}),
                             weight_targets = n.attr_ints(prefix + "_ids", {});
  const std::vector<double> weights = floats_or_tensor(n, prefix + "_weights");
  for (const size_t size : {weight_nodes.size(), weight_targets.size(), weights.size()}) {
    check_attributes(size == weight_trees.size() && size < kMaxIndex,
                     "the lists of weights have different lengths");
  }
  // A leaf's weights stand together, in the order of the lists.
  std::vector<std::pair<uint32_t, uint32_t>> order;
  for (size_t i = 0; i < weights.size(); ++i) {
    order.emplace_back(nodes.find(weight_trees[i], weight_nodes[i]), static_cast<uint32_t>(i));
  }
  std::sort(order.begin(), order.end());
  for (const auto& [at, i] : order) {
    Node& node = forest.nodes_[at];
    const auto end = static_cast<uint32_t>(forest.weights_.size());
    forest.weights_.push_back({weights[i], small_index(weight_targets[i], targets)});
    if (node.mode != Mode::kLeaf) continue;  // no row ends there
    if (node.no == 0) node.yes = end;
    node.no = end + 1;
  }
  forest.check();
  return forest;
}

Forest Forest::from_indices(const NodeView& n, size_t targets) {
  const std::vector<int64_t> roots = n.attr_ints("tree_roots"), features = n.attr_ints("nodes_featureids"),
                             yes = n.attr_ints("nodes_truenodeids"), no = n.attr_ints("nodes_falsenodeids"),
                             yes_is_leaf = n.attr_ints("nodes_trueleafs"),
                             no_is_leaf = n.attr_ints("nodes_falseleafs"),
                             leaf_targets = n.attr_ints("leaf_targetids"),
                             nan_is_yes = n.attr_ints("nodes_missing_value_tracks_true", {});
  const std::vector<double> splits = to_doubles(n.attr_tensor("nodes_splits")),
                            modes = to_doubles(n.attr_tensor("nodes_modes")),
                            leaf_weights = to_doubles(n.attr_tensor("leaf_weights"));
  const size_t count = features.size(), leaves = leaf_targets.size();
  for (const size_t size : {yes.size(), no.size(), yes_is_leaf.size(), no_is_leaf.size(), splits.size(),
                            modes.size(), nan_is_yes.empty() ? count : nan_is_yes.size()}) {
    check_attributes(size == count, "the lists nodes_* have different lengths");
  }
  check_attributes(leaf_weights.size() == leaves, "the lists leaf_* have different lengths");
  check_attributes(count + leaves < kMaxIndex && targets < kMaxIndex, "too many nodes");

  Forest forest;
  if (n.has("membership_values")) {
    // Sets of values, each ended by a NaN; the last one's may be left out.
    bool open = false;
    for (const double value : to_doubles(n.attr_tensor("membership_values"))) {
      if (!open) forest.member_sets_.emplace_back();
      open = !std::isnan(value);
      if (open) forest.member_sets_.back().push_back(value);
    }
  }
  // The leaves stand behind the inner nodes.
  forest.nodes_.resize(count + leaves);
  size_t member_nodes = 0;
  for (size_t i = 0; i < count; ++i) {
    Node& node = forest.nodes_[i];
    check_attributes(modes[i] >= 0 && modes[i] < static_cast<double>(Mode::kLeaf),
                     "a node's mode is not known");
    node.mode = static_cast<Mode>(modes[i]);
    node.value = node.mode == Mode::kMember ? static_cast<double>(member_nodes++) : splits[i];
    node.feature = small_index(features[i], kMaxIndex);
    const auto offset = static_cast<uint32_t>(count);
    node.yes = yes_is_leaf[i] != 0 ? offset + small_index(yes[i], leaves) : small_index(yes[i], count);
    node.no = no_is_leaf[i] != 0 ? offset + small_index(no[i], leaves) : small_index(no[i], count);
    node.nan_is_yes = !nan_is_yes.empty() && nan_is_yes[i] != 0;
  }
  check_attributes(member_nodes <= forest.member_sets_.size(), "too few membership_values");
  for (size_t i = 0; i < leaves; ++i) {
    forest.nodes_[count + i].yes = static_cast<uint32_t>(i);
    forest.nodes_[count + i].no = static_cast<uint32_t>(i + 1);
    forest.weights_.push_back({leaf_weights[i], small_index(leaf_targets[i], targets)});
  }
  for (const int64_t root : roots) forest.roots_.push_back(small_index(root, count));
  check_attributes(!roots.empty(), "no trees");
  forest.check();
  return forest;
}

}  // namespace kinglet::ops::ml
