#include "kernels/half.hpp"

#include <algorithm>

#include "kernels/simd.hpp"

namespace kinglet::kernels {
namespace {

using simd::bits;
using simd::f32x4;
using simd::i32x4;
using simd::splat;
using simd::u32x4;

u32x4 choose(i32x4 mask, u32x4 a, u32x4 b) { return bits<u32x4>(simd::select(mask, bits<f32x4>(a), bits<f32x4>(b))); }

/// y[i] = f(x[i]) by vectors: the rest of a row goes by one that is filled up, which is less code than f for numbers. y may begin where x does
/// if its elements are the smaller ones.
template <class From, class To, class F>
KINGLET_INLINE void convert_row(const From* x, To* y, size_t n, F f) {
  size_t i = 0;
  for (; i + simd::kLanes <= n; i += simd::kLanes) f(x + i, y + i);
  if (i == n) return;
  From from[simd::kLanes] = {};
  To to[simd::kLanes];
  std::copy_n(x + i, n - i, from);
  f(from, to);
  std::copy_n(to, n - i, y + i);
}

}  // namespace

void widen_f16(const uint16_t* x, float* y, size_t n) {
  convert_row(x, y, n, [](const uint16_t* from, float* to) KINGLET_INLINE_LAMBDA {
    const u32x4 h = simd::load_u16(from);
    const u32x4 sign = (h & splat(0x8000u)) << 16, magnitude = h & splat(0x7fffu);
    // The exponent's bias is 112 less than float's. A number that is all ones is an infinity or NaN in both.
    const u32x4 shifted = (magnitude << 13) + splat(112u << 23);
    const u32x4 special = shifted + splat(112u << 23);
    // Subnormal: 2^-14 too much once it has an exponent, which float subtracts without a rounding.
    const f32x4 subnormal = bits<f32x4>(shifted + splat(1u << 23)) - splat(0x1p-14f);
    u32x4 result = choose(magnitude < splat(0x400u), bits<u32x4>(subnormal), shifted);
    result = choose(magnitude < splat(0x7c00u), result, special);
    simd::store(to, bits<f32x4>(result | sign));
  });
}

void narrow_f16(const float* x, uint16_t* y, size_t n) {
  // The steps of base/half.hpp's float_to_half(), all of them for every lane.
  convert_row(x, y, n, [](const float* from, uint16_t* to) KINGLET_INLINE_LAMBDA {
    const u32x4 all = bits<u32x4>(simd::load(from)), sign = (all >> 16) & splat(0x8000u), magnitude = all & splat(0x7fffffffu);
    const u32x4 rounded = magnitude + splat(0xfffu) + ((magnitude >> 13) & splat(1u));
    const u32x4 normal = (rounded - splat(0x38000000u)) >> 13;
    const u32x4 subnormal = bits<u32x4>(bits<f32x4>(magnitude) + splat(0.5f)) - splat(0x3f000000u);
    u32x4 result = choose(magnitude < splat(0x38800000u), subnormal, normal);
    result = choose(magnitude < splat(0x477ff000u), result, splat(0x7c00u));
    result = choose(splat(0x7f800000u) < magnitude, splat(0x7e00u), result);
    simd::store_u16(to, result | sign);
  });
}

void widen_bf16(const uint16_t* x, float* y, size_t n) {
  convert_row(x, y, n, [](const uint16_t* from, float* to) KINGLET_INLINE_LAMBDA { simd::store(to, bits<f32x4>(simd::load_u16(from) << 16)); });
}

void narrow_bf16(const float* x, uint16_t* y, size_t n) {
  convert_row(x, y, n, [](const float* from, uint16_t* to) KINGLET_INLINE_LAMBDA {
    const u32x4 all = bits<u32x4>(simd::load(from)), rounded = (all + splat(0x7fffu) + ((all >> 16) & splat(1u))) >> 16;
    simd::store_u16(to, choose(splat(0x7f800000u) < (all & splat(0x7fffffffu)), (all >> 16) | splat(0x40u), rounded));
  });
}

}  // namespace kinglet::kernels
