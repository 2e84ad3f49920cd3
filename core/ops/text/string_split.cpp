// StringSplit (20): each string cut at a delimiter, or at runs of white space when that is empty. Y has one
// more dim, as long as the most pieces, filled up with ""; Z says how many there are.

#include "ops/elementwise.hpp"

namespace kinglet::ops {
namespace {

struct StringSplit {
  std::string delimiter;
  size_t max_splits;
};

StringSplit parse(const NodeView& n) {
  const int64_t most = n.attr_int("maxsplit", INT64_MAX);
  return {n.attr_string("delimiter", ""), most < 0 ? SIZE_MAX : static_cast<size_t>(most)};
}

void infer(const StringSplit&, InferContext& c) {
  check_type(c.dtype(0), kStrings);
  SymShape out = c.shape(0);
  if (out.has_rank()) out.push_back(Dim());
  c.out(0, DType::kString, out);
  c.out(1, DType::kInt64, c.shape(0));
}

using Pieces = std::vector<std::string_view>;

Pieces split_at(std::string_view text, const StringSplit& op) {
  Pieces out;
  if (text.empty()) return out;
  while (out.size() < op.max_splits) {
    const size_t at = text.find(op.delimiter);
    if (at == std::string_view::npos) break;
    out.push_back(text.substr(0, at));
    text.remove_prefix(at + op.delimiter.size());
  }
  out.push_back(text);
  return out;
}

Pieces split_at_space(std::string_view text, const StringSplit& op) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  Pieces out;
  for (;;) {
    const size_t begin = text.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) return out;
    text.remove_prefix(begin);
    const size_t end = std::min(text.find_first_of(kSpace), text.size());
    if (out.size() == op.max_splits || end == text.size()) break;
    out.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  // What is left after the last cut loses the space at its end only.
  out.push_back(text.substr(0, text.find_last_not_of(kSpace) + 1));
  return out;
}

void run(const StringSplit& op, RunContext& c) {
  const Tensor& x = c.in(0);
  std::vector<Pieces> pieces;
  size_t most = 0;
  for (const std::string& text : x.values<std::string>()) {
    pieces.push_back(op.delimiter.empty() ? split_at_space(text, op) : split_at(text, op));
    most = std::max(most, pieces.back().size());
  }
  Shape shape = x.shape();
  shape.push_back(static_cast<int64_t>(most));
  if (c.wants(0)) {
    std::string* to = c.out(0, DType::kString, shape).data<std::string>();
    for (const Pieces& p : pieces) {
      for (size_t i = 0; i < most; ++i) *to++ = i < p.size() ? p[i] : std::string_view();
    }
  }
  if (!c.wants(1)) return;
  int64_t* counts = c.out(1).data<int64_t>();
  for (const Pieces& p : pieces) *counts++ = static_cast<int64_t>(p.size());
}

}  // namespace

KINGLET_OP(StringSplit, op<StringSplit, parse, infer, run>(since(20)));

}  // namespace kinglet::ops
