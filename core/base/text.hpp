#pragma once
// Message formatting: `{}` is replaced by the next argument. Small on purpose; <format> and iostreams cost
// more bytes of wasm than the rest of the error handling.

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace kinglet {

void append_text(std::string& out, std::string_view value);
void append_text(std::string& out, int64_t value);
void append_text(std::string& out, uint64_t value);
void append_text(std::string& out, double value);
void append_text(std::string& out, bool value);

namespace detail {

template <class T>
void append_any(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    append_text(out, value);
  } else if constexpr (std::is_floating_point_v<T>) {
    append_text(out, static_cast<double>(value));
  } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    append_text(out, static_cast<int64_t>(value));
  } else if constexpr (std::is_integral_v<T>) {
    append_text(out, static_cast<uint64_t>(value));
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    append_text(out, std::string_view(value));
  } else {
    append_text(out, value);  // an overload beside the type, found by its namespace
  }
}

/// Copies `format` up to the next `{}` into `out` and returns what follows it.
std::string_view copy_to_placeholder(std::string& out, std::string_view format);

}  // namespace detail

/// text("{} of {}", 1, 2) == "1 of 2". Arguments: strings, numbers, bools, and types with an append_text overload.
template <class... Args>
std::string text(std::string_view format, const Args&... args) {
  std::string out;
  ((format = detail::copy_to_placeholder(out, format), detail::append_any(out, args)), ...);
  out += format;
  return out;
}

}  // namespace kinglet
