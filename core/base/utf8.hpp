#pragma once
// UTF-8 (RFC 3629) to code points and back.

#include <cstdint>
#include <string>
#include <string_view>

namespace kinglet::utf8 {

/// Stands for a byte that is no UTF-8.
inline constexpr uint32_t kInvalid = 0xFFFFFFFF;

struct CodePoint {
  uint32_t value;
  uint32_t length;  ///< bytes; 1 of an invalid one
};

/// The character that starts at `at` < text.size().
CodePoint decode(std::string_view text, size_t at);
void append(std::string& out, uint32_t code_point);
/// Characters of a text, an invalid byte counted as one.
size_t length(std::string_view text);
bool is_valid(std::string_view text);
/// As many whole characters from the text's begin as fit in so many bytes; of an invalid one, a byte.
std::string_view beginning(std::string_view text, size_t bytes);

}  // namespace kinglet::utf8
