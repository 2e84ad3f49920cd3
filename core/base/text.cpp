#include "base/text.hpp"

#include <charconv>
#include <cmath>

namespace kinglet {

void append_text(std::string& out, std::string_view value) { out += value; }

void append_text(std::string& out, int64_t value) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

void append_text(std::string& out, uint64_t value) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

void append_text(std::string& out, double value) {
  // std::to_chars(double) brings 30 KB of tables; messages need six digits, not a round trip.
  if (std::isnan(value)) return void(out += "nan");
  if (value < 0) {
    out += '-';
    value = -value;
  }
  if (std::isinf(value)) return void(out += "inf");
  int exponent = 0;
  if (value >= 1e9 || (value != 0 && value < 1e-4)) {
    for (; value >= 10; value /= 10) ++exponent;
    for (; value < 1; value *= 10) --exponent;
  }
  const auto scaled = static_cast<uint64_t>(value * 1e6 + 0.5);
  append_text(out, scaled / 1000000);
  if (uint64_t fraction = scaled % 1000000; fraction != 0) {
    std::string digits;
    append_text(digits, fraction + 1000000);
    digits[0] = '.';
    while (digits.back() == '0') digits.pop_back();
    out += digits;
  }
  if (exponent != 0) {
    out += 'e';
    append_text(out, static_cast<int64_t>(exponent));
  }
}

void append_text(std::string& out, bool value) { out += value ? "true" : "false"; }

void TextArgument::append_double(std::string& out, const TextArgument& a) { append_text(out, a.double_); }
void TextArgument::append_signed(std::string& out, const TextArgument& a) { append_text(out, a.signed_); }
void TextArgument::append_unsigned(std::string& out, const TextArgument& a) { append_text(out, a.unsigned_); }
void TextArgument::append_string(std::string& out, const TextArgument& a) { append_text(out, a.string_); }

std::string format_text(std::string_view format, std::span<const TextArgument> arguments) {
  std::string out;
  for (const TextArgument& argument : arguments) {
    const size_t at = format.find("{}");
    if (at == std::string_view::npos) break;
    out += format.substr(0, at);
    argument.append_to(out);
    format.remove_prefix(at + 2);
  }
  out += format;
  return out;
}

}  // namespace kinglet
