// StringNormalizer (10): leaves out stop words, then changes case (see case_map.hpp). X is [C] or [1, C];
// when no word is left, Y holds one empty string. Case is changed in no language's own way: `locale` says
// nothing here.

#include <algorithm>

#include "ops/elementwise.hpp"
#include "ops/text/case_map.hpp"

namespace kinglet::ops {
namespace {

struct StringNormalizer {
  std::optional<utf8::Case> action;
  std::optional<utf8::Case> compare;    ///< how words are brought to one case before they are compared
  std::vector<std::string> stop_words;  ///< sorted
};

StringNormalizer parse(const NodeView& n) {
  StringNormalizer op;
  const std::string action = n.attr_string("case_change_action", "NONE");
  if (action == "LOWER") {
    op.action = utf8::Case::kLower;
  } else if (action == "UPPER") {
    op.action = utf8::Case::kUpper;
  } else if (action != "NONE") {
    throw_error(ErrorCode::kModel, "case_change_action '{}' is not known", action);
  }
  if (n.attr_int("is_case_sensitive", 0) == 0) op.compare = op.action.value_or(utf8::Case::kLower);
  op.stop_words = n.attr_strings("stopwords", {});
  for (std::string& word : op.stop_words) {
    if (op.compare) word = utf8::change_case(word, *op.compare);
  }
  std::sort(op.stop_words.begin(), op.stop_words.end());
  return op;
}

void infer(const StringNormalizer&, InferContext& c) {
  check_type(c.dtype(0), kStrings);
  const SymShape& in = c.shape(0);
  if (!in.has_rank()) return c.out(0, DType::kString, {});
  const bool row = in.rank() == 2 && (!in[0].known() || in[0].value() == 1);
  c.require(row || in.rank() == 1, "needs [C] or [1, C], got {}", in);
  SymShape out = in;
  if (row) out[0] = 1;
  out[out.rank() - 1] = Dim();
  c.out(0, DType::kString, out);
}

void run(const StringNormalizer& op, RunContext& c) {
  const Tensor& x = c.in(0);
  std::vector<std::string> kept;
  for (const std::string& word : x.values<std::string>()) {
    const std::string compared =
        op.compare && !op.stop_words.empty() ? utf8::change_case(word, *op.compare) : word;
    if (std::binary_search(op.stop_words.begin(), op.stop_words.end(), compared)) continue;
    kept.push_back(op.action ? utf8::change_case(word, *op.action) : word);
  }
  if (kept.empty()) kept.emplace_back();
  const auto n = static_cast<int64_t>(kept.size());
  Tensor& y = c.out(0, DType::kString, x.rank() == 2 ? Shape{1, n} : Shape{n});
  std::move(kept.begin(), kept.end(), y.data<std::string>());
}

}  // namespace

KINGLET_OP(StringNormalizer, op<StringNormalizer, parse, infer, run>(since(10)));

}  // namespace kinglet::ops
