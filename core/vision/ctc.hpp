#pragma once
// The scores of a text recognizer to text.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kinglet::vision {

/// The symbols a recognizer can write, in the order of its classes.
class Dictionary {
 public:
  /// One symbol a line, UTF-8, lines ended by \n or \r\n (the last may have no end). A byte order mark is
  /// skipped.
  /// Throws kInvalidArgument when there is no symbol or a line is not UTF-8, naming the line.
  explicit Dictionary(std::string text);

  size_t size() const { return starts_.size(); }
  std::string_view operator[](size_t i) const;

 private:
  std::string text_;  // the symbols without what was between them
  std::vector<size_t> starts_;
};

enum class ScoreKind {
  kProbabilities,  ///< each step sums to 1, as after Softmax (PP-OCR's models as they are exported)
  kLogits,         ///< any values; Softmax is applied to tell the confidence
};

struct DecodedLine {
  std::string text;      ///< UTF-8
  float confidence = 0;  ///< mean probability of the symbols in `text`, [0, 1]; 0 when there are none
};

/// Throws kInvalidArgument unless a recognizer that gives `classes` is one for this dictionary: its symbols, the blank and
/// perhaps the space.
void check_classes(size_t classes, const Dictionary& dictionary);

/// Best-path decoding of Connectionist Temporal Classification (Graves et al. 2006, section 3.2): the best
/// class of each step, repeats merged, blanks dropped. Class 0 is the blank, class i + 1 is dictionary[i]; a
/// class more than that, the last one, is the space. `scores` is [steps, classes]; not-a-number never wins, a
/// step of nothing else is a blank.
/// Throws what check_classes() throws; kInvalidArgument when `scores` has another size.
DecodedLine decode_ctc(std::span<const float> scores, size_t steps, size_t classes,
                       const Dictionary& dictionary, ScoreKind kind = ScoreKind::kProbabilities);

}  // namespace kinglet::vision
