#include "ops/text/regex.hpp"

#include <algorithm>

#include "base/utf8.hpp"

namespace kinglet::ops {
namespace {

using Kind = RegexState::Kind;
using Assertion = RegexState::Assertion;

constexpr uint32_t kNone = utf8::kInvalid - 1;  ///< before the first and after the last character

bool is_word(uint32_t c) { return (c | 0x20) - 'a' < 26 || c - '0' < 10 || c == '_'; }

bool holds(Assertion assertion, uint32_t before, uint32_t after) {
  switch (assertion) {
    case Assertion::kTextBegin: return before == kNone;
    case Assertion::kTextEnd: return after == kNone;
    case Assertion::kLineBegin: return before == kNone || before == '\n';
    case Assertion::kLineEnd: return after == kNone || after == '\n';
    case Assertion::kWordEdge: return is_word(before) != is_word(after);
    case Assertion::kNoWordEdge: break;
  }
  return is_word(before) == is_word(after);
}

}  // namespace

/// The threads of one search. They are kept in the order of where they began, and of two in one state the
/// earlier stays.
class Regex::Run {
 public:
  Run(const RegexProgram& program, std::string_view text) : program_(program), text_(text) {
    seen_.resize(program.states.size());
  }

  /// With `whole`, only a match from `from` to the end of the text counts.
  std::optional<Match> operator()(size_t from, bool whole) {
    std::optional<Match> best;
    uint32_t before =
        from == 0 ? kNone : static_cast<uint8_t>(text_[from - 1]);  // enough to know an ASCII letter
    for (size_t at = from;; ++step_) {
      const utf8::CodePoint c = at < text_.size() ? utf8::decode(text_, at) : utf8::CodePoint{kNone, 1};
      threads_.clear();
      for (const Thread& t : arrived_) follow(t, before, c.value);
      if (!best && (!whole || at == from)) follow({program_.start, at}, before, c.value);
      arrived_.clear();
      for (const Thread& t : threads_) {
        if (best && t.begin > best->begin) break;
        const RegexState& state = program_.states[t.state];
        if (state.kind == Kind::kAccept) {
          if (!whole || at == text_.size()) best = Match{t.begin, at};
        } else if (takes(state, c.value)) {
          arrived_.push_back({state.next, t.begin});
        }
      }
      if (at >= text_.size() || (arrived_.empty() && (whole || best))) return best;
      before = c.value;
      at += c.length;
    }
  }

 private:
  /// Adds the threads that t becomes without taking a character.
  void follow(const Thread& t, uint32_t before, uint32_t after) {
    stack_.push_back(t.state);
    while (!stack_.empty()) {
      const uint32_t id = stack_.back();
      stack_.pop_back();
      if (seen_[id] == step_) continue;
      seen_[id] = step_;
      const RegexState& state = program_.states[id];
      if (state.kind == Kind::kSplit) {
        stack_.push_back(state.other);
        stack_.push_back(state.next);
      } else if (state.kind != Kind::kAssertion) {
        threads_.push_back({id, t.begin});
      } else if (holds(state.assertion, before, after)) {
        stack_.push_back(state.next);
      }
    }
  }

  bool takes(const RegexState& state, uint32_t c) const {
    const CharRange* begin = program_.ranges.data() + state.begin;
    const CharRange* end = program_.ranges.data() + state.end;
    const CharRange* at =
        std::lower_bound(begin, end, c, [](const CharRange& r, uint32_t v) { return r.last < v; });
    return at != end && at->first <= c;
  }

  const RegexProgram& program_;
  std::string_view text_;
  std::vector<Thread> threads_, arrived_;
  std::vector<uint32_t> stack_;
  std::vector<size_t> seen_;  ///< the step at which a state was last added
  size_t step_ = 1;
};

bool Regex::matches(std::string_view text) const { return Run(program_, text)(0, true).has_value(); }

std::optional<Regex::Match> Regex::find(std::string_view text, size_t from) const {
  return Run(program_, text)(from, false);
}

}  // namespace kinglet::ops
