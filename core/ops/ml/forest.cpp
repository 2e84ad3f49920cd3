#include "ops/ml/forest.hpp"

#include <algorithm>
#include <cmath>

namespace kinglet::ops::ml {

std::vector<double> floats_or_tensor(const NodeView& n, const std::string& name) {
  if (n.has(name + "_as_tensor")) return to_doubles(n.attr_tensor(name + "_as_tensor"));
  const std::vector<float> values = n.attr_floats(name, {});
  return {values.begin(), values.end()};
}

void Forest::check() {
  enum class Seen : uint8_t { kNot, kOnPath, kDone };
  std::vector<Seen> seen(nodes_.size());
  std::vector<uint32_t> path;
  for (const uint32_t root : roots_) {
    path.push_back(root);
    while (!path.empty()) {
      const uint32_t at = path.back();
      const Node& node = nodes_[at];
      // A node leaves the stack when it is met there again, after everything below it.
      if (seen[at] != Seen::kNot || node.mode == Mode::kLeaf) {
        seen[at] = Seen::kDone;
        path.pop_back();
        continue;
      }
      seen[at] = Seen::kOnPath;
      features_ = std::max(features_, size_t{node.feature} + 1);
      for (const uint32_t child : {node.yes, node.no}) {
        check_attributes(seen[child] != Seen::kOnPath, "a tree has a cycle");
        if (seen[child] == Seen::kNot) path.push_back(child);
      }
    }
  }
}

const Forest::Node& Forest::leaf_of(uint32_t at, const double* row) const {
  const auto goes_yes = [this](const Node& node, double x) {
    if (std::isnan(x) && node.nan_is_yes) return true;
    switch (node.mode) {
      case Mode::kLessEqual: return x <= node.value;
      case Mode::kLess: return x < node.value;
      case Mode::kGreaterEqual: return x >= node.value;
      case Mode::kGreater: return x > node.value;
      case Mode::kEqual: return x == node.value;
      case Mode::kNotEqual: return x != node.value;
      default: break;
    }
    const std::vector<double>& members = member_sets_[static_cast<size_t>(node.value)];
    return std::find(members.begin(), members.end(), x) != members.end();
  };
  while (nodes_[at].mode != Mode::kLeaf) {
    const Node& node = nodes_[at];
    at = goes_yes(node, row[node.feature]) ? node.yes : node.no;
  }
  return nodes_[at];
}

void Forest::evaluate(const double* row, Aggregate aggregate, std::span<Score> scores) const {
  std::fill(scores.begin(), scores.end(), Score{});
  for (const uint32_t root : roots_) {
    const Node& leaf = leaf_of(root, row);
    for (uint32_t i = leaf.yes; i < leaf.no; ++i) {
      const double value = weights_[i].value;
      Score& score = scores[weights_[i].target];
      if (aggregate == Aggregate::kSum || aggregate == Aggregate::kAverage) {
        score.value += value;
      } else if (!score.present ||
                 (aggregate == Aggregate::kMin ? value < score.value : value > score.value)) {
        score.value = value;
      }
      score.present = true;
    }
  }
  if (aggregate != Aggregate::kAverage) return;
  for (Score& score : scores) score.value /= static_cast<double>(roots_.size());
}

}  // namespace kinglet::ops::ml
