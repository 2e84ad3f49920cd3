#include "base/utf8.hpp"

#include <catch2/catch_amalgamated.hpp>

namespace kinglet {
namespace {

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
    CHECK(utf8::is_valid(row.bytes) == row.valid);
  }
}

TEST_CASE("a text's beginning ends between characters", "[base]") {
  CHECK(utf8::beginning("plain", 9) == "plain");
  CHECK(utf8::beginning("plain", 5) == "plain");
  CHECK(utf8::beginning("plain", 2) == "pl");
  CHECK(utf8::beginning("a\xe6\x96\x87z", 3) == "a");
  CHECK(utf8::beginning("a\xe6\x96\x87z", 4) == "a\xe6\x96\x87");
  CHECK(utf8::beginning("\xff\xff", 1) == "\xff");
  CHECK(utf8::beginning("a", 0).empty());
}

}  // namespace
}  // namespace kinglet
