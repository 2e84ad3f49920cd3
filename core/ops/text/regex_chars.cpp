#include "ops/text/regex_chars.hpp"

#include <algorithm>

#include "ops/text/case_map.hpp"

namespace kinglet::ops {
namespace {

struct NamedClass {
  std::string_view name, pairs;
};

constexpr NamedClass kNamedClasses[] = {
    {"alnum", "09AZaz"},
    {"alpha", "AZaz"},
    {"ascii", {"\0\x7F", 2}},
    {"blank", "\t\t  "},
    {"cntrl", {"\0\x1F\x7F\x7F", 4}},
    {"digit", "09"},
    {"graph", "!~"},
    {"lower", "az"},
    {"print", " ~"},
    {"punct", "!/:@[`{~"},
    {"space", "\t\r  "},
    {"upper", "AZ"},
    {"word", "09AZaz__"},
    {"xdigit", "09AFaf"},
};

}  // namespace

void tidy(CharRanges& ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const CharRange& a, const CharRange& b) { return a.first < b.first; });
  CharRanges out;
  for (const CharRange& r : ranges) {
    if (!out.empty() && r.first <= out.back().last + 1) {
      out.back().last = std::max(out.back().last, r.last);
    } else {
      out.push_back(r);
    }
  }
  ranges = std::move(out);
}

CharRanges complement(CharRanges ranges) {
  tidy(ranges);
  CharRanges out;
  uint32_t next = 0;
  for (const CharRange& r : ranges) {
    if (r.first > next) out.push_back({next, r.first - 1});
    next = r.last + 1;
  }
  if (next <= kLastChar) out.push_back({next, kLastChar});
  return out;
}

void add_all(CharRanges& to, const CharRanges& from) { to.insert(to.end(), from.begin(), from.end()); }

void fold_case(CharRanges& ranges) {
  // Three letters that are one another's case (k, K, the Kelvin sign) take two rounds.
  for (int round = 0; round < 2; ++round) {
    std::vector<std::pair<uint32_t, uint32_t>> more;
    for (const CharRange& r : ranges) utf8::add_other_cases(r.first, r.last, more);
    for (const auto& [first, last] : more) ranges.push_back({first, last});
    tidy(ranges);
  }
}

CharRanges to_ranges(std::string_view pairs) {
  CharRanges out;
  for (size_t i = 0; i < pairs.size(); i += 2) {
    out.push_back({static_cast<uint8_t>(pairs[i]), static_cast<uint8_t>(pairs[i + 1])});
  }
  return out;
}

std::string_view posix_class(std::string_view name) {
  for (const NamedClass& named : kNamedClasses) {
    if (named.name == name) return named.pairs;
  }
  return "";
}

std::string_view perl_class(char letter) {
  switch (letter | 0x20) {
    case 'd': return "09";
    case 's': return "\t\n\f\r  ";
    case 'w': return "09AZaz__";
    default: return "";
  }
}

}  // namespace kinglet::ops
