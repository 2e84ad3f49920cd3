#pragma once
// Forest: decision trees as one array of nodes, whichever way the attributes of an operator spell them.

#include "ops/ml/rows.hpp"

namespace kinglet::ops::ml {

class Forest {
 public:
  enum class Mode : uint8_t { kLessEqual, kLess, kGreaterEqual, kGreater, kEqual, kNotEqual, kMember, kLeaf };
  enum class Aggregate : uint8_t { kAverage, kSum, kMin, kMax };

  /// An inner node sends a row to `yes` or `no`; of a leaf these are the ends of its range of weights.
  struct Node {
    double value = 0;  ///< what the feature is compared with; of kMember an index into member_sets
    uint32_t feature = 0, yes = 0, no = 0;
    Mode mode = Mode::kLeaf;
    bool nan_is_yes = false;
  };
  struct Weight {
    double value;
    uint32_t target;
  };
  /// What the trees say of one target.
  struct Score {
    double value = 0;
    bool present = false;
  };

  /// From the attributes nodes_* and {prefix}_{ids,nodeids,treeids,weights} of TreeEnsembleClassifier and
  /// TreeEnsembleRegressor. A tree's root is the first of its nodes. Throws kModel when lists have different
  /// lengths, a node is there twice or not at all, a target is not below `targets`, or a tree has a cycle.
  static Forest from_node_ids(const NodeView& n, const std::string& prefix, size_t targets);
  /// From the attributes of TreeEnsemble; throws kModel likewise.
  static Forest from_indices(const NodeView& n, size_t targets);

  size_t trees() const { return roots_.size(); }
  /// A row needs as many features.
  size_t features() const { return features_; }
  const std::vector<Weight>& weights() const { return weights_; }
  /// Sets scores[targets] to what the trees make of a row.
  void evaluate(const double* row, Aggregate aggregate, std::span<Score> scores) const;

 private:
  /// Throws kModel unless every walk from a root ends in a leaf; notes how many features are read.
  void check();
  const Node& leaf_of(uint32_t at, const double* row) const;

  std::vector<Node> nodes_;
  std::vector<uint32_t> roots_;
  std::vector<Weight> weights_;
  std::vector<std::vector<double>> member_sets_;
  size_t features_ = 0;
};

/// A list of floats in the attribute `name` or, in double precision, as the tensor `name`_as_tensor. Empty
/// when neither is there.
std::vector<double> floats_or_tensor(const NodeView& n, const std::string& name);

}  // namespace kinglet::ops::ml
