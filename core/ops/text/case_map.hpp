#pragma once
// Upper and lower case of UTF-8 text: all of Unicode's simple mappings, one character to one, in no
// language's own way. What would change the number of characters stays as it is ("ß" in upper case is "ß"),
// and a final sigma is "σ".

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kinglet::utf8 {

enum class Case : uint8_t { kLower, kUpper };

uint32_t change_case(uint32_t code_point, Case to);
/// Bytes that are not UTF-8 stay as they are.
std::string change_case(std::string_view text, Case to);

/// Adds, as ranges from first to last, the characters that differ in case only from one in [low, high].
void add_other_cases(uint32_t low, uint32_t high, std::vector<std::pair<uint32_t, uint32_t>>& out);

}  // namespace kinglet::utf8
