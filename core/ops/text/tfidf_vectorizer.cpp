// TfIdfVectorizer (9): how often each n-gram of a pool occurs in a row of strings or integers, X [C] or [N,
// C], counting also those whose items stand 2 to max_skip_count + 1 apart. Y [D] or [N, D] holds counts (TF),
// weights of those that occur (IDF), or their product (TFIDF).

#include <unordered_map>

#include "ops/ml/keys.hpp"
#include "ops/ml/rows.hpp"

namespace kinglet::ops {
namespace {

using ml::check_attributes;

/// N-grams over small numbers, as a tree: an edge is a node and an item, the root is node 0.
class Grams {
 public:
  static constexpr uint32_t kNowhere = UINT32_MAX;

  uint32_t step(uint32_t node, size_t item) const {
    const auto at = edges_.find(edge(node, item));
    return at == edges_.end() ? kNowhere : at->second;
  }
  /// The number of the n-gram that ends at a node, or kNowhere.
  uint32_t gram(uint32_t node) const { return ends_[node]; }

  void add(std::span<const size_t> items, uint32_t number) {
    uint32_t node = 0;
    for (const size_t item : items) {
      const auto [at, is_new] = edges_.emplace(edge(node, item), static_cast<uint32_t>(ends_.size()));
      if (is_new) ends_.push_back(kNowhere);
      node = at->second;
    }
    ends_[node] = number;
  }

 private:
  static uint64_t edge(uint32_t node, size_t item) {
    return uint64_t{node} << 32 | static_cast<uint32_t>(item);
  }
  std::unordered_map<uint64_t, uint32_t> edges_;
  std::vector<uint32_t> ends_ = {kNowhere};
};

struct TfIdf {
  ml::TensorKeys items;  ///< of the pool
  DType type;
  Grams grams;
  std::vector<size_t> columns;  ///< of each n-gram
  std::vector<float> weights;   ///< of each n-gram
  size_t width = 0;
  size_t min_length, max_length, skips;
  bool counts, weighs;

  explicit TfIdf(const NodeView& n);
};

size_t positive(int64_t value) {
  check_attributes(value > 0, "lengths are positive");
  return static_cast<size_t>(value);
}

TfIdf::TfIdf(const NodeView& n)
    : min_length(positive(n.attr_int("min_gram_length"))),
      max_length(positive(n.attr_int("max_gram_length"))),
      skips(static_cast<size_t>(std::max<int64_t>(n.attr_int("max_skip_count"), 0))) {
  const std::string mode = n.attr_string("mode");
  check_attributes(mode == "TF" || mode == "IDF" || mode == "TFIDF", "mode is TF, IDF or TFIDF");
  counts = mode != "IDF";
  weighs = mode != "TF";
  const Tensor pool = ml::list_attribute(n, "pool");
  check_attributes(pool.valid() && pool.count() < uint64_t{1} << 31, "one pool is needed");
  type = pool.dtype();
  items = ml::TensorKeys(pool);
  const std::vector<size_t> numbers = items.find(pool);

  for (const int64_t column : n.attr_ints("ngram_indexes")) {
    check_attributes(column >= 0 && column < int64_t{1} << 31, "an n-gram's index is out of range");
    columns.push_back(static_cast<size_t>(column));
    width = std::max(width, columns.back() + 1);
  }
  weights = n.attr_floats("weights", std::vector<float>(columns.size(), 1.0f));
  check_attributes(weights.size() == columns.size(), "a weight an n-gram");

  std::vector<int64_t> starts = n.attr_ints("ngram_counts");
  starts.push_back(static_cast<int64_t>(numbers.size()));
  uint32_t number = 0;
  for (size_t length = 1; length < starts.size(); ++length) {
    const int64_t begin = starts[length - 1], end = starts[length];
    check_attributes(begin >= 0 && begin <= end && end <= starts.back(),
                     "ngram_counts do not ascend within the pool");
    check_attributes(static_cast<size_t>(end - begin) % length == 0, "the pool does not hold whole n-grams");
    for (auto at = static_cast<size_t>(begin); at < static_cast<size_t>(end); at += length, ++number) {
      check_attributes(number < columns.size(), "fewer ngram_indexes than n-grams");
      if (length >= min_length && length <= max_length) grams.add({numbers.data() + at, length}, number);
    }
  }
}

TfIdf parse(const NodeView& n) { return TfIdf(n); }

void infer(const TfIdf& op, InferContext& c) {
  const SymShape& in = c.shape(0);
  if (!in.has_rank()) return c.out(0, DType::kFloat32, {});
  SymShape out = in.rank() == 2 ? SymShape({ml::row_count(in)}) : SymShape::of_rank(0);
  ml::row_count(in);
  out.push_back(static_cast<int64_t>(op.width));
  c.out(0, DType::kFloat32, out);
}

/// Counts the n-grams of a row whose items stand `distance` apart.
void count_grams(const TfIdf& op, std::span<const size_t> row, size_t distance, std::span<float> counts) {
  for (size_t start = 0; start < row.size(); ++start) {
    uint32_t node = 0;
    for (size_t at = start, length = 1; length <= op.max_length; ++length) {
      node = row[at] == ml::kNoKey ? Grams::kNowhere : op.grams.step(node, row[at]);
      if (node == Grams::kNowhere) break;
      // A single item has no distance to another.
      const bool counts_now = length >= op.min_length && (length > 1 || distance == 1);
      if (const uint32_t gram = op.grams.gram(node); counts_now && gram != Grams::kNowhere) ++counts[gram];
      if (row.size() - at <= distance) break;
      at += distance;
    }
  }
}

void run(const TfIdf& op, RunContext& c) {
  Tensor x = c.in(0);
  if (x.dtype() == DType::kInt32) {
    x = ml::vector_of(to_int64s(x)).reshaped(x.shape());
  }
  const ml::Rows rows(x.shape());
  const std::vector<size_t> items = op.items.find(x);
  Tensor& y = c.out(0);
  std::fill_n(y.data<float>(), y.count(), 0.0f);
  std::vector<float> counts(op.columns.size());
  for (size_t i = 0; i < rows.count; ++i) {
    std::fill(counts.begin(), counts.end(), 0.0f);
    const std::span<const size_t> row(items.data() + i * rows.features, rows.features);
    for (size_t distance = 1; distance - 1 <= op.skips && distance <= row.size(); ++distance) {
      count_grams(op, row, distance, counts);
    }
    float* out = y.data<float>() + i * op.width;
    for (size_t gram = 0; gram < counts.size(); ++gram) {
      if (counts[gram] == 0) continue;
      out[op.columns[gram]] += (op.counts ? counts[gram] : 1) * (op.weighs ? op.weights[gram] : 1);
    }
  }
}

}  // namespace

KINGLET_OP(TfIdfVectorizer, op<TfIdf, parse, infer, run>(since(9)));

}  // namespace kinglet::ops
