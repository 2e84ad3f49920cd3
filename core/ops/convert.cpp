#include "ops/convert.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/memory.hpp"
#include "kernels/half.hpp"

namespace kinglet::ops {
namespace {

template <class From, class To>
void copy_as(const void* x, void* y, size_t n) {
  const From* from = static_cast<const From*>(x);
  To* to = static_cast<To*>(y);
  for (size_t i = 0; i < n; ++i) to[i] = static_cast<To>(from[i]);
}

template <int bits, bool is_signed>
void copy_low_bits(const void* x, void* y, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const auto top = static_cast<uint8_t>(static_cast<const uint64_t*>(x)[i] << (8 - bits));
    static_cast<uint8_t*>(y)[i] = is_signed ? static_cast<uint8_t>(static_cast<int8_t>(top) >> (8 - bits))
                                            : static_cast<uint8_t>(top >> (8 - bits));
  }
}

/// Rounds to odd: a later rounding to fewer bits then gives what a single rounding would have given.
float round_to_odd(double x) {
  const auto nearest = static_cast<float>(x);
  if (!std::isfinite(nearest) || static_cast<double>(nearest) == x) return nearest;
  auto bits = std::bit_cast<uint32_t>(nearest);
  if (std::abs(static_cast<double>(nearest)) > std::abs(x)) --bits;
  return std::bit_cast<float>(bits | 1);
}

/// Values past the limits become the limits; both limits fit Int.
struct Limits {
  double low, high;
};

Limits limits_of(DType to) {
  switch (to) {
    case DType::kInt64: return {-0x1p63, 0x1p63};
    case DType::kUint64: return {-0x1p63, 0x1p64};
    case DType::kUint32: return {-0x1p31, 0x1p32 - 1};
    default: return {-0x1p31, 0x1p31 - 1};
  }
}

uint64_t to_integer(double x, Limits limits) {
  if (std::isnan(x)) return 0;
  x = std::clamp(x, limits.low, limits.high);
  if (x >= 0x1p64) return UINT64_MAX;
  if (x >= 0x1p63) return limits.high == 0x1p63 ? static_cast<uint64_t>(INT64_MAX) : static_cast<uint64_t>(x);
  return static_cast<uint64_t>(static_cast<int64_t>(x));
}

template <class From>
void convert_wide(const void* x, DType to, void* y, size_t n) {
  const From* from = static_cast<const From*>(x);
  const DType wide = wide_type(to);
  if (to == DType::kBool) {
    for (size_t i = 0; i < n; ++i) static_cast<uint64_t*>(y)[i] = from[i] != 0 ? 1 : 0;
  } else if (wide == DType::kFloat64) {
    copy_as<From, double>(x, y, n);
  } else if (to == DType::kFloat32) {
    copy_as<From, float>(x, y, n);
  } else if (wide == DType::kFloat32) {
    for (size_t i = 0; i < n; ++i) static_cast<float*>(y)[i] = round_to_odd(static_cast<double>(from[i]));
  } else if constexpr (std::is_floating_point_v<From>) {
    const Limits limits = limits_of(to);
    for (size_t i = 0; i < n; ++i) static_cast<uint64_t*>(y)[i] = to_integer(static_cast<double>(from[i]), limits);
  } else {
    std::memcpy(y, x, n * sizeof(uint64_t));
  }
}

}  // namespace

DType wide_type(DType type) {
  switch (type) {
    case DType::kFloat32:
    case DType::kFloat16:
    case DType::kBFloat16:
    case DType::kFloat8E4M3FN:
    case DType::kFloat8E4M3FNUZ:
    case DType::kFloat8E5M2:
    case DType::kFloat8E5M2FNUZ:
    case DType::kFloat8E8M0:
    case DType::kFloat4E2M1: return DType::kFloat32;
    case DType::kFloat64: return DType::kFloat64;
    case DType::kInt2:
    case DType::kInt4:
    case DType::kInt8:
    case DType::kInt16:
    case DType::kInt32:
    case DType::kInt64: return DType::kInt64;
    case DType::kBool:
    case DType::kUint2:
    case DType::kUint4:
    case DType::kUint8:
    case DType::kUint16:
    case DType::kUint32:
    case DType::kUint64: return DType::kUint64;
    default: throw_error(ErrorCode::kModel, "element type {} is not supported here", type);
  }
}

const void* widen(DType type, const void* x, void* buffer, size_t n) {
  switch (type) {
    case DType::kFloat16: kernels::widen_f16(static_cast<const uint16_t*>(x), static_cast<float*>(buffer), n); break;
    case DType::kBFloat16: kernels::widen_bf16(static_cast<const uint16_t*>(x), static_cast<float*>(buffer), n); break;
    case DType::kInt2:
    case DType::kInt4:
    case DType::kInt8: copy_as<int8_t, int64_t>(x, buffer, n); break;
    case DType::kInt16: copy_as<int16_t, int64_t>(x, buffer, n); break;
    case DType::kInt32: copy_as<int32_t, int64_t>(x, buffer, n); break;
    case DType::kBool:
    case DType::kUint2:
    case DType::kUint4:
    case DType::kUint8: copy_as<uint8_t, uint64_t>(x, buffer, n); break;
    case DType::kUint16: copy_as<uint16_t, uint64_t>(x, buffer, n); break;
    case DType::kUint32: copy_as<uint32_t, uint64_t>(x, buffer, n); break;
    default:
      if (!is_small_float(type)) return x;
      for (size_t i = 0; i < n; ++i) {
        static_cast<float*>(buffer)[i] = small_float_to_float(type, static_cast<const uint8_t*>(x)[i]);
      }
  }
  return buffer;
}

void narrow(DType type, const void* x, void* y, size_t n, SmallFloatRounding rounding) {
  switch (type) {
    case DType::kInt2: return copy_low_bits<2, true>(x, y, n);
    case DType::kInt4: return copy_low_bits<4, true>(x, y, n);
    case DType::kUint2: return copy_low_bits<2, false>(x, y, n);
    case DType::kUint4: return copy_low_bits<4, false>(x, y, n);
    case DType::kFloat16: return kernels::narrow_f16(static_cast<const float*>(x), static_cast<uint16_t*>(y), n);
    case DType::kBFloat16: return kernels::narrow_bf16(static_cast<const float*>(x), static_cast<uint16_t*>(y), n);
    case DType::kInt8:
    case DType::kUint8: return copy_as<uint64_t, uint8_t>(x, y, n);
    case DType::kInt16:
    case DType::kUint16: return copy_as<uint64_t, uint16_t>(x, y, n);
    case DType::kInt32:
    case DType::kUint32: return copy_as<uint64_t, uint32_t>(x, y, n);
    case DType::kBool:
      for (size_t i = 0; i < n; ++i) static_cast<uint8_t*>(y)[i] = static_cast<const uint64_t*>(x)[i] != 0 ? 1 : 0;
      return;
    default:
      if (is_small_float(type)) {
        for (size_t i = 0; i < n; ++i) {
          static_cast<uint8_t*>(y)[i] = float_to_small_float(type, static_cast<const float*>(x)[i], rounding);
        }
      } else if (x != y) {
        std::memcpy(y, x, n * dtype_size(type));
      }
  }
}

void convert(DType from, const void* x, DType to, void* y, size_t n, SmallFloatRounding rounding) {
  if (from == to) {
    if (n != 0) std::memcpy(y, x, n * dtype_size(to));
    return;
  }
  const DType wide_from = wide_type(from);
  const DType wide_to = wide_type(to);
  alignas(kAlignment) std::byte in[kBlock * sizeof(uint64_t)];
  alignas(kAlignment) std::byte out[kBlock * sizeof(uint64_t)];
  for (size_t done = 0; done < n; done += kBlock) {
    const size_t count = std::min(kBlock, n - done);
    const void* from_here = static_cast<const std::byte*>(x) + done * dtype_size(from);
    std::byte* to_here = static_cast<std::byte*>(y) + done * dtype_size(to);
    if (wide_from == wide_to) {
      const void* wide = widen(from, from_here, wide_to == to ? to_here : in, count);
      if (wide_to != to) narrow(to, wide, to_here, count, rounding);
      continue;
    }
    const void* wide = widen(from, from_here, in, count);
    std::byte* target = wide_to == to ? to_here : out;
    switch (wide_from) {
      case DType::kFloat32: convert_wide<float>(wide, to, target, count); break;
      case DType::kFloat64: convert_wide<double>(wide, to, target, count); break;
      case DType::kInt64: convert_wide<int64_t>(wide, to, target, count); break;
      default: convert_wide<uint64_t>(wide, to, target, count); break;
    }
    if (target != to_here) narrow(to, target, to_here, count, rounding);
  }
}

}  // namespace kinglet::ops
