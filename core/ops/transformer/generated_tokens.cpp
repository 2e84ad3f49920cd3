// NGramRepeatBlock of com.microsoft - gives the lowest score to each token that would repeat a run of `ngram_size`.
// BifurcationDetector - takes over predicted tokens as far as they are those of the source, and one more, and finds the
// place in the source from which the next ones can be predicted.

#include <algorithm>
#include <limits>

#include "ops/elementwise.hpp"
#include "ops/shape_inputs.hpp"

namespace kinglet::ops {
namespace {

struct NGramRepeatBlock {
  size_t size;
};

NGramRepeatBlock parse_block(const NodeView& n) {
  const int64_t size = n.attr_int("ngram_size");
  if (size < 1 || size > INT32_MAX) throw_error(ErrorCode::kModel, "attribute '{}' is {}", "ngram_size", size);
  return {static_cast<size_t>(size)};
}

void infer_block(const NGramRepeatBlock&, InferContext& c) {
  check_type(c.dtype(0), type_set(DType::kInt64));
  check_type(c.dtype(1), type_set(DType::kFloat32));
  for (size_t i = 0; i < 2; ++i)
    c.require(!c.shape(i).has_rank() || c.shape(i).rank() == 2, "expected rank 2, got {}", c.shape(i));
  if (c.shape(0).has_rank() && c.shape(1).has_rank()) unify(c.shape(0)[0], c.shape(1)[0]);
  c.out(0, c.dtype(1), c.shape(1));
}

void run_block(const NGramRepeatBlock& op, RunContext& c) {
  const auto length = static_cast<size_t>(c.in(0).dim(1));
  const int64_t vocabulary = c.in(1).dim(1);
  c.out(0).copy_from(c.in(1));
  if (length < op.size) return;
  for (int64_t b = 0; b < c.in(0).dim(0); ++b) {
    const int64_t* const tokens = c.in(0).data<int64_t>() + static_cast<size_t>(b) * length;
    const int64_t* const tail = tokens + length - (op.size - 1);
    for (size_t i = 0; i + op.size <= length; ++i) {
      if (!std::equal(tail, tokens + length, tokens + i)) continue;
      const int64_t token = tokens[i + op.size - 1];
      c.require(token >= 0 && token < vocabulary, "token {} is outside of the {} scores", token, vocabulary);
      c.out(0).data<float>()[b * vocabulary + token] = -std::numeric_limits<float>::infinity();
    }
  }
}

// ---- source tokens, tokens so far, where they match the source, predicted tokens? ----

struct BifurcationDetector {
  int64_t least, most;
};

BifurcationDetector parse_detector(const NodeView& n) {
  const BifurcationDetector op{n.attr_int("min_ngram_size"), n.attr_int("max_ngram_size")};
  if (op.least < 1 || op.most < op.least) throw_error(ErrorCode::kModel, "runs of {} to {} tokens", op.least, op.most);
  return op;
}

void infer_detector(const BifurcationDetector&, InferContext& c) {
  for (size_t i = 0; i < 4; ++i) {
    if (i == 3 && !c.has(3)) continue;
    check_type(c.dtype(i), type_set(DType::kInt64));
    c.require(i == 2 || !c.shape(i).has_rank() || c.shape(i).rank() == 1, "expected tokens of rank 1, got {}", c.shape(i));
  }
  c.out(0, DType::kInt64, c.has(3) ? SymShape({Dim()}) : c.shape(1));
  c.out(1, DType::kInt64, c.shape(2));
}

/// The end of the only place where the longest run of last tokens is in the source, or -1.
int64_t match_of(const BifurcationDetector& op, std::span<const int64_t> source, std::span<const int64_t> tokens) {
  int64_t match = -1;
  for (int64_t n = op.least; n <= op.most && n <= static_cast<int64_t>(tokens.size()); ++n) {
    const auto run = tokens.last(static_cast<size_t>(n));
    const auto found = std::search(source.begin(), source.end(), run.begin(), run.end());
    if (found == source.end()) break;
    match = found - source.begin() + n;
    if (match >= static_cast<int64_t>(source.size())) break;
    if (std::search(found + 1, source.end(), run.begin(), run.end()) != source.end()) match = -1;
  }
  return match;
}

std::span<const int64_t> tokens_of(const Tensor& t) { return {t.data<int64_t>(), t.count()}; }

void run_detector(const BifurcationDetector& op, RunContext& c) {
  const std::span<const int64_t> source = tokens_of(c.in(0)), before = tokens_of(c.in(1));
  c.require(c.in(2).count() == 1, "expected one number as input {}, got shape {}", 2, c.in(2).shape());
  const int64_t start = *c.in(2).data<int64_t>();
  std::span<const int64_t> taken;
  if (c.has(3)) {
    const std::span<const int64_t> predicted = tokens_of(c.in(3));
    const bool is_within = start >= 0 && start <= static_cast<int64_t>(source.size());
    const int64_t rest = is_within ? static_cast<int64_t>(source.size()) - start : 0;
    c.require(is_within && static_cast<int64_t>(predicted.size()) == rest + 1,
              "{} predicted tokens do not go with {} from {} on", predicted.size(), source.size(), start);
    const auto end = predicted.begin() + rest;
    const auto apart = std::mismatch(predicted.begin(), end, source.begin() + start).first;
    taken = predicted.first(static_cast<size_t>(apart - predicted.begin()) + 1);
  }
  std::vector<int64_t> tokens(before.begin(), before.end());
  tokens.insert(tokens.end(), taken.begin(), taken.end());
  if (c.wants(0)) std::copy(tokens.begin(), tokens.end(), c.out(0, DType::kInt64, {static_cast<int64_t>(tokens.size())}).data<int64_t>());
  if (c.wants(1)) *c.out(1).data<int64_t>() = match_of(op, source, tokens);
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", NGramRepeatBlock,
              op<NGramRepeatBlock, parse_block, infer_block, run_block>(since(1)));
KINGLET_OP_IN(com_microsoft, "com.microsoft", BifurcationDetector,
              op<BifurcationDetector, parse_detector, infer_detector, run_detector>(since(1)));

}  // namespace kinglet::ops
