#pragma once
// Sets of characters in regular expressions.

#include <string_view>
#include <vector>

#include "ops/text/regex.hpp"

namespace kinglet::ops {

using CharRanges = std::vector<CharRange>;

inline constexpr uint32_t kLastChar = 0x10FFFF;

/// Sorts ranges and joins those that touch.
void tidy(CharRanges& ranges);
CharRanges complement(CharRanges ranges);
void add_all(CharRanges& to, const CharRanges& from);
/// Adds what differs in case only.
void fold_case(CharRanges& ranges);

/// Pairs of a first and a last character as ranges.
CharRanges to_ranges(std::string_view pairs);
/// The pairs of a class such as "alpha"; "" when there is none of this name.
std::string_view posix_class(std::string_view name);
/// The pairs of the class that a letter behind '\' names, which in upper case is its complement; "" when it
/// names none.
std::string_view perl_class(char letter);

}  // namespace kinglet::ops
