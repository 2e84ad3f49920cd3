#include "base/utf8.hpp"

#include <catch2/catch_amalgamated.hpp>

namespace kinglet::utf8 {
namespace {

TEST_CASE("UTF-8") {
  for (const uint32_t c :
       {0u, 0x7Fu, 0x80u, 0x7FFu, 0x800u, 0xD7FFu, 0xE000u, 0xFFFFu, 0x10000u, 0x10FFFFu}) {
    std::string text;
    append(text, c);
    CHECK(decode(text, 0).value == c);
    CHECK(decode(text, 0).length == text.size());
    for (size_t cut = 1; cut < text.size(); ++cut) CHECK(decode(text.substr(0, cut), 0).value == kInvalid);
  }
  // Too long, a surrogate, too large, a stray second byte, two first bytes.
  for (const char* text : {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF8\x88\x80\x80",
                           "\x80", "\xC3\xC3"}) {
    CHECK(decode(text, 0).value == kInvalid);
    CHECK(decode(text, 0).length == 1);
  }
  CHECK(length("aé日𐐀\xFF") == 5);
}

TEST_CASE("UTF-8 is told from what is not", "[base]") {
  struct Row {
    std::string_view bytes;
    bool valid;
  };
  const Row rows[] = {
      {"", true},
      {"plain", true},
      {"\xc3\xa9", true},
      {"\xe6\x96\x87\xe5\xad\x97", true},
      {"\xf0\x9f\x98\x80", true},
      {"\xf4\x8f\xbf\xbf", true},
      {"\x80", false},
      {"\xc3", false},
      {"a\xc3", false},
      {"\xc0\xaf", false},
      {"\xc1\xbf", false},
      {"\xe0\x9f\xbf", false},
      {"\xed\xa0\x80", false},
      {"\xf0\x8f\xbf\xbf", false},
      {"\xf4\x90\x80\x80", false},
      {"\xf5\x80\x80\x80", false},
      {"\xff", false},
      {"\xe6\x96", false},
      {"\xe6\x96"
       "a",
       false},
  };
  for (const Row& row : rows) {
    CAPTURE(&row - rows);
    CHECK(is_valid(row.bytes) == row.valid);
  }
}

TEST_CASE("a text's beginning ends between characters", "[base]") {
  CHECK(beginning("plain", 9) == "plain");
  CHECK(beginning("plain", 5) == "plain");
  CHECK(beginning("plain", 2) == "pl");
  CHECK(beginning("a\xe6\x96\x87z", 3) == "a");
  CHECK(beginning("a\xe6\x96\x87z", 4) == "a\xe6\x96\x87");
  CHECK(beginning("\xff\xff", 1) == "\xff");
  CHECK(beginning("a", 0).empty());
}

}  // namespace
}  // namespace kinglet::utf8
