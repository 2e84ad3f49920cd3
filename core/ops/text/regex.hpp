#pragma once
// Regular expressions of RE2's syntax over UTF-8, matched in time linear in text times pattern: a Thompson
// automaton whose states all run at once.
//
// Understood: literals, . [classes] [:names:] \d \w \s \b \A \z ^ $, groups (named ones too), flags (?imsU),
// | * + ? {n,m} and their lazy forms (longest matches are found, so that they mean the same), \x41 \x{1F600}
// \123 \Q...\E. As in RE2 \d \w \s \b are of ASCII, case is folded by Unicode's simple mappings, and there
// are no references back and no look-around. Not understood:
// \p{...} and \C.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace kinglet::ops {

/// Characters from first to last.
struct CharRange {
  uint32_t first, last;
};

/// A state of the automaton.
struct RegexState {
  enum class Kind : uint8_t {
    kChars,      ///< one character of ranges [begin, end), then `next`
    kSplit,      ///< `next` or `other`
    kAssertion,  ///< `next` if `assertion` holds
    kAccept,
  };
  enum class Assertion : uint8_t { kTextBegin, kTextEnd, kLineBegin, kLineEnd, kWordEdge, kNoWordEdge };
  Kind kind;
  Assertion assertion = Assertion::kTextBegin;
  uint32_t next = 0, other = 0;
  uint32_t begin = 0, end = 0;
};

struct RegexProgram {
  std::vector<RegexState> states;
  std::vector<CharRange> ranges;
  uint32_t start = 0;
};

/// Throws kModel when the pattern is malformed, not understood, or its automaton would have more than 2^15
/// states.
RegexProgram compile_regex(std::string_view pattern);

class Regex {
 public:
  explicit Regex(std::string_view pattern) : program_(compile_regex(pattern)) {}

  /// Does the whole text match?
  bool matches(std::string_view text) const;

  struct Match {
    size_t begin, end;  ///< in bytes
  };
  /// The longest of the matches that begin first, at or after byte `from`.
  std::optional<Match> find(std::string_view text, size_t from) const;

 private:
  struct Thread {
    uint32_t state;
    size_t begin;
  };
  class Run;
  RegexProgram program_;
};

}  // namespace kinglet::ops
