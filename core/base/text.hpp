#pragma once
// Message formatting: `{}` is replaced by the next argument. Small on purpose; <format> and iostreams cost
// more bytes of wasm than the rest of the error handling.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace kinglet {

void append_text(std::string& out, std::string_view value);
void append_text(std::string& out, int64_t value);
void append_text(std::string& out, uint64_t value);
void append_text(std::string& out, double value);
void append_text(std::string& out, bool value);

/// One argument of text(): a number, or where the object lies, and how to write it. Type-erased, so that a message
/// costs a few stores where it is made and no function of its own.
class TextArgument {
 public:
  template <class T>
  TextArgument(const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      append_ = [](std::string& out, const TextArgument& a) { append_text(out, a.signed_ != 0); };
      signed_ = value;
    } else if constexpr (std::is_floating_point_v<T>) {
      append_ = append_double;
      double_ = static_cast<double>(value);
    } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
      append_ = append_signed;
      signed_ = static_cast<int64_t>(value);
    } else if constexpr (std::is_integral_v<T>) {
      append_ = append_unsigned;
      unsigned_ = static_cast<uint64_t>(value);
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
      append_ = append_string;
      string_ = std::string_view(value);
    } else {
      // An overload beside the type, found by its namespace.
      append_ = [](std::string& out, const TextArgument& a) { append_text(out, *static_cast<const T*>(a.object_)); };
      object_ = &value;
    }
  }

  void append_to(std::string& out) const { append_(out, *this); }

 private:
  static void append_double(std::string& out, const TextArgument& a);
  static void append_signed(std::string& out, const TextArgument& a);
  static void append_unsigned(std::string& out, const TextArgument& a);
  static void append_string(std::string& out, const TextArgument& a);

  void (*append_)(std::string&, const TextArgument&);
  union {
    int64_t signed_;
    uint64_t unsigned_;
    double double_;
    std::string_view string_;
    const void* object_;
  };
};

/// As text(), of arguments in a list.
std::string format_text(std::string_view format, std::span<const TextArgument> arguments);

/// text("{} of {}", 1, 2) == "1 of 2". Arguments: strings, numbers, bools, and types with an append_text overload.
template <class... Args>
std::string text(std::string_view format, const Args&... args) {
  const std::array<TextArgument, sizeof...(Args)> list{TextArgument(args)...};
  return format_text(format, list);
}

}  // namespace kinglet
