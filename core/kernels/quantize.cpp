#include "kernels/quantize.hpp"

#include "kernels/simd_int.hpp"

namespace kinglet::kernels {
namespace {

using simd::f32x4;
using simd::i32x4;

template <class Code>
void dequantize_codes(const Code* x, float* y, size_t n, float scale, int32_t zero) {
  const f32x4 factor = simd::splat(scale);
  const i32x4 offset = simd::splat(zero);
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    i32x4 low, high;
    simd::extend(simd::load_extend(x + i), low, high);
    simd::store(y + i, simd::to_float(simd::sub(low, offset)) * factor);
    simd::store(y + i + 4, simd::to_float(simd::sub(high, offset)) * factor);
  }
  for (; i < n; ++i) y[i] = static_cast<float>(x[i] - zero) * scale;
}

/// The elements of a vector of eight, for the last few of an array.
template <class Code>
simd::i16x8 load_few(const Code* p, size_t n) {
  Code copy[8] = {};
  for (size_t i = 0; i < n; ++i) copy[i] = p[i];
  return simd::load_extend(copy);
}

template <class Code, bool kMultiplies>
void code_arithmetic_as(const CodeArithmetic& op, const Code* a, const Code* b, uint8_t* y, size_t n) {
  const f32x4 a_factor = simd::splat(op.a_factor), b_factor = simd::splat(op.b_factor), offset = simd::splat(op.offset);
  const i32x4 a_zero = simd::splat(op.a_zero), b_zero = simd::splat(op.b_zero);
  const float lowest = op.is_signed ? -128 : 0;
  const f32x4 low = simd::splat(lowest), high = simd::splat(lowest + 255);
  const i32x4 bias = simd::rounding_bias(0);
  const auto code = [&](i32x4 p, i32x4 q) KINGLET_INLINE_LAMBDA {
    const f32x4 v = kMultiplies ? simd::to_float(simd::mul(simd::sub(p, a_zero), simd::sub(q, b_zero))) * a_factor + offset
                                : simd::to_float(q) * b_factor + (simd::to_float(p) * a_factor + offset);
    return simd::round_small(simd::clamp_above(simd::clamp_below(v, low), high), bias);
  };
  const auto eight = [&](simd::i16x8 left, simd::i16x8 right, uint8_t* to) KINGLET_INLINE_LAMBDA {
    i32x4 p[2], q[2];
    simd::extend(left, p[0], p[1]);
    simd::extend(right, q[0], q[1]);
    simd::store_codes<Code>(to, code(p[0], q[0]), code(p[1], q[1]));
  };
  size_t i = 0;
  for (; i + 8 <= n; i += 8) eight(simd::load_extend(a + i), simd::load_extend(b + i), y + i);
  if (i == n) return;
  uint8_t few[8];
  eight(load_few(a + i, n - i), load_few(b + i, n - i), few);
  for (size_t j = i; j < n; ++j) y[j] = few[j - i];
}

template <size_t kBits>
void unpack_codes_of(const uint8_t* x, uint8_t* y, size_t bytes) {
  constexpr size_t kPerByte = 8 / kBits;
  for (size_t i = 0; i < bytes; ++i) {
    for (size_t j = 0; j < kPerByte; ++j) y[i * kPerByte + j] = x[i] >> j * kBits & ((1u << kBits) - 1);
  }
}

}  // namespace

void unpack_codes(const uint8_t* x, size_t bits, uint8_t* y, size_t bytes) {
  bits == 2 ? unpack_codes_of<2>(x, y, bytes) : bits == 4 ? unpack_codes_of<4>(x, y, bytes) : unpack_codes_of<8>(x, y, bytes);
}

void code_arithmetic(const CodeArithmetic& op, const void* a, const void* b, void* y, size_t n) {
  const auto run = [&]<class Code>(Code) {
    const auto loop = op.multiplies ? code_arithmetic_as<Code, true> : code_arithmetic_as<Code, false>;
    loop(op, static_cast<const Code*>(a), static_cast<const Code*>(b), static_cast<uint8_t*>(y), n);
  };
  op.is_signed ? run(int8_t{}) : run(uint8_t{});
}

void quantize(const float* x, uint8_t* y, size_t n, float scale, int32_t zero, int32_t low, int32_t high) {
  const f32x4 least = simd::splat(static_cast<float>(low - zero)), most = simd::splat(static_cast<float>(high - zero));
  const f32x4 divisor = simd::splat(scale);
  const i32x4 bias = simd::rounding_bias(zero);
  const auto code = [&](f32x4 v) KINGLET_INLINE_LAMBDA {
    v = v / divisor;
    v = simd::select(v == v, v, f32x4{});
    return simd::round_small(simd::clamp_above(simd::clamp_below(v, least), most), bias);
  };
  size_t i = 0;
  for (; i + 8 <= n; i += 8) simd::store_bytes(y + i, code(simd::load(x + i)), code(simd::load(x + i + 4)));
  for (; i < n; ++i) y[i] = static_cast<uint8_t>(code(simd::splat(x[i]))[0]);
}

void dequantize(const void* x, bool is_signed, float* y, size_t n, float scale, int32_t zero) {
  if (is_signed) return dequantize_codes(static_cast<const int8_t*>(x), y, n, scale, zero);
  dequantize_codes(static_cast<const uint8_t*>(x), y, n, scale, zero);
}

Range range_with_zero(const float* x, size_t n) {
  // Two of each, because one would wait for its own last result.
  f32x4 low[2] = {}, high[2] = {};
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (size_t j = 0; j < 2; ++j) {
      const f32x4 v = simd::load(x + i + j * 4);
      low[j] = simd::clamp_above(low[j], v);
      high[j] = simd::clamp_below(high[j], v);
    }
  }
  Range range;
  const auto take = [&](float v) {
    if (v < range.low) range.low = v;
    if (v > range.high) range.high = v;
  };
  for (size_t j = 0; j < 2; ++j) {
    for (size_t lane = 0; lane < simd::kLanes; ++lane) {
      take(low[j][lane]);
      take(high[j][lane]);
    }
  }
  for (; i < n; ++i) take(x[i]);
  return range;
}

}  // namespace kinglet::kernels
