#include <catch2/catch_amalgamated.hpp>

#include "base/utf8.hpp"
#include "ops/text/case_map.hpp"

namespace kinglet::utf8 {

TEST_CASE("Case of UTF-8 text") {
  struct Row {
    std::string text, lower, upper;
  };
  for (const auto& [text, lower, upper] : std::vector<Row>{
           {"", "", ""},
           {"aZ09_[`{@", "az09_[`{@", "AZ09_[`{@"},
           {"ÀéÖ÷×ÿŸßẞ", "àéö÷×ÿÿßß", "ÀÉÖ÷×ŸŸßẞ"},
           {"ĀāŁłŽžƏǅ", "āāłłžžəǆ", "ĀĀŁŁŽŽƏǄ"},
           {"ΑάΣςΩώ", "αάσςωώ", "ΑΆΣΣΩΏ"},
           {"ПрИвЕтЁё", "приветёё", "ПРИВЕТЁЁ"},
           {"Աւ Ḁẁ Ⅷⓐ Ａｚ 𐐀𐐨", "աւ ḁẁ ⅷⓐ ａｚ 𐐨𐐨", "ԱՒ ḀẀ ⅧⒶ ＡＺ 𐐀𐐀"},
           {"日本 \xFF\xC3 é", "日本 \xFF\xC3 é", "日本 \xFF\xC3 É"},
       }) {
    INFO(text);
    CHECK(change_case(text, Case::kLower) == lower);
    CHECK(change_case(text, Case::kUpper) == upper);
  }
}

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

}  // namespace kinglet::utf8
