#pragma once
// The transforms of winograd.cpp along one dimension, for filters of 3. Internal to kernels/.

#include <cstddef>

#include "kernels/simd.hpp"

namespace kinglet::kernels {

using simd::f32x4;

/// kOutputs outputs from the kSide inputs under them: kSide products. Of the filter kFilters sums are needed, each
/// a row of kFilter; product i takes sum filter_of(i).
template <size_t kOutputCount, size_t kStrideLength>
struct Transform;

template <>
struct Transform<2, 1> {
  static constexpr size_t kOutputs = 2, kStride = 1, kSide = 4, kFilters = 4;
  static constexpr double kFilter[kFilters][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
  static constexpr size_t filter_of(size_t product) { return product; }

  static inline void input(f32x4 (&d)[kSide]) {
    const f32x4 d1 = d[1];
    d[0] -= d[2];
    d[1] = d1 + d[2];
    d[2] -= d1;
    d[3] = d1 - d[3];
  }

  static inline void output(const f32x4 (&p)[kSide], f32x4 (&o)[kOutputs]) {
    o[0] = p[0] + p[1] + p[2];
    o[1] = p[1] - p[2] - p[3];
  }
};

/// With stride 2 the outer taps see every other input, where two outputs share one (3 products for 4), and the
/// middle tap sees the rest (2 products of one filter).
template <>
struct Transform<2, 2> {
  static constexpr size_t kOutputs = 2, kStride = 2, kSide = 5, kFilters = 4;
  static constexpr double kFilter[kFilters][3] = {{1, 0, 0}, {1, 0, 1}, {0, 0, 1}, {0, 1, 0}};
  static constexpr size_t filter_of(size_t product) { return product < kFilters ? product : kFilters - 1; }

  static inline void input(f32x4 (&d)[kSide]) {
    const f32x4 d1 = d[1], d2 = d[2];
    d[0] -= d2;
    d[1] = d2;
    d[2] = d[4] - d2;
    d[4] = d[3];
    d[3] = d1;
  }

  static inline void output(const f32x4 (&p)[kSide], f32x4 (&o)[kOutputs]) {
    o[0] = p[0] + p[1] + p[3];
    o[1] = p[1] + p[2] + p[4];
  }
};

inline constexpr double kSqrt2 = 1.41421356237309504880;

struct WinogradTable {
  float sqrt2 = static_cast<float>(kSqrt2), half_sqrt2 = static_cast<float>(kSqrt2 / 2);
  float quarter_sqrt2 = static_cast<float>(kSqrt2 / 4), double_sqrt2 = static_cast<float>(kSqrt2 * 2);
  float minus_five_halves = -2.5f, half = 0.5f, two = 2.0f;
};
inline constexpr WinogradTable kWinogradTable;

/// Points 0, +-sqrt(1/2), +-sqrt(2), infinity: less rounding than with 0, +-1, +-2.
template <>
struct Transform<4, 1> {
  static constexpr size_t kOutputs = 4, kStride = 1, kSide = 6, kFilters = 6;
  static constexpr double kFilter[kFilters][3] = {{1, 0, 0},
                                                  {-2.0 / 3, -kSqrt2 / 3, -1.0 / 3},
                                                  {-2.0 / 3, kSqrt2 / 3, -1.0 / 3},
                                                  {1.0 / 6, kSqrt2 / 6, 1.0 / 3},
                                                  {1.0 / 6, -kSqrt2 / 6, 1.0 / 3},
                                                  {0, 0, 1}};
  static constexpr size_t filter_of(size_t product) { return product; }

  static inline void input(f32x4 (&d)[kSide]) {
    const WinogradTable& k = simd::opaque(kWinogradTable);
    const f32x4 sqrt2 = simd::load_splat(&k.sqrt2), half_sqrt2 = simd::load_splat(&k.half_sqrt2);
    const f32x4 minus_five_halves = simd::load_splat(&k.minus_five_halves);
    const f32x4 d1 = d[1], d2 = d[2], d3 = d[3], d4 = d[4];
    d[0] = simd::madd(d2, minus_five_halves, d[0] + d4);
    d[5] = simd::madd(d3, minus_five_halves, d1 + d[5]);
    const f32x4 even1 = d4 - d2 * simd::load_splat(&k.two), odd1 = d3 * half_sqrt2 - d1 * sqrt2;
    d[1] = even1 + odd1;
    d[2] = even1 - odd1;
    const f32x4 even2 = d4 - d2 * simd::load_splat(&k.half), odd2 = d3 * sqrt2 - d1 * half_sqrt2;
    d[3] = even2 + odd2;
    d[4] = even2 - odd2;
  }

  static inline void output(const f32x4 (&p)[kSide], f32x4 (&o)[kOutputs]) {
    const WinogradTable& k = simd::opaque(kWinogradTable);
    const f32x4 sum1 = p[1] + p[2], difference1 = p[1] - p[2];
    const f32x4 sum2 = p[3] + p[4], difference2 = p[3] - p[4];
    o[0] = p[0] + sum1 + sum2;
    o[1] = simd::madd(difference1, simd::load_splat(&k.half_sqrt2), difference2 * simd::load_splat(&k.sqrt2));
    o[2] = simd::madd(sum1, simd::load_splat(&k.half), sum2 * simd::load_splat(&k.two));
    o[3] = simd::madd(difference1, simd::load_splat(&k.quarter_sqrt2),
                      simd::madd(difference2, simd::load_splat(&k.double_sqrt2), p[5]));
  }
};

}  // namespace kinglet::kernels
