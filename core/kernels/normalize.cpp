#include "kernels/normalize.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/vector_math.hpp"

namespace kinglet::kernels {
namespace {

/// Sums of f32 are taken over this many values, and these in double: rounding does not grow with the row.
constexpr size_t kSumChunk = 512;

/// Sum of f(lanes [i, i + 4), i) over [0, n), two vectors at a time; `tail(i)` gives the last n % 4 values.
template <class F, class Tail>
double sum_of(size_t n, F f, Tail tail) {
  double total = 0;
  size_t i = 0;
  while (i + simd::kLanes <= n) {
    const size_t end = std::min(n, i + kSumChunk);
    f32x4 even = {}, odd = {};
    for (; i + 2 * simd::kLanes <= end; i += 2 * simd::kLanes) {
      even += f(i);
      odd += f(i + simd::kLanes);
    }
    if (i + simd::kLanes <= end) {
      even += f(i);
      i += simd::kLanes;
    }
    total += simd::sum_lanes(even + odd);
  }
  for (; i < n; ++i) total += tail(i);
  return total;
}

/// The greatest value by the fast comparison, which passes over a NaN; -inf for none.
float greatest(const float* x, size_t n) {
  f32x4 most = simd::splat(-std::numeric_limits<float>::infinity());
  const float rest = -std::numeric_limits<float>::infinity();
  size_t i = 0;
  for (; i + simd::kLanes <= n; i += simd::kLanes) most = simd::clamp_below(most, simd::load(x + i));
  if (i < n) most = simd::clamp_below(most, simd::load_partial(x + i, n - i, rest));
  return std::max(std::max(most[0], most[1]), std::max(most[2], most[3]));
}

double sum_of_squares(const float* x, size_t n, float center) {
  const f32x4 centers = simd::splat(center);
  return sum_of(
      n,
      [&](size_t i) {
        const f32x4 d = simd::load(x + i) - centers;
        return d * d;
      },
      [&](size_t i) { return (x[i] - center) * (x[i] - center); });
}

/// Softmax of up to four columns of x[n, stride] at a time.
template <bool kLog>
inline __attribute__((always_inline)) void softmax_columns(const float* x, float* y, size_t n, size_t stride,
                                                           size_t lanes) {
  const auto get = [=](const float* p) { return simd::load_partial(p, lanes); };
  const auto put = [=](float* p, f32x4 v) { simd::store_partial(p, v, lanes); };
  f32x4 most = simd::splat(-std::numeric_limits<float>::infinity());
  for (size_t i = 0; i < n; ++i) most = simd::clamp_below(most, get(x + i * stride));
  const ExpOrZero exp_or_zero;
  f32x4 total = {};
  for (size_t i = 0; i < n;) {
    f32x4 chunk = {};
    for (const size_t end = std::min(n, i + kSumChunk / simd::kLanes); i < end; ++i) {
      const f32x4 shifted = get(x + i * stride) - most;
      const f32x4 e = exp_or_zero(shifted);
      chunk += e;
      put(y + i * stride, kLog ? shifted : e);
    }
    total += chunk;
  }
  const f32x4 end = kLog ? log(total) : simd::splat(1.0f) / total;
  for (size_t i = 0; i < n; ++i) {
    float* const p = y + i * stride;
    const f32x4 v = get(p);
    put(p, kLog ? v - end : v * end);
  }
}

template <bool kLog>
void softmax_inner(const float* x, float* y, size_t outer, size_t n, size_t inner) {
  for (size_t o = 0; o < outer; ++o, x += n * inner, y += n * inner) {
    simd::for_vectors(inner, [&](size_t i, size_t lanes) KINGLET_INLINE_LAMBDA {
      softmax_columns<kLog>(x + i, y + i, n, inner, lanes);
    });
  }
}

}  // namespace

void softmax(const float* x, float* y, size_t rows, size_t columns) {
  const ExpOrZero exp_or_zero;
  for (size_t r = 0; r < rows; ++r, x += columns, y += columns) {
    const f32x4 most = simd::splat(greatest(x, columns));
    const auto stored = [&](size_t i) {
      const f32x4 e = exp_or_zero(simd::load(x + i) - most);
      simd::store(y + i, e);
      return e;
    };
    const auto stored_tail = [&](size_t i) { return y[i] = exp_or_zero(simd::splat(x[i]) - most)[0]; };
    const auto scale = static_cast<float>(1.0 / sum_of(columns, stored, stored_tail));
    map(y, y, columns, [&](f32x4 v) { return v * simd::splat(scale); });
  }
}

void log_softmax(const float* x, float* y, size_t rows, size_t columns) {
  const ExpOrZero exp_or_zero;
  for (size_t r = 0; r < rows; ++r, x += columns, y += columns) {
    const f32x4 most = simd::splat(greatest(x, columns));
    const double total = sum_of(
        columns, [&](size_t i) { return exp_or_zero(simd::load(x + i) - most); },
        [&](size_t i) { return exp_or_zero(simd::splat(x[i]) - most)[0]; });
    const f32x4 log_total = simd::splat(static_cast<float>(std::log(total)));
    map(x, y, columns, [&](f32x4 v) { return v - most - log_total; });
  }
}

void softmax_strided(const float* x, float* y, size_t outer, size_t n, size_t inner) {
  if (inner == 1) return softmax(x, y, outer, n);
  softmax_inner<false>(x, y, outer, n, inner);
}

void log_softmax_strided(const float* x, float* y, size_t outer, size_t n, size_t inner) {
  if (inner == 1) return log_softmax(x, y, outer, n);
  softmax_inner<true>(x, y, outer, n, inner);
}

void layer_norm(const float* x, float* y, size_t rows, size_t columns, const float* scale, const float* bias,
                float epsilon, float* mean_out, float* inv_std_out) {
  for (size_t r = 0; r < rows; ++r, x += columns, y += columns) {
    float mean, variance;
    mean_variance(x, columns, &mean, &variance);
    const float inv_std = 1.0f / std::sqrt(variance + epsilon);
    if (mean_out != nullptr) mean_out[r] = mean;
    if (inv_std_out != nullptr) inv_std_out[r] = inv_std;
    simd::for_vectors(columns, [&](size_t i, size_t lanes) KINGLET_INLINE_LAMBDA {
      f32x4 v = (simd::load_partial(x + i, lanes) - simd::splat(mean)) * simd::splat(inv_std);
      if (scale != nullptr) v = v * simd::load_partial(scale + i, lanes);
      if (bias != nullptr) v = v + simd::load_partial(bias + i, lanes);
      simd::store_partial(y + i, v, lanes);
    });
  }
}

void rms_norm(const float* x, float* y, size_t rows, size_t columns, const float* scale, float epsilon) {
  for (size_t r = 0; r < rows; ++r, x += columns, y += columns) {
    const double mean_square = sum_of_squares(x, columns, 0.0f) / static_cast<double>(columns);
    const f32x4 inv = simd::splat(1.0f / std::sqrt(static_cast<float>(mean_square) + epsilon));
    simd::for_vectors(columns, [&](size_t i, size_t lanes) KINGLET_INLINE_LAMBDA {
      f32x4 v = simd::load_partial(x + i, lanes) * inv;
      if (scale != nullptr) v = v * simd::load_partial(scale + i, lanes);
      simd::store_partial(y + i, v, lanes);
    });
  }
}

void mean_variance(const float* x, size_t n, float* mean, float* variance) {
  const auto count = static_cast<double>(n);
  const double total = sum_of(n, [&](size_t i) { return simd::load(x + i); }, [&](size_t i) { return x[i]; });
  *mean = static_cast<float>(total / count);
  *variance = static_cast<float>(sum_of_squares(x, n, *mean) / count);
}

void channel_mean_variance(const float* x, size_t pixels, size_t channels, float* mean, float* variance) {
  // Sum over the pixels of f for one vector of channels: f32 over a chunk, chunks in double.
  const auto column_mean = [&](size_t c, size_t lanes, f32x4 center, bool squared,
                               float* out) KINGLET_INLINE_LAMBDA {
    double total[simd::kLanes] = {};
    for (size_t p = 0; p < pixels;) {
      f32x4 chunk = {};
      for (const size_t end = std::min(pixels, p + kSumChunk / simd::kLanes); p < end; ++p) {
        const f32x4 d = simd::load_partial(x + p * channels + c, lanes) - center;
        chunk += squared ? d * d : d;
      }
      for (size_t i = 0; i < simd::kLanes; ++i) total[i] += chunk[i];
    }
    for (size_t i = 0; i < lanes; ++i) out[i] = static_cast<float>(total[i] / static_cast<double>(pixels));
  };
  simd::for_vectors(channels, [&](size_t c, size_t lanes) KINGLET_INLINE_LAMBDA {
    column_mean(c, lanes, f32x4{}, false, mean + c);
    column_mean(c, lanes, simd::load_partial(mean + c, lanes), true, variance + c);
  });
}

void scale_shift(const float* x, float* y, size_t n, float scale, float shift) {
  map(x, y, n, [=](f32x4 v) { return simd::madd(v, simd::splat(scale), simd::splat(shift)); });
}

void channel_scale_shift(const float* x, float* y, size_t pixels, size_t channels, const float* scale,
                         const float* shift, Activation activation) {
  for (size_t p = 0; p < pixels; ++p, x += channels, y += channels) {
    simd::for_vectors(channels, [&](size_t c, size_t lanes) KINGLET_INLINE_LAMBDA {
      const f32x4 v = simd::madd(simd::load_partial(x + c, lanes), simd::load_partial(scale + c, lanes),
                                 simd::load_partial(shift + c, lanes));
      simd::store_partial(y + c, v, lanes);
    });
    if (activation.kind != Activation::Kind::kNone) apply(activation, y, channels);
  }
}

float sum(const float* x, size_t n) {
  return static_cast<float>(
      sum_of(n, [&](size_t i) { return simd::load(x + i); }, [&](size_t i) { return x[i]; }));
}

float max(const float* x, size_t n) {
  f32x4 most = simd::splat(x[0]);
  size_t i = 0;
  for (; i + simd::kLanes <= n; i += simd::kLanes) most = simd::max(most, simd::load(x + i));
  if (i < n) most = simd::max(most, simd::load_partial(x + i, n - i, x[0]));
  return simd::max_lane(most);
}

float min(const float* x, size_t n) {
  f32x4 least = simd::splat(x[0]);
  size_t i = 0;
  for (; i + simd::kLanes <= n; i += simd::kLanes) least = simd::min(least, simd::load(x + i));
  if (i < n) least = simd::min(least, simd::load_partial(x + i, n - i, x[0]));
  return simd::min_lane(least);
}

float dot(const float* a, const float* b, size_t n) {
  return static_cast<float>(sum_of(
      n, [&](size_t i) { return simd::load(a + i) * simd::load(b + i); },
      [&](size_t i) { return a[i] * b[i]; }));
}

}  // namespace kinglet::kernels
