#include <catch2/catch_amalgamated.hpp>

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

}  // namespace kinglet::utf8
