#pragma once
// The integer half of simd.hpp: vectors of 16 bit numbers, their products, and bytes to and from them.

#include <type_traits>

#include "kernels/simd.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace kinglet::simd {

using u8x16 = uint8_t __attribute__((vector_size(16)));
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

/// Whether dot4 is one instruction.
#if defined(__wasm_relaxed_simd__)
inline constexpr bool kHasDot4 = true;
#else
inline constexpr bool kHasDot4 = false;
#endif

/// acc[i] + the sum of four products a[4i + j] * b[4i + j]: a's bytes are signed; b's are too, or unsigned, as the host
/// has it where it is one instruction, unsigned where not.
inline i32x4 dot4(u8x16 a, u8x16 b, i32x4 acc) {
#if defined(__wasm_relaxed_simd__)
  return i32x4(wasm_i32x4_relaxed_dot_i8x16_i7x16_add(v128_t(a), v128_t(b), v128_t(acc)));
#else
  u32x4 sums = bits<u32x4>(acc);
  for (int i = 0; i < 16; ++i) sums[i / 4] += static_cast<uint32_t>(static_cast<int8_t>(a[i]) * b[i]);
  return bits<i32x4>(sums);
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

/// a[0], b[0], a[1], b[1], ... of the lower and of the upper four lanes.
inline i16x8 interleave_low(i16x8 a, i16x8 b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
inline i16x8 interleave_high(i16x8 a, i16x8 b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }

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

inline u8x16 load_bytes(const void* p) {
  u8x16 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
/// Four bytes, four times.
inline u8x16 load_splat_bytes(const void* p) {
#if defined(__wasm_simd128__)
  return u8x16(wasm_v128_load32_splat(p));
#else
  int32_t four;
  __builtin_memcpy(&four, p, sizeof four);
  return bits<u8x16>(splat(four));
#endif
}

inline i32x4 load(const int32_t* p) {
  i32x4 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inline void store(int32_t* p, i32x4 v) { __builtin_memcpy(p, &v, sizeof v); }
inline void store(int16_t* p, i16x8 v) { __builtin_memcpy(p, &v, sizeof v); }

/// The nearest whole numbers, halves to even, of magnitudes below 2^22: their sum with 1.5 * 2^23 has no bits for a
/// fraction. `bias` is rounding_bias of what is added to the result.
inline i32x4 rounding_bias(int32_t offset) { return splat(int32_t{0x4b400000} - offset); }
inline i32x4 round_small(f32x4 v, i32x4 bias) { return sub(bits<i32x4>(v + splat(12582912.0f)), bias); }

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

/// Eight numbers that int8_t or uint8_t has.
template <class Code>
inline void store_codes(uint8_t* p, i32x4 a, i32x4 b) {
#if defined(__wasm_simd128__)
  const v128_t words = wasm_i16x8_narrow_i32x4(v128_t(a), v128_t(b));
  const v128_t codes = std::is_signed_v<Code> ? wasm_i8x16_narrow_i16x8(words, words) : wasm_u8x16_narrow_i16x8(words, words);
  wasm_v128_store64_lane(p, codes, 0);
#else
  store_bytes(p, a, b);
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
