// From a pattern to its automaton: a syntax tree by recursive descent, then states from the tree's end to its
// beginning.

#include <algorithm>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "ops/text/regex.hpp"
#include "ops/text/regex_chars.hpp"

namespace kinglet::ops {
namespace {

using Ranges = CharRanges;
using Kind = RegexState::Kind;
using Assertion = RegexState::Assertion;

constexpr int64_t kMaxRepeat = 1000;  ///< as in RE2
constexpr size_t kMaxDepth = 200, kMaxStates = size_t{1} << 15;

[[noreturn]] void fail(std::string_view what) {
  throw_error(ErrorCode::kModel, "regular expression: {}", what);
}

struct Tree {
  enum class Kind : uint8_t { kEmpty, kChars, kAssertion, kSequence, kChoice, kRepeat };
  Kind kind = Kind::kEmpty;
  Assertion assertion = Assertion::kTextBegin;
  Ranges chars = {};
  int64_t least = 0, most = 0;  ///< kRepeat; most < 0: any number
  std::vector<Tree> parts = {};
};

class Parser {
 public:
  explicit Parser(std::string_view pattern) : rest_(pattern) {}

  Tree parse() {
    Tree tree = choice();
    if (!rest_.empty()) fail("a ')' without '('");
    return tree;
  }

 private:
  struct Flags {
    bool fold_case = false, multi_line = false, dot_all = false;
  };

  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  uint32_t take_char() {
    if (rest_.empty()) fail("it ends too early");
    const utf8::CodePoint c = utf8::decode(rest_, 0);
    if (c.value == utf8::kInvalid) fail("not UTF-8");
    rest_.remove_prefix(c.length);
    return c.value;
  }

  Tree choice() {
    if (++depth_ > kMaxDepth) fail("groups are nested too deeply");
    Tree out{.kind = Tree::Kind::kChoice};
    do {
      out.parts.push_back(sequence());
    } while (take("|"));
    --depth_;
    return out;
  }

  Tree sequence() {
    Tree out{.kind = Tree::Kind::kSequence};
    while (!rest_.empty() && rest_[0] != '|' && rest_[0] != ')') {
      if (take("\\Q")) {
        quoted(out.parts);
        continue;
      }
      if (rest_.starts_with("(?") && change_flags()) continue;
      out.parts.push_back(repeated(atom()));
    }
    return out;
  }

  /// What stands between \\Q and \\E, or the end. A repetition behind it is of its last character.
  void quoted(std::vector<Tree>& out) {
    bool ended = take("\\E");
    while (!ended && !rest_.empty()) {
      out.push_back(literal(take_char()));
      ended = take("\\E");
    }
    if (ended && !out.empty()) out.back() = repeated(std::move(out.back()));
  }

  Tree chars(Ranges ranges) const {
    if (flags_.fold_case) {
      fold_case(ranges);
    } else {
      tidy(ranges);
    }
    return {.kind = Tree::Kind::kChars, .chars = std::move(ranges)};
  }
  Tree literal(uint32_t c) const { return chars({{c, c}}); }

  Tree atom() {
    if (take("(")) return group();
    if (take("[")) return char_class();
    if (take("^")) return assertion(flags_.multi_line ? Assertion::kLineBegin : Assertion::kTextBegin);
    if (take("$")) return assertion(flags_.multi_line ? Assertion::kLineEnd : Assertion::kTextEnd);
    if (take(".")) {
      return {.kind = Tree::Kind::kChars,
              .chars = complement(flags_.dot_all ? Ranges{} : Ranges{{'\n', '\n'}})};
    }
    if (take("\\A")) return assertion(Assertion::kTextBegin);
    if (take("\\z")) return assertion(Assertion::kTextEnd);
    if (take("\\b")) return assertion(Assertion::kWordEdge);
    if (take("\\B")) return assertion(Assertion::kNoWordEdge);
    if (take_repetition()) fail("nothing to repeat");
    if (!take("\\")) return literal(take_char());
    if (rest_.empty()) fail("it ends with '\\'");
    if (const std::string_view named = perl_class(rest_[0]); !named.empty()) {
      const bool negated = rest_[0] < 'a';
      rest_.remove_prefix(1);
      Ranges ranges = class_of(named, negated);
      tidy(ranges);
      return {.kind = Tree::Kind::kChars, .chars = std::move(ranges)};
    }
    return literal(escape());
  }

  static Tree assertion(Assertion which) { return {.kind = Tree::Kind::kAssertion, .assertion = which}; }

  /// (?flags), which holds up to the end of the group. False, and nothing taken, when it is the beginning of
  /// a group.
  bool change_flags() {
    const size_t end = rest_.find_first_not_of("imsU-", 2);
    if (end == 2 || end == std::string_view::npos || rest_[end] != ')') return false;
    set_flags(rest_.substr(2, end - 2));
    rest_.remove_prefix(end + 1);
    return true;
  }

  void set_flags(std::string_view letters) {
    bool on = true;
    for (const char letter : letters) {
      switch (letter) {
        case '-':
          if (!on) fail("wrong flags");
          on = false;
          break;
        case 'i': flags_.fold_case = on; break;
        case 'm': flags_.multi_line = on; break;
        case 's': flags_.dot_all = on; break;
        default: break;  // U swaps lazy and greedy
      }
    }
    if (letters.ends_with('-')) fail("wrong flags");
  }

  /// Behind its '('.
  Tree group() {
    const Flags outer = flags_;
    if (take("?P<") || (!rest_.starts_with("?<=") && !rest_.starts_with("?<!") && take("?<"))) {
      const size_t end = rest_.find('>');
      if (end == 0 || end == std::string_view::npos) fail("a group's name is wrong");
      for (const char c : rest_.substr(0, end)) {
        const bool is_word = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!is_word && !(c >= '0' && c <= '9') && c != '_') fail("a group's name is wrong");
      }
      rest_.remove_prefix(end + 1);
    } else if (take("?")) {
      const size_t end = std::min(rest_.find_first_not_of("imsU-"), rest_.size());
      const std::string_view letters = rest_.substr(0, end);
      rest_.remove_prefix(end);
      if (!take(":")) fail("a group of this kind is not supported");
      if (!letters.empty()) set_flags(letters);
    }
    Tree out = choice();
    if (!take(")")) fail("a ')' is missing");
    flags_ = outer;
    return out;
  }

  /// The number at the beginning of the rest; -1 when there is none, more than kMaxRepeat for any that is too
  /// large.
  int64_t number() {
    if (rest_.empty() || rest_[0] < '0' || rest_[0] > '9') return -1;
    int64_t value = 0;
    for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; rest_.remove_prefix(1)) {
      value = std::min(value * 10 + (rest_[0] - '0'), kMaxRepeat + 1);
    }
    return value;
  }

  /// {n}, {n,} or {n,m}; false, and nothing taken, when it is something else and stands for itself.
  bool take_counts(int64_t& least, int64_t& most) {
    const std::string_view before = rest_;
    if (take("{")) {
      least = most = number();
      if (least >= 0 && take(",")) most = number();
      if (least >= 0 && take("}")) {
        if (least > kMaxRepeat || most > kMaxRepeat || (most >= 0 && most < least)) {
          fail("a repetition count is wrong");
        }
        return true;
      }
    }
    rest_ = before;
    return false;
  }

  bool take_repetition() {
    int64_t least = 0, most = 0;
    return take("*") || take("+") || take("?") || take_counts(least, most);
  }

  Tree repeated(Tree tree) {
    int64_t least = 0, most = -1;
    if (take("+")) {
      least = 1;
    } else if (take("?")) {
      most = 1;
    } else if (!take("*") && !take_counts(least, most)) {
      return tree;
    }
    take("?");
    if (take_repetition()) fail("two repetitions in a row");
    Tree out{.kind = Tree::Kind::kRepeat, .least = least, .most = most};
    out.parts.push_back(std::move(tree));
    return out;
  }

  static int digit(char c, int base) {
    const int value = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    return value >= 0 && value < base ? value : -1;
  }

  /// Digits up to `most` of a base; fails when there are none.
  uint32_t digits(int base, size_t most) {
    uint32_t value = 0;
    size_t count = 0;
    for (; count < most && !rest_.empty() && digit(rest_[0], base) >= 0; ++count, rest_.remove_prefix(1)) {
      value = value * static_cast<uint32_t>(base) + static_cast<uint32_t>(digit(rest_[0], base));
    }
    if (count == 0 || value > kLastChar) fail("a character's number is wrong");
    return value;
  }

  /// A character behind its '\'.
  uint32_t escape() {
    const char first = rest_.empty() ? '\0' : rest_[0];
    const bool next_is_octal = rest_.size() > 1 && digit(rest_[1], 8) >= 0;
    if (first == '0' || (digit(first, 8) > 0 && next_is_octal)) return digits(8, 3);
    if (take("x{")) {
      const uint32_t value = digits(16, 6);
      if (!take("}")) fail("a '}' is missing");
      return value;
    }
    if (take("x")) {
      if (rest_.size() < 2 || digit(rest_[1], 16) < 0) fail("a character's number is wrong");
      return digits(16, 2);
    }
    static constexpr std::string_view kLetters = "aftnrv", kMeanings = "\a\f\t\n\r\v";
    const size_t at = kLetters.find(first);
    if (at != std::string_view::npos && first != '\0') {
      rest_.remove_prefix(1);
      return static_cast<uint8_t>(kMeanings[at]);
    }
    const bool is_ascii = static_cast<uint8_t>(first) < 0x80, is_alnum = digit(first, 36) >= 0;
    if (!is_ascii || is_alnum) fail(text("'\\{}' is not supported", rest_.substr(0, is_ascii ? 1 : 0)));
    return take_char();
  }

  /// A complement is that of all cases.
  Ranges class_of(std::string_view pairs, bool negated) const {
    Ranges out = to_ranges(pairs);
    if (flags_.fold_case) fold_case(out);
    return negated ? complement(std::move(out)) : out;
  }

  /// Behind its '['.
  Tree char_class() {
    Ranges out, plain;
    const bool negated = take("^");
    for (bool is_first = true; is_first || !take("]"); is_first = false) {
      if (rest_.starts_with("[:")) {
        if (const size_t end = rest_.find(":]"); end != std::string_view::npos) {
          add_named(out, rest_.substr(2, end - 2));
          rest_.remove_prefix(end + 2);
          continue;
        }
      }
      if (rest_.size() > 1 && rest_[0] == '\\') {
        if (const std::string_view named = perl_class(rest_[1]); !named.empty()) {
          add_all(out, class_of(named, rest_[1] < 'a'));
          rest_.remove_prefix(2);
          continue;
        }
      }
      const uint32_t first = take("\\") ? escape() : take_char();
      uint32_t last = first;
      if (rest_.size() > 1 && rest_[0] == '-' && rest_[1] != ']') {
        rest_.remove_prefix(1);
        last = take("\\") ? escape() : take_char();
        if (last < first) fail("a range of characters is backwards");
      }
      plain.push_back({first, last});
    }
    if (flags_.fold_case) fold_case(plain);
    add_all(out, plain);
    if (negated) out = complement(std::move(out));
    tidy(out);
    return {.kind = Tree::Kind::kChars, .chars = std::move(out)};
  }

  void add_named(Ranges& out, std::string_view name) const {
    const bool negated = name.starts_with('^');
    if (negated) name.remove_prefix(1);
    const std::string_view pairs = posix_class(name);
    if (pairs.empty()) fail("a character class is not known");
    add_all(out, class_of(pairs, negated));
  }

  std::string_view rest_;
  Flags flags_;
  size_t depth_ = 0;
};

class Compiler {
 public:
  RegexProgram compile(const Tree& tree) {
    out_.start = build(tree, add({.kind = Kind::kAccept}));
    return std::move(out_);
  }

 private:
  uint32_t add(const RegexState& state) {
    if (out_.states.size() >= kMaxStates) fail("too large");
    out_.states.push_back(state);
    return static_cast<uint32_t>(out_.states.size() - 1);
  }

  /// The state where `tree` begins when `next` comes after it.
  uint32_t build(const Tree& tree, uint32_t next) {
    // Repeating what takes nothing makes no states, and would go on for long all the same.
    if (++work_ > 4 * kMaxStates) fail("too large");
    switch (tree.kind) {
      case Tree::Kind::kEmpty: return next;
      case Tree::Kind::kChars: {
        const auto begin = static_cast<uint32_t>(out_.ranges.size());
        if (begin + tree.chars.size() > 8 * kMaxStates) fail("too large");
        out_.ranges.insert(out_.ranges.end(), tree.chars.begin(), tree.chars.end());
        return add({.kind = Kind::kChars,
                    .next = next,
                    .begin = begin,
                    .end = static_cast<uint32_t>(out_.ranges.size())});
      }
      case Tree::Kind::kAssertion:
        return add({.kind = Kind::kAssertion, .assertion = tree.assertion, .next = next});
      case Tree::Kind::kSequence:
        for (size_t i = tree.parts.size(); i-- > 0;) next = build(tree.parts[i], next);
        return next;
      case Tree::Kind::kChoice: {
        uint32_t start = build(tree.parts.back(), next);
        for (size_t i = tree.parts.size() - 1; i-- > 0;) {
          const uint32_t other = start;
          start = add({.kind = Kind::kSplit, .next = build(tree.parts[i], next), .other = other});
        }
        return start;
      }
      case Tree::Kind::kRepeat: break;
    }
    const Tree& part = tree.parts[0];
    uint32_t start = next;
    if (tree.most < 0) {
      start = add({.kind = Kind::kSplit, .other = next});
      const uint32_t loop = build(part, start);
      out_.states[start].next = loop;
    } else {
      for (int64_t i = tree.least; i < tree.most; ++i) {
        start = add({.kind = Kind::kSplit, .next = build(part, start), .other = next});
      }
    }
    for (int64_t i = 0; i < tree.least; ++i) start = build(part, start);
    return start;
  }

  RegexProgram out_;
  size_t work_ = 0;
};

}  // namespace

RegexProgram compile_regex(std::string_view pattern) { return Compiler().compile(Parser(pattern).parse()); }

}  // namespace kinglet::ops
