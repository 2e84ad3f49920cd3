#pragma once
// The integer half of simd.hpp: vectors of 16 bit numbers, their products, and bytes to and from them.

#include "kernels/simd.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace kinglet::simd {

using i16x8 = int16_t __attribute__((vector_size(16)));

inline i16x8 splat16(int16_t x) { return i16x8{x, x, x, x, x, x, x, x}; }

/// Lane i is a[2i] * b[2i] + a[2i + 1] * b[2i + 1].
inline i32x4 dot(i16x8 a, i16x8 b) {
#if defined(__wasm_simd128__)
  return i32x4(wasm_i32x4_dot_i16x8(v128_t(a), v128_t(b)));
#elif defined(__SSE2__)
  return bits<i32x4>(_mm_madd_epi16(bits<__m128i>(a), bits<__m128i>(b)));
#else
  i32x4 sum;
  for (int i = 0; i < 4; ++i) sum[i] = a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1];
  return sum;
#endif
}

/// Sums, differences and products keep their low 32 bits.
inline i32x4 add(i32x4 a, i32x4 b) { return bits<i32x4>(bits<u32x4>(a) + bits<u32x4>(b)); }
inline i32x4 sub(i32x4 a, i32x4 b) { return bits<i32x4>(bits<u32x4>(a) - bits<u32x4>(b)); }
inline i32x4 mul(i32x4 a, i32x4 b) { return bits<i32x4>(bits<u32x4>(a) * bits<u32x4>(b)); }

/// Eight bytes, each as 16 bits.
inline i16x8 load_extend(const int8_t* p) {
#if defined(__wasm_simd128__)
  return i16x8(wasm_i16x8_load8x8(p));
#else
  int8_t __attribute__((vector_size(8))) v;
  __builtin_memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, i16x8);
#endif
}
inline i16x8 load_extend(const uint8_t* p) {
#if defined(__wasm_simd128__)
  return i16x8(wasm_u16x8_load8x8(p));
#else
  uint8_t __attribute__((vector_size(8))) v;
  __builtin_memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, i16x8);
#endif
}

/// The lower and the upper four lanes as 32 bits.
inline void extend(i16x8 v, i32x4& low, i32x4& high) {
#if defined(__wasm_simd128__)
  low = i32x4(wasm_i32x4_extend_low_i16x8(v128_t(v)));
  high = i32x4(wasm_i32x4_extend_high_i16x8(v128_t(v)));
#else
  low = i32x4{v[0], v[1], v[2], v[3]};
  high = i32x4{v[4], v[5], v[6], v[7]};
#endif
}

/// Two 16 bit numbers in every pair of lanes.
inline i16x8 load_splat_pair(const int16_t* p) {
#if defined(__wasm_simd128__)
  return i16x8(wasm_v128_load32_splat(p));
#else
  int32_t pair;
  __builtin_memcpy(&pair, p, sizeof pair);
  return bits<i16x8>(splat(pair));
#endif
}

inline i32x4 load(const int32_t* p) {
  i32x4 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inline void store(int32_t* p, i32x4 v) { __builtin_memcpy(p, &v, sizeof v); }
inline void store(int16_t* p, i16x8 v) { __builtin_memcpy(p, &v, sizeof v); }

/// The low bytes of eight lanes.
inline void store_bytes(uint8_t* p, i32x4 a, i32x4 b) {
#if defined(__wasm_simd128__)
  const i32x4 mask = splat(int32_t{0xff});
  const v128_t words = wasm_i16x8_narrow_i32x4(v128_t(a & mask), v128_t(b & mask));
  wasm_v128_store64_lane(p, wasm_u8x16_narrow_i16x8(words, words), 0);
#else
  for (int i = 0; i < 4; ++i) {
    p[i] = static_cast<uint8_t>(a[i]);
    p[i + 4] = static_cast<uint8_t>(b[i]);
  }
#endif
}

/// Rows become columns.
inline void transpose(i32x4& a, i32x4& b, i32x4& c, i32x4& d) {
  f32x4 rows[4] = {bits<f32x4>(a), bits<f32x4>(b), bits<f32x4>(c), bits<f32x4>(d)};
  transpose(rows[0], rows[1], rows[2], rows[3]);
  a = bits<i32x4>(rows[0]);
  b = bits<i32x4>(rows[1]);
  c = bits<i32x4>(rows[2]);
  d = bits<i32x4>(rows[3]);
}

}  // namespace kinglet::simd
