#include <cmath>

#include "pictures.hpp"
#include "vision/ctc.hpp"

using namespace kinglet;
using namespace kinglet::vision;
using namespace kinglet::vision::test;
using Catch::Approx;

namespace {

/// Steps whose best class has the given probability, the others 0.
std::vector<float> steps(size_t classes, const std::vector<std::pair<size_t, float>>& best) {
  std::vector<float> scores(classes * best.size());
  for (size_t i = 0; i < best.size(); ++i) scores[i * classes + best[i].first] = best[i].second;
  return scores;
}

const Dictionary& letters() {
  static const Dictionary dictionary("a\nb\n\xe6\xac\xa2\n");
  return dictionary;
}

}  // namespace

TEST_CASE("ctc: best path", "[vision]") {
  struct Row {
    const char* label;
    std::vector<std::pair<size_t, float>> best;
    std::string text;
    double confidence;
  };
  // Classes: 0 blank, 1 a, 2 b, 3 U+6B22, 4 space.
  const std::vector<Row> rows = {
      {"no steps", {}, "", 0},
      {"only blanks", {{0, 1.0f}, {0, 1.0f}}, "", 0},
      {"repeats merge, the first counts", {{1, 0.9f}, {1, 0.1f}, {1, 0.1f}}, "a", 0.9},
      {"a blank parts repeats", {{1, 0.8f}, {0, 0.9f}, {1, 0.6f}}, "aa", 0.7},
      {"blanks do not lower the confidence", {{0, 0.1f}, {1, 1.0f}, {0, 0.1f}}, "a", 1},
      {"the last class is the space", {{1, 1.0f}, {4, 0.5f}, {2, 1.0f}}, "a b", 2.5 / 3},
      {"more than one byte",
       {{3, 0.5f}, {2, 0.5f}},
       "\xe6\xac\xa2"
       "b",
       0.5},
  };
  for (const Row& row : rows) {
    INFO(row.label);
    const DecodedLine line = decode_ctc(steps(5, row.best), row.best.size(), 5, letters());
    CHECK(line.text == row.text);
    CHECK(line.confidence == Approx(row.confidence).margin(1e-6));
  }
}

TEST_CASE("ctc: without a class for the space", "[vision]") {
  CHECK(decode_ctc(steps(4, {{1, 1.0f}, {3, 1.0f}}), 2, 4, letters()).text == "a\xe6\xac\xa2");
}

TEST_CASE("ctc: logits", "[vision]") {
  const std::vector<float> scores = {0, 2, 0, 0, 0, 0, -1000, 0, 1000, 0};
  const DecodedLine line = decode_ctc(scores, 2, 5, letters(), ScoreKind::kLogits);
  CHECK(line.text == "a\xe6\xac\xa2");
  CHECK(line.confidence == Approx((std::exp(2.0) / (std::exp(2.0) + 4) + 1) / 2));
}

TEST_CASE("ctc: scores that are no numbers", "[vision]") {
  std::vector<float> scores(10, kNan);
  CHECK(decode_ctc(scores, 2, 5, letters()).text.empty());
  scores[2] = 0.5f;
  scores[8] = kInfinity;
  const DecodedLine line = decode_ctc(scores, 2, 5, letters());
  CHECK(line.text == "b\xe6\xac\xa2");
  CHECK(line.confidence == Approx(0.75));
  const DecodedLine logits = decode_ctc(scores, 2, 5, letters(), ScoreKind::kLogits);
  CHECK(logits.confidence == 1);
}

TEST_CASE("ctc: sizes that do not fit are refused", "[vision]") {
  const std::vector<float> scores(10);
  check_invalid([&] { decode_ctc(scores, 2, 6, letters()); }, "would give 4 or 5 classes, but it gives 6");
  check_invalid([&] { decode_ctc(scores, 2, 0, letters()); }, "its 3 symbols, the first of which is 'a', the recognizer would give 4 or 5 classes, but it gives 0");
  check_invalid([&] { decode_ctc(scores, 3, 5, letters()); }, "expected 3 x 5 scores, got 10");
  check_invalid([&] { decode_ctc({scores.data(), 9}, 2, 5, letters()); }, "got 9");
  check_invalid([&] { decode_ctc(scores, SIZE_MAX / 5 + 3, 5, letters()); }, "got 10");
}

TEST_CASE("dictionary: lines", "[vision]") {
  struct Row {
    const char* label;
    std::string text;
    std::vector<std::string> symbols;
  };
  const std::vector<Row> rows = {
      {"each line ended", "a\nb\n", {"a", "b"}},
      {"the last one not", "a\nb", {"a", "b"}},
      {"Windows' ends", "a\r\nb\r\n", {"a", "b"}},
      {"a byte order mark",
       "\xef\xbb\xbf"
       "a\nb",
       {"a", "b"}},
      {"an empty line is a class", "a\n\nb\n", {"a", "", "b"}},
      {"a space, an ideographic space, four bytes",
       " \n\xe3\x80\x80\n\xf0\x9f\x90\xa6\n",
       {" ", "\xe3\x80\x80", "\xf0\x9f\x90\xa6"}},
  };
  for (const Row& row : rows) {
    INFO(row.label);
    const Dictionary dictionary(row.text);
    REQUIRE(dictionary.size() == row.symbols.size());
    for (size_t i = 0; i < row.symbols.size(); ++i) CHECK(dictionary[i] == row.symbols[i]);
  }
}

TEST_CASE("dictionary: what is no text is refused", "[vision]") {
  check_invalid([] { Dictionary(""); }, "no symbols");
  check_invalid([] { Dictionary("\xef\xbb\xbf"); }, "no symbols");
  for (const char* bad :
       {"a\n\x80\n", "a\n\xc0\xaf\n", "a\n\xe6\xac\n", "a\n\xed\xa0\x80", "a\n\xf5\x80\x80\x80",
        "a\n\xe0\x80\x80", "a\n\xf0\x80\x80\x80", "a\n\xf4\x90\x80\x80", "a\n\xc3", "a\n\xff"}) {
    check_invalid([&] { Dictionary{std::string(bad)}; }, "line 2 is not UTF-8");
  }
}
