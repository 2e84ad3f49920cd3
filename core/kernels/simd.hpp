#pragma once
// 128-bit vectors: the one place that knows an instruction set.
//
// The types are the compiler's vector extensions, so + - * / & | ^ << >> and comparisons (lanes of 0 and -1)
// are plain operators everywhere. What they do not express is a function here: WebAssembly SIMD128
// intrinsics, relaxed SIMD where the compiler flag allows it, and portable text for the native build.

#include <cstddef>
#include <cstdint>

#include "base/inlining.hpp"

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

namespace kinglet::simd {

using f32x4 = float __attribute__((vector_size(16)));
using i32x4 = int32_t __attribute__((vector_size(16)));
using u32x4 = uint32_t __attribute__((vector_size(16)));

inline constexpr size_t kLanes = 4;

#if defined(__wasm_simd128__)
#define KINGLET_WASM_OR(wasm, native) return (wasm)
#else
#define KINGLET_WASM_OR(wasm, native) return (native)
#endif

template <class To, class From>
inline To bits(From v) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  __builtin_memcpy(&to, &v, sizeof to);
  return to;
}

inline f32x4 splat(float x) { return f32x4{x, x, x, x}; }
inline i32x4 splat(int32_t x) { return i32x4{x, x, x, x}; }
inline u32x4 splat(uint32_t x) { return u32x4{x, x, x, x}; }

/// The same table as a value that no compiler knows. V8 builds a vector constant anew at every use, several
/// instructions each; load_splat from a table is one.
template <class T>
inline const T& opaque(const T& table) {
  const T* p = &table;
#if defined(__wasm_simd128__)
  asm("" : "+r"(p));
#endif
  return *p;
}

/// No pointer here needs an alignment beyond that of a float.
inline f32x4 load(const float* p) {
  f32x4 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

inline f32x4 load_splat(const float* p) { KINGLET_WASM_OR(f32x4(wasm_v128_load32_splat(p)), splat(*p)); }

inline i32x4 load_splat(const int32_t* p) { KINGLET_WASM_OR(i32x4(wasm_v128_load32_splat(p)), splat(*p)); }

inline void store(float* p, f32x4 v) { __builtin_memcpy(p, &v, sizeof v); }

/// The first n lanes (n > 3 means all); the others are `rest`.
inline f32x4 load_partial(const float* p, size_t n, float rest = 0.0f) {
  switch (n) {
    case 0: return splat(rest);
    case 1: return f32x4{p[0], rest, rest, rest};
    case 2: return f32x4{p[0], p[1], rest, rest};
    case 3: return f32x4{p[0], p[1], p[2], rest};
    default: return load(p);
  }
}

inline void store_partial(float* p, f32x4 v, size_t n) {
  switch (n) {
    case 0: return;
    case 3: p[2] = v[2]; [[fallthrough]];
    case 2: p[1] = v[1]; [[fallthrough]];
    case 1: p[0] = v[0]; return;
    default: return store(p, v);
  }
}

/// Four 16-bit numbers as 32-bit ones.
inline u32x4 load_u16(const uint16_t* p) {
  KINGLET_WASM_OR(u32x4(wasm_u32x4_load16x4(p)), (u32x4{p[0], p[1], p[2], p[3]}));
}

/// Lanes below 2^16 as 16-bit numbers.
inline void store_u16(uint16_t* p, u32x4 v) {
#if defined(__wasm_simd128__)
  wasm_v128_store64_lane(p, wasm_u16x8_narrow_i32x4(v128_t(v), v128_t(v)), 0);
#else
  for (size_t i = 0; i < kLanes; ++i) p[i] = static_cast<uint16_t>(v[i]);
#endif
}

/// a * b + c; fused where relaxed SIMD may, so the last bit differs between builds.
inline f32x4 madd(f32x4 a, f32x4 b, f32x4 c) {
#if defined(__wasm_relaxed_simd__)
  return f32x4(wasm_f32x4_relaxed_madd(v128_t(a), v128_t(b), v128_t(c)));
#else
  return a * b + c;
#endif
}

/// Lanes of a where the mask is -1, of b where it is 0.
inline f32x4 select(i32x4 mask, f32x4 a, f32x4 b) {
  KINGLET_WASM_OR(f32x4(wasm_v128_bitselect(v128_t(a), v128_t(b), v128_t(mask))),
                  bits<f32x4>((bits<i32x4>(a) & mask) | (bits<i32x4>(b) & ~mask)));
}

/// One instruction on x86, for clamps: a < b ? b : a and b < a ? b : a, so a NaN in `a` stays and one in `b`
/// does not.
inline f32x4 clamp_below(f32x4 a, f32x4 b) {
  KINGLET_WASM_OR(f32x4(wasm_f32x4_pmax(v128_t(a), v128_t(b))), select(a < b, b, a));
}
inline f32x4 clamp_above(f32x4 a, f32x4 b) {
  KINGLET_WASM_OR(f32x4(wasm_f32x4_pmin(v128_t(a), v128_t(b))), select(b < a, b, a));
}

/// NaN where either operand is NaN.
inline f32x4 max(f32x4 a, f32x4 b) {
  KINGLET_WASM_OR(f32x4(wasm_f32x4_max(v128_t(a), v128_t(b))), select((a > b) | (a != a), a, b));
}
inline f32x4 min(f32x4 a, f32x4 b) {
  KINGLET_WASM_OR(f32x4(wasm_f32x4_min(v128_t(a), v128_t(b))), select((a < b) | (a != a), a, b));
}

inline f32x4 abs(f32x4 v) { return bits<f32x4>(bits<i32x4>(v) & splat(int32_t{0x7fffffff})); }

/// The magnitude of one vector with the signs of another.
inline f32x4 copy_sign(f32x4 magnitude, f32x4 sign) {
  return select(splat(int32_t{0x7fffffff}), magnitude, sign);
}

inline f32x4 sqrt(f32x4 v) {
  KINGLET_WASM_OR(f32x4(wasm_f32x4_sqrt(v128_t(v))), (f32x4{__builtin_sqrtf(v[0]), __builtin_sqrtf(v[1]),
                                                            __builtin_sqrtf(v[2]), __builtin_sqrtf(v[3])}));
}
inline f32x4 floor(f32x4 v) {
  KINGLET_WASM_OR(f32x4(wasm_f32x4_floor(v128_t(v))),
                  (f32x4{__builtin_floorf(v[0]), __builtin_floorf(v[1]), __builtin_floorf(v[2]),
                         __builtin_floorf(v[3])}));
}
inline f32x4 ceil(f32x4 v) {
  KINGLET_WASM_OR(f32x4(wasm_f32x4_ceil(v128_t(v))), (f32x4{__builtin_ceilf(v[0]), __builtin_ceilf(v[1]),
                                                            __builtin_ceilf(v[2]), __builtin_ceilf(v[3])}));
}
inline f32x4 trunc(f32x4 v) {
  KINGLET_WASM_OR(f32x4(wasm_f32x4_trunc(v128_t(v))),
                  (f32x4{__builtin_truncf(v[0]), __builtin_truncf(v[1]), __builtin_truncf(v[2]),
                         __builtin_truncf(v[3])}));
}
/// Halves to even.
inline f32x4 nearest(f32x4 v) {
  KINGLET_WASM_OR(
      f32x4(wasm_f32x4_nearest(v128_t(v))),
      (f32x4{__builtin_rintf(v[0]), __builtin_rintf(v[1]), __builtin_rintf(v[2]), __builtin_rintf(v[3])}));
}

inline f32x4 to_float(i32x4 v) { return __builtin_convertvector(v, f32x4); }

/// Towards zero; every lane must fit int32.
inline i32x4 to_int(f32x4 v) {
  KINGLET_WASM_OR(i32x4(wasm_i32x4_trunc_sat_f32x4(v128_t(v))), __builtin_convertvector(v, i32x4));
}

/// Calls f(i, 4) for every whole vector of [first, n), then f(i, n - i) for what is left. In the first,
/// `lanes` is a constant once f is inlined, and a partial load or store of it becomes a plain one.
template <class F>
inline void for_vectors(size_t first, size_t n, F f) {
  size_t i = first;
  for (; i + kLanes <= n; i += kLanes) f(i, kLanes);
  if (i < n) f(i, n - i);
}
template <class F>
inline void for_vectors(size_t n, F f) {
  for_vectors(0, n, f);
}

/// Calls f(i) for vectors that cover [0, n), n >= 4: the last overlaps the one before it where n is no multiple of 4.
/// A third of the code of for_vectors, for an f that may do a place twice.
template <class F>
inline void for_overlapping_vectors(size_t n, F f) {
  for (size_t i = 0; i < n; i += kLanes) f(i + kLanes <= n ? i : n - kLanes);
}

inline bool any(i32x4 mask) {
  KINGLET_WASM_OR(wasm_v128_any_true(v128_t(mask)), (mask[0] | mask[1] | mask[2] | mask[3]) != 0);
}

inline float sum_lanes(f32x4 v) { return (v[0] + v[1]) + (v[2] + v[3]); }

/// Greatest and least lane; NaN if any lane is NaN.
inline float max_lane(f32x4 v) {
  const f32x4 halves = max(v, __builtin_shufflevector(v, v, 2, 3, 0, 1));
  return max(halves, __builtin_shufflevector(halves, halves, 1, 0, 3, 2))[0];
}
inline float min_lane(f32x4 v) {
  const f32x4 halves = min(v, __builtin_shufflevector(v, v, 2, 3, 0, 1));
  return min(halves, __builtin_shufflevector(halves, halves, 1, 0, 3, 2))[0];
}

/// Rows become columns.
inline void transpose(f32x4& a, f32x4& b, f32x4& c, f32x4& d) {
  const f32x4 ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const f32x4 ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const f32x4 cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const f32x4 cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  a = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
  b = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
  c = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
  d = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

#undef KINGLET_WASM_OR

}  // namespace kinglet::simd
