#include "vision/ctc.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/utf8.hpp"

namespace kinglet::vision {
namespace {

/// The index of the largest score; 0 when none is a number.
size_t best_class(std::span<const float> scores) {
  size_t best = 0;
  float highest = -INFINITY;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] > highest) {
      highest = scores[i];
      best = i;
    }
  }
  return best;
}

float probability(std::span<const float> scores, size_t best, ScoreKind kind) {
  if (kind == ScoreKind::kProbabilities) return std::clamp(scores[best], 0.0f, 1.0f);
  const float top = scores[best];
  double sum = 0;
  for (const float score : scores) {
    // Equality is asked first because the distance of two infinities is not a number.
    if (score == top) sum += 1;
    else if (score < top) sum += std::exp(double{score} - top);
  }
  return static_cast<float>(1 / sum);
}

}  // namespace

Dictionary::Dictionary(std::string text) {
  std::string_view rest = text;
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view symbol = rest.substr(0, end);
    if (symbol.ends_with('\r')) symbol.remove_suffix(1);
    if (!utf8::is_valid(symbol)) {
      throw_error(ErrorCode::kInvalidArgument, "dictionary: line {} is not UTF-8", starts_.size() + 1);
    }
    starts_.push_back(text_.size());
    text_ += symbol;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (starts_.empty()) throw_error(ErrorCode::kInvalidArgument, "dictionary: it has no symbols");
}

std::string_view Dictionary::operator[](size_t i) const {
  const size_t end = i + 1 < starts_.size() ? starts_[i + 1] : text_.size();
  return std::string_view(text_).substr(starts_[i], end - starts_[i]);
}

void check_classes(size_t classes, const Dictionary& dictionary) {
  const size_t symbols = dictionary.size();
  if (classes == symbols + 1 || classes == symbols + 2) return;
  throw_error(ErrorCode::kInvalidArgument,
              "dictionary: with its {} symbols, the first of which is '{}', the recognizer would give {} or {} classes, but it gives {}: they do not belong together",
              symbols, utf8::beginning(dictionary[0], 40), symbols + 1, symbols + 2, classes);
}

DecodedLine decode_ctc(std::span<const float> scores, size_t steps, size_t classes,
                       const Dictionary& dictionary, ScoreKind kind) {
  check_classes(classes, dictionary);
  if (scores.size() % classes != 0 || scores.size() / classes != steps) {
    throw_error(ErrorCode::kInvalidArgument, "recognizer: expected {} x {} scores, got {}", steps, classes,
                scores.size());
  }

  DecodedLine line;
  double sum = 0;
  size_t count = 0, previous = 0;
  for (size_t step = 0; step < steps; ++step) {
    const auto row = scores.subspan(step * classes, classes);
    const size_t best = best_class(row);
    if (best != 0 && best != previous) {
      line.text += best > dictionary.size() ? std::string_view(" ") : dictionary[best - 1];
      sum += probability(row, best, kind);
      ++count;
    }
    previous = best;
  }
  if (count > 0) line.confidence = static_cast<float>(sum / static_cast<double>(count));
  return line;
}

}  // namespace kinglet::vision
