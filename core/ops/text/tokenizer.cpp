// Tokenizer (com.microsoft): cuts strings [C] or [N, C] into tokens [..., D], D as many as the longest has,
// the others filled up with pad_value. Tokens are what matches `tokenexp`, or what lies between matches of
// the `separators`, or single characters when the only separator is "". With `mark` they stand between the
// characters 2 and 3.

#include "base/utf8.hpp"
#include "ops/elementwise.hpp"
#include "ops/text/regex.hpp"

namespace kinglet::ops {
namespace {

using Tokens = std::vector<std::string_view>;

struct Tokenizer {
  bool mark;
  std::string pad;
  size_t least;  ///< characters of a token
  std::optional<Regex> token;
  std::vector<Regex> separators;  ///< none, and no token: single characters
};

Tokenizer parse(const NodeView& n) {
  Tokenizer op{n.attr_int("mark") != 0,
               n.attr_string("pad_value"),
               static_cast<size_t>(std::max<int64_t>(n.attr_int("mincharnum"), 0)),
               {},
               {}};
  const std::vector<std::string> separators = n.attr_strings("separators", {});
  const std::string token = n.attr_string("tokenexp", "");
  if (separators.empty() == token.empty()) {
    throw_error(ErrorCode::kModel, "needs either separators or tokenexp");
  }
  if (!token.empty()) op.token.emplace(token);
  if (separators.size() == 1 && separators[0].empty()) return op;
  for (const std::string& separator : separators) op.separators.emplace_back(separator);
  return op;
}

void infer(const Tokenizer&, InferContext& c) {
  check_type(c.dtype(0), kStrings);
  SymShape out = c.shape(0);
  if (out.has_rank()) out.push_back(Dim());
  c.out(0, DType::kString, out);
}

/// Where to look for the next match; a match of nothing moves on by a character.
size_t behind(std::string_view text, const Regex::Match& match) {
  if (match.end > match.begin) return match.end;
  return match.begin + (match.begin < text.size() ? utf8::decode(text, match.begin).length : 1);
}

void add(const Tokenizer& op, std::string_view token, Tokens& out) {
  if (utf8::length(token) >= op.least) out.push_back(token);
}

Tokens find_tokens(const Tokenizer& op, std::string_view text) {
  Tokens out;
  for (size_t at = 0; at <= text.size();) {
    const auto match = op.token->find(text, at);
    if (!match) break;
    const size_t found = out.size();
    add(op, text.substr(match->begin, match->end - match->begin), out);
    // A token that is too short may hold the beginning of another.
    at = out.size() != found ? behind(text, *match) : behind(text, {match->begin, match->begin});
  }
  return out;
}

Tokens cut(const Tokenizer& op, const Regex& separator, const Tokens& texts) {
  Tokens out;
  for (const std::string_view text : texts) {
    size_t at = 0;
    while (at <= text.size()) {
      const auto match = separator.find(text, at);
      if (!match) break;
      add(op, text.substr(at, match->begin - at), out);
      at = behind(text, *match);
    }
    if (at <= text.size()) add(op, text.substr(at), out);
  }
  return out;
}

Tokens characters(std::string_view text) {
  Tokens out;
  for (size_t at = 0; at < text.size(); at += out.back().size()) {
    out.push_back(text.substr(at, utf8::decode(text, at).length));
  }
  return out;
}

Tokens tokens_of(const Tokenizer& op, const std::string& text) {
  if (op.token) return find_tokens(op, text);
  if (op.separators.empty()) return characters(text);
  Tokens out = {text};
  for (const Regex& separator : op.separators) out = cut(op, separator, out);
  return out;
}

void run(const Tokenizer& op, RunContext& c) {
  const Tensor& x = c.in(0);
  std::vector<Tokens> tokens;
  size_t most = 0;
  for (const std::string& text : x.values<std::string>()) {
    tokens.push_back(tokens_of(op, text));
    most = std::max(most, tokens.back().size());
  }
  const size_t width = most + (op.mark && most != 0 ? 2 : 0);
  Shape shape = x.shape();
  shape.push_back(static_cast<int64_t>(width));
  std::string* to = c.out(0, DType::kString, shape).data<std::string>();
  if (width == 0) return;
  for (const Tokens& t : tokens) {
    std::string* end = to + width;
    if (op.mark) *to++ = '\x02';
    to = std::copy(t.begin(), t.end(), to);
    if (op.mark) *to++ = '\x03';
    to = std::fill_n(to, end - to, op.pad);
  }
}

}  // namespace

KINGLET_OP_IN(com_microsoft, "com.microsoft", Tokenizer, op<Tokenizer, parse, infer, run>(since(1)));

}  // namespace kinglet::ops
