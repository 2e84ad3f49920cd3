#include "kernels/half.hpp"

#include "base/half.hpp"
#include "kernels/simd.hpp"

namespace kinglet::kernels {
namespace {

using simd::bits;
using simd::f32x4;
using simd::i32x4;
using simd::splat;
using simd::u32x4;

u32x4 choose(i32x4 mask, u32x4 a, u32x4 b) { return bits<u32x4>(simd::select(mask, bits<f32x4>(a), bits<f32x4>(b))); }

template <class Vector, class One>
KINGLET_INLINE void widen(const uint16_t* x, float* y, size_t n, Vector vector, One one) {
  size_t i = 0;
  for (; i + simd::kLanes <= n; i += simd::kLanes) simd::store(y + i, vector(simd::load_u16(x + i)));
  for (; i < n; ++i) y[i] = one(x[i]);
}

template <class Vector, class One>
KINGLET_INLINE void narrow(const float* x, uint16_t* y, size_t n, Vector vector, One one) {
  size_t i = 0;
  for (; i + simd::kLanes <= n; i += simd::kLanes) simd::store_u16(y + i, vector(simd::load(x + i)));
  for (; i < n; ++i) y[i] = one(x[i]);
}

}  // namespace

void widen_f16(const uint16_t* x, float* y, size_t n) {
  widen(x, y, n, [](u32x4 h) KINGLET_INLINE_LAMBDA {
    const u32x4 sign = (h & splat(0x8000u)) << 16, magnitude = h & splat(0x7fffu);
    // The exponent's bias is 112 less than float's. A number that is all ones is an infinity or NaN in both.
    const u32x4 shifted = (magnitude << 13) + splat(112u << 23);
    const u32x4 special = shifted + splat(112u << 23);
    // Subnormal: 2^-14 too much once it has an exponent, which float subtracts without a rounding.
    const f32x4 subnormal = bits<f32x4>(shifted + splat(1u << 23)) - splat(0x1p-14f);
    u32x4 result = choose(magnitude < splat(0x400u), bits<u32x4>(subnormal), shifted);
    result = choose(magnitude < splat(0x7c00u), result, special);
    return bits<f32x4>(result | sign);
  }, half_to_float);
}

void narrow_f16(const float* x, uint16_t* y, size_t n) {
  // The steps of float_to_half(), all of them for every lane.
  narrow(x, y, n, [](f32x4 v) KINGLET_INLINE_LAMBDA {
    const u32x4 all = bits<u32x4>(v), sign = (all >> 16) & splat(0x8000u), magnitude = all & splat(0x7fffffffu);
    const u32x4 rounded = magnitude + splat(0xfffu) + ((magnitude >> 13) & splat(1u));
    const u32x4 normal = (rounded - splat(0x38000000u)) >> 13;
    const u32x4 subnormal = bits<u32x4>(bits<f32x4>(magnitude) + splat(0.5f)) - splat(0x3f000000u);
    u32x4 result = choose(magnitude < splat(0x38800000u), subnormal, normal);
    result = choose(magnitude < splat(0x477ff000u), result, splat(0x7c00u));
    result = choose(splat(0x7f800000u) < magnitude, splat(0x7e00u), result);
    return result | sign;
  }, float_to_half);
}

void widen_bf16(const uint16_t* x, float* y, size_t n) {
  widen(x, y, n, [](u32x4 h) KINGLET_INLINE_LAMBDA { return bits<f32x4>(h << 16); },
        bfloat_to_float);
}

void narrow_bf16(const float* x, uint16_t* y, size_t n) {
  narrow(x, y, n, [](f32x4 v) KINGLET_INLINE_LAMBDA {
    const u32x4 all = bits<u32x4>(v), rounded = (all + splat(0x7fffu) + ((all >> 16) & splat(1u))) >> 16;
    return choose(splat(0x7f800000u) < (all & splat(0x7fffffffu)), (all >> 16) | splat(0x40u), rounded);
  }, float_to_bfloat);
}

}  // namespace kinglet::kernels
