#include "base/utf8.hpp"

namespace kinglet::utf8 {

CodePoint decode(std::string_view text, size_t at) {
  const auto first = static_cast<uint8_t>(text[at]);
  if (first < 0x80) return {first, 1};
  const uint32_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() - at < bytes) return {kInvalid, 1};
  uint32_t value = first & (0x7Fu >> bytes);
  for (uint32_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<uint8_t>(text[at + i]);
    if ((next & 0xC0) != 0x80) return {kInvalid, 1};
    value = value << 6 | (next & 0x3Fu);
  }
  static constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value < 0xE000;
  if (value < kLeast[bytes] || value > 0x10FFFF || surrogate) return {kInvalid, 1};
  return {value, bytes};
}

void append(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
    return;
  }
  const uint32_t bytes = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  out += static_cast<char>((0xF00u >> bytes & 0xFF) | c >> (6 * (bytes - 1)));
  for (uint32_t i = bytes - 1; i-- > 0;) out += static_cast<char>(0x80 | (c >> (6 * i) & 0x3F));
}

size_t length(std::string_view text) {
  size_t n = 0;
  for (size_t at = 0; at < text.size(); at += decode(text, at).length) ++n;
  return n;
}

bool is_valid(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    // Nearly all of a model's names are ASCII, and all of them are checked at each load.
    if (static_cast<uint8_t>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const CodePoint c = decode(text, at);
    if (c.value == kInvalid) return false;
    at += c.length;
  }
  return true;
}

std::string_view beginning(std::string_view text, size_t bytes) {
  size_t end = 0;
  while (end < text.size()) {
    const size_t next = end + decode(text, end).length;
    if (next > bytes) break;
    end = next;
  }
  return text.substr(0, end);
}

}  // namespace kinglet::utf8
