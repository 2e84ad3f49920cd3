// Regular expressions; the expected values are those of RE2, which finds longest matches here.

#include <catch2/catch_amalgamated.hpp>

#include "base/error.hpp"
#include "ops/text/regex.hpp"

namespace kinglet::ops {
namespace {

/// Does the whole text match, and which part of it does?
struct Row {
  std::string pattern, text;
  bool whole;
  std::string found = "none";
};

std::string found_in(const Regex& regex, const std::string& text) {
  const auto match = regex.find(text, 0);
  return match ? text.substr(match->begin, match->end - match->begin) : "none";
}

}  // namespace

TEST_CASE("Regular expressions") {
  for (const auto& [pattern, text, whole, found] : std::vector<Row>{
           {"", "", true, ""},
           {"", "a", false, ""},
           {"abc", "abc", true, "abc"},
           {"a|ab|abc", "abcd", false, "abc"},
           {"a*", "aaa", true, "aaa"},
           {"a+?", "aaa", true, "aaa"},
           {"(a|b)*c", "abac", true, "abac"},
           {"(a*)*", "aa", true, "aa"},
           {"(a*)+b", "b", true, "b"},
           {"x{2}", "xxx", false, "xx"},
           {"x{2,}", "xxx", true, "xxx"},
           {"x{0,2}", "xxx", false, "xx"},
           {"x{,2}", "x{,2}", true, "x{,2}"},
           {"{", "{", true, "{"},
           {"]", "]", true, "]"},
           {"(ab){1,2}?c", "ababc", true, "ababc"},
           {".", "\n", false},
           {"(?s).", "\n", true, "\n"},
           {".", "日", true, "日"},
           {"..", "é", false},
           {".", "\xFF", false},
           {"[^a]", "\xFF", false},
           {"[a-cé]+", "abéd", false, "abé"},
           {"[^a-c]+", "aé日c", false, "é日"},
           {"[]a]+", "a]", true, "a]"},
           {"[a-]+", "-a-", true, "-a-"},
           {"[\\]\\-\\d]+", "]-7", true, "]-7"},
           {"[[:alpha:][:digit:]]+", "a1_", false, "a1"},
           {"[[:^space:]]+", "a b", false, "a"},
           {"\\w+", "Größe", false, "Gr"},
           {"\\D\\S\\W", "ab-", true, "ab-"},
           {"\\x41\\x{e9}\\101\\t", "AéA\t", true, "AéA\t"},
           {"\\Qa.b*\\E+", "a.b**", true, "a.b**"},
           {"\\.\\$\\_", ".$_", true, ".$_"},
           {"^a$", "a", true, "a"},
           {"^b", "a\nb", false},
           {"(?m)^b$", "a\nb\nc", false, "b"},
           {"\\Aa\\z", "a", true, "a"},
           {"\\bfox\\b", "a fox!", false, "fox"},
           {"\\Box\\b", "fox", false, "ox"},
           {"(?i)straSSe", "STRAsse", true, "STRAsse"},
           {"(?i)ÄΩЖ", "äωж", true, "äωж"},
           {"(?i)k", "\u212A", true, "\u212A"},
           {"(?i)[^k]", "K", false},
           {"a(?i)b(?-i)c", "aBc", true, "aBc"},
           {"(?i:a)b", "AB", false},
           {"(?P<word>a)(?<other>b)(?:c)", "abc", true, "abc"},
           {"(a|)b", "b", true, "b"},
           {"|a", "a", true, "a"},
       }) {
    INFO(pattern << " in " << text);
    const Regex regex(pattern);
    CHECK(regex.matches(text) == whole);
    CHECK(found_in(regex, text) == found);
  }
}

TEST_CASE("Matches one after the other") {
  const Regex regex("a+|^b");
  const std::string text = "baab";
  const auto first = regex.find(text, 0), second = regex.find(text, first->end);
  CHECK(first->end == 1);
  CHECK(second->begin == 1);
  CHECK(second->end == 3);
  CHECK(!regex.find(text, second->end));
  CHECK(!regex.find(text, text.size()));
}

TEST_CASE("Patterns that are refused") {
  std::string deep(1000, '('), large;
  for (int i = 0; i < 40; ++i) large += "(a{1000})";
  for (const std::string& pattern : std::vector<std::string>{"(",
                                                             ")",
                                                             "a)",
                                                             "[",
                                                             "[a",
                                                             "[b-a]",
                                                             "[[:foo:]]",
                                                             "*a",
                                                             "a**",
                                                             "a*{2}",
                                                             "a{3,2}",
                                                             "a{1001}",
                                                             "a{99999999999999999999}",
                                                             "\\",
                                                             "\\1",
                                                             "\\x",
                                                             "\\x{",
                                                             "\\x{110000}",
                                                             "\\xZZ",
                                                             "\\pL",
                                                             "\\C",
                                                             "\\q",
                                                             "(?",
                                                             "(?z)",
                                                             "(?=a)",
                                                             "(?!a)",
                                                             "(?<=a)",
                                                             "(?P<a",
                                                             "(?P<>a)",
                                                             "(?P<a b>c)",
                                                             "(?i-)a",
                                                             "\xFF",
                                                             "a\xC3",
                                                             deep,
                                                             large,
                                                             "((((a{1000}){1000}){1000}){1000})",
                                                             "(((){1000}){1000}){1000}",
                                                             std::string(100000, 'a')}) {
    INFO(pattern.substr(0, 40));
    try {
      Regex{pattern};
      FAIL_CHECK("was not refused");
    } catch (const Error& e) {
      CHECK(e.code == ErrorCode::kModel);
    }
  }
}

TEST_CASE("Patterns that take exponential time elsewhere") {
  const std::string text(5000, 'x');
  CHECK(!Regex("(x+x+)+y").matches(text));
  CHECK(!Regex("(x*)*y").find(text, 0));
  CHECK(Regex("(x?){50}x{50}").matches(std::string(50, 'x')));
}

}  // namespace kinglet::ops
