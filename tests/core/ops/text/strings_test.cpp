// String operators; the official cases run them as well.

#include "ops/support/rows.hpp"

namespace kinglet::test {
namespace {

OpCall call(const char* op, std::vector<Tensor> inputs, std::vector<Attribute> attributes,
            size_t outputs = 1) {
  return {.op = op,
          .opset = 20,
          .attributes = std::move(attributes),
          .inputs = std::move(inputs),
          .outputs = outputs};
}

OpCall tokenizer(std::vector<Attribute> attributes, Tensor x, bool mark = false, int least = 1) {
  attributes.push_back(attr("mark", mark ? 1 : 0));
  attributes.push_back(attr("pad_value", "#"));
  attributes.push_back(attr("mincharnum", least));
  return {.op = "Tokenizer",
          .opset = 1,
          .attributes = std::move(attributes),
          .inputs = {std::move(x)},
          .domain = "com.microsoft"};
}

}  // namespace

TEST_CASE("StringNormalizer") {
  const Tensor x = strings({1, 3}, {"Äpfel", "und", "UND"});
  const Attribute stop = attr_strings("stopwords", {"Und"}), sensitive = attr("is_case_sensitive", 1);
  check_rows({
      {"upper case", call("StringNormalizer", {x}, {attr("case_change_action", "UPPER")}),
       strings({1, 3}, {"ÄPFEL", "UND", "UND"})},
      {"stop words of any case", call("StringNormalizer", {x}, {stop}), strings({1, 1}, {"Äpfel"})},
      {"stop words of one case", call("StringNormalizer", {x}, {stop, sensitive}), x},
      {"nothing left", call("StringNormalizer", {strings({1}, {"und"})}, {stop}), strings({1}, {""})},
  });
  check_failures({
      {"two rows", call("StringNormalizer", {strings({2, 1}, {"a", "b"})}, {}), ErrorCode::kShape},
      {"a scalar", call("StringNormalizer", {strings({}, {"a"})}, {}), ErrorCode::kShape},
      {"numbers", call("StringNormalizer", {i64({1}, {1})}, {}), ErrorCode::kModel},
      {"an unknown action", call("StringNormalizer", {x}, {attr("case_change_action", "TITLE")}),
       ErrorCode::kModel},
  });
}

TEST_CASE("StringSplit and StringConcat") {
  const Tensor x = strings({3}, {"a,,b", "", "c"});
  check_rows({
      {"at commas",
       call("StringSplit", {x}, {attr("delimiter", ",")}, 2),
       {strings({3, 3}, {"a", "", "b", "", "", "", "c", "", ""}), i64({3}, {3, 0, 1})}},
      {"once",
       call("StringSplit", {x}, {attr("delimiter", ","), attr("maxsplit", 1)}, 2),
       {strings({3, 2}, {"a", ",b", "", "", "c", ""}), i64({3}, {2, 0, 1})}},
      {"never",
       call("StringSplit", {strings({1}, {" a  b "})}, {attr("maxsplit", 0)}, 2),
       {strings({1, 1}, {"a  b"}), i64({1}, {1})}},
      {"at space of any kind",
       call("StringSplit", {strings({}, {"\ta \n b  "})}, {}, 2),
       {strings({2}, {"a", "b"}), i64({}, {2})}},
      {"a delimiter of two characters",
       call("StringSplit", {strings({1}, {"aé|é|b"})}, {attr("delimiter", "é|")}, 2),
       {strings({1, 3}, {"a", "", "b"}), i64({1}, {3})}},
      {"broadcast", call("StringConcat", {strings({2, 1}, {"a", "b"}), strings({2}, {"x", ""})}, {}),
       strings({2, 2}, {"ax", "a", "bx", "b"})},
  });
  check_failures({
      {"shapes that do not fit", call("StringConcat", {strings({2}, {"a", "b"}), x}, {}), ErrorCode::kShape},
      {"one operand", call("StringConcat", {x}, {}), ErrorCode::kModel},
  });
}

TEST_CASE("RegexFullMatch") {
  check_rows(
      {{"rows",
        call("RegexFullMatch", {strings({2, 2}, {"ab", "abab", "", "aba"})}, {attr("pattern", "(ab)+")}),
        boolean({2, 2}, {true, true, false, false})}});
  check_failures({{"malformed", call("RegexFullMatch", {strings({1}, {"a"})}, {attr("pattern", "(")}),
                   ErrorCode::kModel, "')'"},
                  {"no pattern", call("RegexFullMatch", {strings({1}, {"a"})}, {}), ErrorCode::kModel}});
}

TEST_CASE("TfIdfVectorizer") {
  const auto vectorizer = [](const char* mode, Tensor x, std::vector<Attribute> changes = {}) {
    std::vector<Attribute> attributes = {attr("mode", mode),
                                         attr("min_gram_length", 1),
                                         attr("max_gram_length", 2),
                                         attr("max_skip_count", 1),
                                         attr_ints("ngram_counts", {0, 2}),
                                         attr_ints("ngram_indexes", {3, 0, 1}),
                                         attr_ints("pool_int64s", {5, 7, 5, 7}),
                                         attr_floats("weights", {10, 20, 30})};
    for (const Attribute& change : changes) {
      for (Attribute& a : attributes) a = a.name == change.name ? change : a;
    }
    return call("TfIdfVectorizer", {std::move(x)}, std::move(attributes));
  };
  const Tensor x = i32({2, 4}, {5, 1, 7, 5, 7, 7, 1, 1});
  check_rows({
      {"counts, pairs with one between", vectorizer("TF", x), f32({2, 4}, {1, 1, 0, 2, 2, 0, 0, 0})},
      {"weights", vectorizer("IDF", x), f32({2, 4}, {20, 30, 0, 10, 20, 0, 0, 0})},
      {"both", vectorizer("TFIDF", x), f32({2, 4}, {20, 30, 0, 20, 40, 0, 0, 0})},
      {"a vector", vectorizer("TF", i64({2}, {5, 7})), f32({4}, {1, 1, 0, 1})},
      {"nothing", vectorizer("TF", i64({0}, {})), f32({4}, {0, 0, 0, 0})},
      {"as many skips as can be", vectorizer("TF", i64({3}, {5, 1, 7}), {attr("max_skip_count", INT64_MAX)}),
       f32({4}, {1, 1, 0, 1})},
  });
  check_failures({
      {"half a pair", vectorizer("TF", x, {attr_ints("pool_int64s", {5, 7, 5})}), ErrorCode::kModel},
      {"fewer columns", vectorizer("TF", x, {attr_ints("ngram_indexes", {3, 0})}), ErrorCode::kModel},
      {"a negative column", vectorizer("TF", x, {attr_ints("ngram_indexes", {3, -1, 1})}), ErrorCode::kModel},
      {"absurdly many columns", vectorizer("TF", x, {attr_ints("ngram_indexes", {3, INT64_MAX, 1})}),
       ErrorCode::kModel},
      {"counts that descend", vectorizer("TF", x, {attr_ints("ngram_counts", {2, 0})}), ErrorCode::kModel},
      {"counts beyond the pool", vectorizer("TF", x, {attr_ints("ngram_counts", {0, 9})}), ErrorCode::kModel},
      {"fewer weights", vectorizer("TF", x, {attr_floats("weights", {1})}), ErrorCode::kModel},
      {"an unknown mode", vectorizer("BM25", x), ErrorCode::kModel},
      {"strings among numbers", vectorizer("TF", strings({1}, {"a"})), ErrorCode::kModel},
      {"three dims", vectorizer("TF", i64({1, 1, 1}, {5})), ErrorCode::kShape},
  });
}

TEST_CASE("Tokenizer") {
  const Tensor x = strings({2}, {"ab,, c dabcé abq", "xyz é"});
  const Attribute words = attr("tokenexp", "[a-z]+"), cuts = attr_strings("separators", {" ", ",+"});
  check_rows({
      {"words", tokenizer({words}, x), strings({2, 4}, {"ab", "c", "dabc", "abq", "xyz", "#", "#", "#"})},
      {"words of two characters, marked", tokenizer({words}, x, true, 2),
       strings({2, 5}, {"\x02", "ab", "dabc", "abq", "\x03", "\x02", "xyz", "\x03", "#", "#"})},
      {"the longest of several", tokenizer({attr("tokenexp", "a|ab|abc")}, strings({1}, {"dabc ab"})),
       strings({1, 2}, {"abc", "ab"})},
      {"separators one after the other", tokenizer({cuts}, x),
       strings({2, 4}, {"ab", "c", "dabcé", "abq", "xyz", "é", "#", "#"})},
      {"characters", tokenizer({attr_strings("separators", {""})}, strings({1, 2}, {"aé", "日"})),
       strings({1, 2, 2}, {"a", "é", "日", "#"})},
      {"no tokens", tokenizer({words}, strings({1}, {"123"}), true), strings({1, 0}, {})},
  });
  check_failures({
      {"neither", tokenizer({}, x), ErrorCode::kModel},
      {"both", tokenizer({words, cuts}, x), ErrorCode::kModel},
      {"malformed", tokenizer({attr("tokenexp", "[")}, x), ErrorCode::kModel},
  });
}

}  // namespace kinglet::test
