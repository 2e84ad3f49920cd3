#pragma once
// The equation of Einsum: "bij,bjk->bik". A term names the dims of an operand by letters; "..." stands for any number
// of dims, which broadcast from the right. Without "->" the output has the dims of "..." and then, in order, the
// letters that occur once.

#include <bitset>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/shape.hpp"

namespace kinglet::ops {

/// A letter in the order of ASCII, or kFirstEllipsis + a dim of "..." counted from the right.
using Label = uint8_t;
inline constexpr Label kFirstEllipsis = 52;
inline constexpr size_t kLabels = kFirstEllipsis + kMaxRank;
using Labels = std::vector<Label>;
using LabelSet = std::bitset<kLabels>;

class EinsumEquation {
 public:
  /// Throws kModel for a malformed equation, or one that has not as many terms as `operands`.
  EinsumEquation(std::string_view text, size_t operands);

  struct Resolved {
    std::vector<Labels> operands;
    Labels output;
  };
  /// The labels of all dims for operands of these ranks. Throws kShape when a term does not fit its operand.
  Resolved resolve(std::span<const size_t> ranks) const;

 private:
  struct Term {
    Labels before, after;  // of the ellipsis
    bool ellipsis = false;
  };
  static Term parse_term(std::string_view text);
  void imply_output();

  std::vector<Term> terms_;
  Term output_;
};

}  // namespace kinglet::ops
