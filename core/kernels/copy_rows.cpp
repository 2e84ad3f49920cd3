#include "kernels/copy_rows.hpp"

#include <cstring>

#include "kernels/simd.hpp"

namespace kinglet::kernels {
namespace {

/// From here on memcpy is as fast.
constexpr size_t kLongRow = 2048;

template <class T>
inline void copy_one(std::byte* to, const std::byte* from) {
  T value;
  __builtin_memcpy(&value, from, sizeof value);
  __builtin_memcpy(to, &value, sizeof value);
}

/// Rows of at least sizeof(T) bytes; the last T of a row may overlap the one before.
template <class T>
void copy_by(std::byte* to, size_t to_step, const std::byte* from, size_t from_step, size_t rows, size_t bytes) {
  const size_t last = bytes - sizeof(T);
  for (size_t r = 0; r < rows; ++r, to += to_step, from += from_step) {
    for (size_t i = 0; i < last; i += sizeof(T)) copy_one<T>(to + i, from + i);
    copy_one<T>(to + last, from + last);
  }
}

}  // namespace

void copy_rows(std::byte* to, size_t to_step, const std::byte* from, size_t from_step, size_t rows, size_t bytes) {
  if (bytes == 0) return;
  if (bytes >= kLongRow) {
    for (size_t r = 0; r < rows; ++r) std::memcpy(to + r * to_step, from + r * from_step, bytes);
  } else if (bytes >= sizeof(simd::u32x4)) {
    copy_by<simd::u32x4>(to, to_step, from, from_step, rows, bytes);
  } else if (bytes >= sizeof(uint32_t)) {
    copy_by<uint32_t>(to, to_step, from, from_step, rows, bytes);
  } else {
    copy_by<uint8_t>(to, to_step, from, from_step, rows, bytes);
  }
}

}  // namespace kinglet::kernels
